"""Records before and after, laid out for a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from assent.domain.canonical import Json
from assent.domain.differences import Change, FieldChange, differences
from assent.domain.effects import ResourceChange

MARKED_TEXT = 5_000
"""Longer texts are shown without marking which part of them changed."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text; ``changed`` if the other side does not have it."""

    text: str
    changed: bool

    @property
    def size(self) -> int:
        """How many characters it has."""
        return len(self.text)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a record.

    Attributes:
        path: Names that lead to the field.
        change: What becomes of it.
        before: Its content before, in parts; empty if there was none.
        after: Its content after.
    """

    path: tuple[str, ...]
    change: Change
    before: tuple[Part, ...]
    after: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class RecordRows:
    """One record.

    Attributes:
        resource: Its name.
        word: What becomes of the record as a whole: created, deleted, changed, not changed.
        different: Fields that differ.
        same: Fields that do not.
    """

    resource: str
    word: str
    different: tuple[FieldRow, ...]
    same: tuple[FieldRow, ...]


def records(changes: Sequence[ResourceChange]) -> list[RecordRows]:
    """Lay out changes."""
    return [_record(change) for change in changes]


def compared(before: Json, after: Json) -> RecordRows:
    """Two versions of something that is not a record, a card for example."""
    return _record(ResourceChange(resource="", before=before, after=after))


def plain(value: Json) -> str:
    """A value as a person writes it: text without quotes, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _record(change: ResourceChange) -> RecordRows:
    fields = differences(change.before, change.after)
    rows = [_row(field) for field in fields]
    return RecordRows(
        resource=change.resource,
        word=_word(change, fields),
        different=tuple(row for row in rows if row.change is not Change.SAME),
        same=tuple(row for row in rows if row.change is Change.SAME),
    )


def _word(change: ResourceChange, fields: list[FieldChange]) -> str:
    if change.before is None and change.after is None:
        return "content not known"
    if change.before is None:
        return "created"
    if change.after is None:
        return "deleted"
    return "changed" if any(field.change is not Change.SAME for field in fields) else "not changed"


def _row(field: FieldChange) -> FieldRow:
    before: tuple[Part, ...] = ()
    after: tuple[Part, ...] = ()
    match field.change:
        case Change.ADDED:
            after = _whole(field.after)
        case Change.REMOVED:
            before = _whole(field.before)
        case Change.SAME:
            before = after = _whole(field.after)
        case Change.CHANGED if field.before is None or field.after is None:
            before, after = _whole(field.before), _whole(field.after)
        case Change.CHANGED:
            before, after = _marked(plain(field.before), plain(field.after))
    return FieldRow(field.path, field.change, before, after)


def _whole(value: Json) -> tuple[Part, ...]:
    """A value in one part; null is shown as nothing."""
    return () if value is None else (Part(plain(value), False),)


def _marked(before: str, after: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Mark what differs between two longer texts: all but what they begin and end with together."""
    if min(len(before), len(after)) < 24 or max(len(before), len(after)) > MARKED_TEXT:
        return (Part(before, False),), (Part(after, False),)
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    start, end = _at_words(before, start, end), _at_words(before[::-1], end, start)
    if start + end < min(len(before), len(after)) // 4:
        return (Part(before, False),), (Part(after, False),)
    return _parts(before, start, end), _parts(after, start, end)


def _at_words(text: str, start: int, end: int) -> int:
    """Move a border back to where a word begins."""
    if start >= len(text) - end and end == 0:
        return start
    while start and (text[start - 1].isalnum()):
        start -= 1
    return start


def _parts(text: str, start: int, end: int) -> tuple[Part, ...]:
    stop = len(text) - end
    parts = (Part(text[:start], False), Part(text[start:stop], True), Part(text[stop:], False))
    return tuple(part for part in parts if part.text)
