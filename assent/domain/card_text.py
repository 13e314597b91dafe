"""A request's content as plain text, for mail and the command line.

What is not Assent's own never begins a line: a text of several lines is set behind a bar, so that nobody can write a
section of their own. Hidden characters are marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from assent.domain.card_content import Content, Fact, Item, Point, Points, Quote, Raw, Section, Sentence
from assent.domain.card_records import NOTHING, ONLY_ONE, Field, Record
from assent.domain.differences import Change
from assent.domain.hostile_text import reveal_text
from assent.domain.passages import Passage
from assent.domain.words import counted

_BAR = "| "
_INDENT = "  "


def plain_text(content: Content) -> str:
    """The content as text that ends with a line end; times are in UTC."""
    return "".join(f"{line}\n" for line in text_lines(content))


def text_lines(content: Content) -> Iterator[str]:
    """The same, line by line."""
    first, *others = _said(content.headline).splitlines() or [""]
    yield first
    yield from _barred(others)
    for section in content.sections:
        yield ""
        yield section.title.upper()
        yield from section_lines(section)


def exact(moment: datetime) -> str:
    """A moment, the same everywhere."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def section_lines(section: Section) -> Iterator[str]:
    """What a section says, line by line, without its title."""
    width = max((len(item.label) for item in section.items if isinstance(item, Fact)), default=0)
    for item in section.items:
        yield from _item(item, width)


def _item(item: Item, width: int) -> Iterator[str]:
    match item:
        case Fact():
            yield from _lines(f"{item.label:{width}}  ", _fact(item))
        case Sentence():
            yield from _lines("", _said(item.text))
        case Points():
            for point in item.points:
                yield from _lines("- ", _point(point))
            if item.more:
                yield f"{_INDENT}- … {item.more}"
        case Quote():
            label = reveal_text(_one_line(item.label))
            yield f"{_INDENT}{label}{'' if label.endswith('.') else ':'}"
            yield from _quoted(_said(item.text))
        case Record():
            yield from _record(item)
        case Raw():
            yield f"{_INDENT}{item.label}, {counted(item.size, 'character')}:"
            yield from _quoted(_said(item.text))


def _fact(fact: Fact) -> str:
    name = _one_line(reveal_text(fact.name))
    text = _said(fact.text)
    return f"{text} ({name})" if text and name else text or name


def _point(point: Point) -> str:
    parts = [_said(point.text)]
    if point.note.text:
        parts.append(f" — {_said(point.note)}")
    if point.at:
        parts.append(f" — {exact(point.at)}")
    if point.request:
        parts.append(f" — request {_one_line(reveal_text(point.request))}")
    return "".join(parts)


def _record(record: Record) -> Iterator[str]:
    name = _one_line(reveal_text(record.resource))
    yield f"{_INDENT}{f'{name}: {record.becomes}' if name else record.becomes.capitalize()}"
    for field in record.fields:
        mark = "" if record.is_one_sided or field.change not in ONLY_ONE else f" ({ONLY_ONE[field.change]})"
        yield from _lines(f"{_INDENT}{_path(field)}: ", f"{_change(field)}{mark}")
    if record.left_out:
        yield f"{_INDENT * 2}… {counted(record.left_out, 'more field')}"
    if record.same:
        yield f"{_INDENT * 2}{counted(record.same, 'field')} unchanged"


def _path(field: Field) -> str:
    return " › ".join(_one_line(reveal_text(name)) for name in field.path) or "content"


def _change(field: Field) -> str:
    before, after = (_value(passage) for passage in (field.before, field.after))
    match field.change:
        case Change.ADDED:
            return after
        case Change.REMOVED:
            return before
    return f"{before} → {after}"


def _value(passage: Passage | None) -> str:
    return NOTHING if passage is None else _said(passage) or '""'


def _said(passage: Passage) -> str:
    shown = reveal_text(passage.text)
    return f"{shown} … {passage.more}" if passage.left_out else shown


def _lines(lead: str, text: str) -> Iterator[str]:
    """A text behind its lead; its further lines behind a bar."""
    first, *others = text.splitlines() or [""]
    yield f"{_INDENT}{lead}{first}"
    yield from _barred(others)


def _quoted(text: str) -> Iterator[str]:
    yield from _barred(text.splitlines() or [""])


def _barred(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f"{_INDENT * 2}{_BAR}{line}"


def _one_line(text: str) -> str:
    return " ↵ ".join(text.splitlines())
