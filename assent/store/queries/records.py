"""Records that agents touched: found by table, id or customer, and everything that was done to one.

A record's name is a path, ``shop/orders/W123``: all but its last part is the table, the last part is the id. The key of
the touches orders them by name, so tables and names are found by steps in that key; no step reads more than one entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.effects import ResourceChange
from assent.store.queries import ledger
from assent.store.queries.ledger import TouchView
from assent.store.queries.paging import FIRST, Page, PageRequest, decode, encode
from assent.store.tables import EffectRow, ResourceRow, UndoRow

MOST_TABLES = 50
"""Tables that are listed, and looked through for an id."""

_LIST = "records"
_LAST = "\U0010ffff"
_JUST_AFTER = "\x01"


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record that an effect or an undo touched.

    Attributes:
        name: Its name.
        table: All of the name but its last part, with the stroke at its end.
        touched_at: When it was touched last.
    """

    name: str
    table: str
    touched_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryView:
    """One time a record was touched.

    Attributes:
        touch: When, by which action, done or taken back.
        changes: What became of this record; empty if that is not known.
        rollback_id: The rollback that took it back; empty for an effect.
    """

    touch: TouchView
    changes: tuple[ResourceChange, ...]
    rollback_id: str = ""

    @property
    def stands(self) -> bool:
        """It is an effect that was not taken back."""
        return not self.touch.undo and self.touch.status is ActionStatus.DONE


def tables(session: Session) -> tuple[str, ...]:
    """Tables that have records which were touched, by name, at most :data:`MOST_TABLES`."""
    return tuple(_tables(session))


def find(session: Session, question: str, *, request: PageRequest = FIRST) -> Page[RecordView]:
    """Records whose id begins with some words, whatever table they are in; by name.

    Words with a stroke are the beginning of a whole name, ``shop/orders/`` for all orders. Ids are found in any of
    three spellings (as written, in capitals, in small letters), with or without a number sign before them.
    """
    question = question.strip()
    if not question or "\0" in question:
        return Page(())
    start = "" if request.cursor is None else str(decode(_LIST, request.cursor, [str])[0]) + _JUST_AFTER
    found: list[str] = []
    for name in _matching(session, question, start):
        found.append(name)
        if len(found) > request.limit:
            break
    shown = found[: request.limit]
    more = encode(_LIST, [shown[-1]]) if len(found) > request.limit else None
    return Page(tuple(_view(session, name) for name in shown), more)


def history(session: Session, name: str, *, request: PageRequest = FIRST) -> Page[HistoryView]:
    """Everything that agents did to a record and what was taken back, newest first."""
    page = ledger.touches(session, name, request=request)
    if not page.items:
        return Page(())
    wanted = {touch.action_id for touch in page.items}
    done = select(col(EffectRow.action_id), col(EffectRow.changes)).where(col(EffectRow.action_id).in_(wanted))
    effects = {row.action_id: row.changes for row in session.execute(done)}
    back = select(col(UndoRow.action_id), col(UndoRow.changes), col(UndoRow.rollback_id)).where(
        col(UndoRow.action_id).in_(wanted)
    )
    undos = {id: (changes, rollback_id) for id, changes, rollback_id in session.execute(back)}

    def told(touch: TouchView) -> HistoryView:
        changes, rollback_id = undos.get(touch.action_id, ([], "")) if touch.undo else (effects[touch.action_id], "")
        read = (ResourceChange.model_validate(change) for change in changes)
        return HistoryView(touch, tuple(change for change in read if change.resource == name), rollback_id)

    return Page(tuple(told(touch) for touch in page.items), page.next_cursor)


def table_of(name: str) -> str:
    """The table of a record, with the stroke at its end; empty if its name has none."""
    return name[: name.rfind("/") + 1]


def _matching(session: Session, question: str, start: str) -> Iterator[str]:
    """Names that match, in order, from ``start`` on."""
    if "/" in question:
        yield from _beginning_with(session, question, start)
        return
    spellings = {question, question.upper(), question.lower()}
    if not question.startswith("#"):
        spellings |= {f"#{each}" for each in spellings}
    for table in _tables(session):
        for prefix in sorted(f"{table}{each}" for each in spellings):
            for name in _beginning_with(session, prefix, start):
                # What continues with another stroke belongs to a table of its own.
                if table_of(name) == table:
                    yield name


def _beginning_with(session: Session, prefix: str, start: str) -> Iterator[str]:
    at = max(prefix, start)
    while (name := _first(session, at, prefix + _LAST)) is not None:
        yield name
        at = name + _JUST_AFTER


def _tables(session: Session) -> Iterator[str]:
    """Each table once, by steps over all its records; not those within another table that has records of its own."""
    at = ""
    for _ in range(MOST_TABLES):
        name = _first(session, at, _LAST)
        if name is None:
            return
        table = table_of(name)
        if table:
            yield table
        at = (table or name) + (_LAST if table else _JUST_AFTER)


def _first(session: Session, start: str, end: str) -> str | None:
    name = col(ResourceRow.resource)
    return session.execute(select(name).where(name >= start, name < end).order_by(name).limit(1)).scalar_one_or_none()


def _view(session: Session, name: str) -> RecordView:
    newest = select(func.max(col(ResourceRow.at))).where(col(ResourceRow.resource) == name)
    return RecordView(name, table_of(name), session.execute(newest).scalar_one())
