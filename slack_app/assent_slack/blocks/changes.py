"""What a call will change: a record, field by field, before and after."""

from __future__ import annotations

from assent.domain.card_records import NOTHING, ONLY_ONE, Field, Record
from assent.domain.differences import Change
from assent.domain.passages import Passage
from assent.domain.words import counted
from assent_slack.blocks.excerpts import ELLIPSIS, passage_told, told
from assent_slack.blocks.pieces import Element, bullets, cost, link, section, words

VALUE_ROOM = 400
"""Characters that one value may take."""

NAME_ROOM = 240


def record_objects(record: Record, room: int, url: str) -> list[Element]:
    """Lay out as many fields as there is room for, the rest counted; nothing if not even the record's name fits."""
    title = _title(record, url)
    room -= cost(title)
    if room < 0:
        return []
    items = _items(record, room, url)
    objects = [section(title), *([bullets(items)] if items else [])]
    ending: list[Element] = []
    if hidden := len(record.fields) - len(items) + record.left_out:
        ending += [words(f"{ELLIPSIS} {counted(hidden, 'more field')}: ", italic=True), link(url, "open in Assent")]
    if record.same:
        ending.append(words(f"{' · ' if ending else ''}{counted(record.same, 'field')} unchanged", italic=True))
    return [*objects, section(ending)] if ending else objects


def _title(record: Record, url: str) -> list[Element]:
    if not record.resource:
        return [words(record.becomes.capitalize())]
    return [*told(record.resource, NAME_ROOM, url, bold=True), words(f": {record.becomes}")]


def _items(record: Record, room: int, url: str) -> list[list[Element]]:
    items = []
    for field in record.fields:
        item = _item(field, min(room // 3, VALUE_ROOM), url)
        if not record.is_one_sided and field.change in ONLY_ONE:
            item.append(words(f" ({ONLY_ONE[field.change]})"))
        room -= cost(item)
        if room < 0:
            break
        items.append(item)
    return items


def _item(field: Field, room: int, url: str) -> list[Element]:
    elements = [*told(" › ".join(field.path) or "content", NAME_ROOM, url), words(": ")]
    if field.change is not Change.ADDED:
        elements += _value(field.before, room, url, strike=True)
    if field.change is not Change.ADDED and field.change is not Change.REMOVED:
        elements.append(words(" → "))
    if field.change is not Change.REMOVED:
        elements += _value(field.after, room, url, bold=True)
    return elements


def _value(value: Passage | None, room: int, url: str, *, bold: bool = False, strike: bool = False) -> list[Element]:
    if value is None:
        return [words(NOTHING)]
    shown = value if value.text or value.left_out else Passage('""')
    return passage_told(shown, room, url, bold=bold, strike=strike)
