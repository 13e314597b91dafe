"""Records before and after, laid out for a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assent.domain.canonical import Json
from assent.domain.card_records import Field, Record, plain, what_becomes
from assent.domain.differences import Change, FieldChange, differences
from assent.domain.effects import ResourceChange
from assent.domain.passages import Passage

__all__ = ["FieldRow", "Part", "RecordRows", "compared", "laid_out", "plain", "records"]

_NOTHING = Passage("")

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
        more_before: What of the content before is not here, in words.
        more_after: What of the content after is not here.
    """

    path: tuple[str, ...]
    change: Change
    before: tuple[Part, ...]
    after: tuple[Part, ...]
    more_before: str = ""
    more_after: str = ""


@dataclass(frozen=True, slots=True)
class RecordRows:
    """One record.

    Attributes:
        resource: Its name.
        word: What becomes of the record as a whole: created, deleted, changed, not changed.
        different: Fields that differ.
        same: Fields that do not.
        more_different: How many more differ.
        more_same: How many more do not.
    """

    resource: str
    word: str
    different: tuple[FieldRow, ...]
    same: tuple[FieldRow, ...]
    more_different: int = 0
    more_same: int = 0


def laid_out(record: Record) -> RecordRows:
    """A record of a request's content."""
    return RecordRows(
        resource=record.resource,
        word=record.becomes,
        different=tuple(_passages(field) for field in record.fields),
        same=tuple(_passages(field) for field in record.unchanged),
        more_different=record.left_out,
        more_same=record.same - len(record.unchanged),
    )


def records(changes: Sequence[ResourceChange]) -> list[RecordRows]:
    """Lay out changes."""
    return [_record(change) for change in changes]


def compared(before: Json, after: Json) -> RecordRows:
    """Two versions of something that is not a record, a card for example."""
    return _record(ResourceChange(resource="", before=before, after=after))


def _record(change: ResourceChange) -> RecordRows:
    fields = differences(change.before, change.after)
    rows = [_row(field) for field in fields]
    return RecordRows(
        resource=change.resource,
        word=what_becomes(change, fields),
        different=tuple(row for row in rows if row.change is not Change.SAME),
        same=tuple(row for row in rows if row.change is Change.SAME),
    )


def _passages(field: Field) -> FieldRow:
    before, after = field.before or _NOTHING, field.after or _NOTHING
    if field.change is Change.CHANGED:
        was, now = _marked(before.text, after.text)
    else:
        was, now = _one_part(before.text), _one_part(after.text)
    return FieldRow(field.path, field.change, was, now, before.more, after.more)


def _one_part(text: str) -> tuple[Part, ...]:
    return (Part(text, False),) if text else ()


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
