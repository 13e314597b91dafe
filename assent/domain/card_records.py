"""Records before and after, field by field, with values as people write them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assent.domain.canonical import Json
from assent.domain.differences import Change, FieldChange, differences
from assent.domain.effects import ResourceChange
from assent.domain.money import number_of_money
from assent.domain.passages import Passage, Room
from assent.domain.paths import matches

FIELDS = 300
"""Differing fields that a card shows; the rest is counted."""

UNCHANGED = 60
"""Fields of a record that stay as they are and can be shown beside the others; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        path: Names and one-based positions that lead to it.
        change: What becomes of it.
        before: Its content before; ``None`` if there was nothing.
        after: Its content after.
    """

    path: tuple[str, ...]
    change: Change
    before: Passage | None
    after: Passage | None


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        resource: Its stable name; empty for what is not a record.
        becomes: What becomes of it as a whole: created, deleted, changed, not changed, content not known.
        fields: Fields that differ.
        same: How many do not.
        left_out: How many differ and are not shown.
        unchanged: The first fields that do not differ, in short, for a place that can fold them away.
    """

    resource: str
    becomes: str
    fields: tuple[Field, ...]
    same: int = 0
    left_out: int = 0
    unchanged: tuple[Field, ...] = ()

    @property
    def is_one_sided(self) -> bool:
        """The record as a whole is new or gone, so that its fields need not say it."""
        return self.becomes in (_CREATED, _DELETED)


@dataclass(frozen=True, slots=True)
class Money:
    """Which values are money, and of which currency."""

    paths: Collection[str] = ()
    currency: str = ""

    def written(self, path: Sequence[str], value: Json) -> str:
        """A value as a person writes it: money with its decimals, text without quotes, everything else as JSON."""
        if self.paths and isinstance(value, float | int | str) and matches(path, self.paths):
            return number_of_money(value, self.currency) or plain(value)
        return plain(value)


_CREATED, _DELETED = "created", "deleted"

ONLY_ONE = {Change.ADDED: "new", Change.REMOVED: "removed"}
"""How a field is marked that a record did not have before, or has not after."""

NOTHING = "nothing"
"""What stands for no value at all."""


def plain(value: Json) -> str:
    """A value as a person writes it: text without quotes, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def records(
    changes: Sequence[ResourceChange], money: Money, room: Room, *, unchanged: bool = False
) -> tuple[Record, ...]:
    """Lay out what a call changes, with the fields that do not change if asked for."""
    rows = FIELDS if room.left is not None else None
    laid_out = []
    for change in changes:
        fields = differences(change.before, change.after)
        differing = [field for field in fields if field.change is not Change.SAME]
        record = field_rows(differing, money, room, rows)
        rows = None if rows is None else rows - len(record)
        known = change.before is not None or change.after is not None
        same = [field for field in fields if field.change is Change.SAME] if known else []
        laid_out.append(
            Record(
                resource=room.name(change.resource),
                becomes=what_becomes(change, fields),
                fields=record,
                same=len(same),
                left_out=len(differing) - len(record),
                unchanged=field_rows(same, money, Room(0), UNCHANGED) if unchanged else (),
            )
        )
    return tuple(laid_out)


def field_rows(fields: Sequence[FieldChange], money: Money, room: Room, most: int | None = FIELDS) -> tuple[Field, ...]:
    """Fields with their content written out, at most so many of them."""
    return tuple(_field(field, money, room) for field in fields[:most])


def what_becomes(change: ResourceChange, fields: Sequence[FieldChange]) -> str:
    """What becomes of a record as a whole, in words."""
    if change.before is None and change.after is None:
        return "content not known"
    if change.before is None:
        return _CREATED
    if change.after is None:
        return _DELETED
    return "changed" if any(field.change is not Change.SAME for field in fields) else "not changed"


def _field(field: FieldChange, money: Money, room: Room) -> Field:
    before = None if field.change is Change.ADDED else _passage(field.path, field.before, money, room)
    after = None if field.change is Change.REMOVED else _passage(field.path, field.after, money, room)
    return Field(tuple(room.name(name) for name in field.path), field.change, before, after)


def _passage(path: Sequence[str], value: Json, money: Money, room: Room) -> Passage | None:
    return None if value is None else room.passage(money.written(path, value))
