"""Taking rows back to what they were, unless somebody has worked on them since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from assent.domain.canonical import Json
from assent.domain.effects import ResourceChange
from assent_activities.connectors.contract import UndoConflict
from assent_activities.connectors.sql_rows.transaction import Image, RowTransaction
from assent_activities.connectors.sql_rows.values import Row, differing


class UndoRow(BaseModel):
    """One row of an effect, as its undo needs it."""

    model_config = ConfigDict(frozen=True)

    table: str
    key: list[Json]
    before: Row | None = None
    after: Row | None = None


class UndoRows(BaseModel):
    """Undo data of an effect: the rows it changed, in the order it first touched them."""

    model_config = ConfigDict(frozen=True)

    rows: list[UndoRow]


def undo_data_of(images: Sequence[Image]) -> Json:
    """Undo data of a transaction; ``None`` if it changed nothing."""
    rows = [UndoRow(table=i.table, key=list(i.key), before=i.before, after=i.after) for i in images]
    return UndoRows(rows=rows).model_dump(mode="json") if rows else None


def changes_of(name: str, images: Sequence[Image]) -> list[ResourceChange]:
    """The records a transaction touched, named ``<name>/<table>/<key>``."""
    return [ResourceChange(resource=resource(name, i.table, i.key), before=i.before, after=i.after) for i in images]


def resource(name: str, table: str, key: Sequence[Json]) -> str:
    """Stable name of a row; values of a key of several columns are joined by commas."""
    values = [
        quote(str(value), safe="#@:+ ()'!*$&=;") if len(key) > 1 or "/" in str(value) else str(value) for value in key
    ]
    return f"{name}/{table}/{','.join(values)}"


def take_back(
    name: str, rows: RowTransaction, undo_data: Json, *, volatile: Mapping[str, frozenset[str]]
) -> list[UndoRow]:
    """Restore the before-image of every row of an effect, the one touched last first.

    Args:
        name: Name of the system, for messages.
        rows: The transaction to do it in; a dry one shows what would happen.
        undo_data: What :func:`undo_data_of` gave.
        volatile: By table, columns that may differ without being a conflict.

    Raises:
        UndoConflict: A row is not as the effect left it, or did not become what it was. Every such row is named.
    """
    try:
        undo = UndoRows.model_validate(undo_data)
    except ValidationError as error:
        raise UndoConflict(f"The undo data of this effect cannot be read: {error.error_count()} faults.") from error
    conflicts = [
        conflict
        for row in undo.rows
        if (conflict := _conflict(name, row, rows.get(row.table, tuple(row.key)), volatile.get(row.table, frozenset())))
    ]
    if conflicts:
        raise UndoConflict(" ".join(conflicts))
    for row in reversed(undo.rows):
        now = rows.put(row.table, tuple(row.key), row.before)
        off = _off(row.before, now, volatile.get(row.table, frozenset()))
        if off:
            raise UndoConflict(
                f"{resource(name, row.table, row.key)} did not become what it was: {off}. Nothing was taken back."
            )
    return undo.rows


def _conflict(name: str, row: UndoRow, now: Row | None, volatile: frozenset[str]) -> str:
    place = resource(name, row.table, row.key)
    if now is None and row.after is not None:
        return f"{place} was deleted after this action."
    if now is not None and row.after is None:
        return f"{place} was created again after this action."
    off = _off(row.after, now, volatile)
    return f"{place} was changed after this action: {off}." if off else ""


def _off(wanted: Row | None, now: Row | None, volatile: frozenset[str]) -> str:
    if wanted is None or now is None:
        return "" if wanted is now else ("it still exists" if wanted is None else "it is missing")
    columns = differing(wanted, now, volatile)
    return f"{', '.join(columns)} {'is' if len(columns) == 1 else 'are'} different" if columns else ""
