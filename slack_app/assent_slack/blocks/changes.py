"""What a call will change: each record, field by field, before and after."""

from __future__ import annotations

import json

from assent.domain.approvals import RequestCard
from assent.domain.canonical import Json
from assent.domain.differences import Change, FieldChange, differences
from assent.domain.effects import ResourceChange
from assent.domain.words import counted
from assent_slack.blocks.excerpts import ELLIPSIS, told
from assent_slack.blocks.pieces import Block, Element, bullets, cost, link, rich, section, words

VALUE_ROOM = 400
"""Characters that one value may take."""

NAME_ROOM = 240


def changes(card: RequestCard, room: int, url: str) -> Block:
    """Lay out as many changed fields as there is room for, and say how many more there are."""
    objects = [section([words("What it changes\n", bold=True)])]
    hidden_records = hidden_fields = 0
    for record in card.changes:
        fields = [field for field in differences(record.before, record.after) if field.change is not Change.SAME]
        title = _title(record, fields, url)
        room -= cost(title)
        if room < 0:
            hidden_records += 1
            continue
        items = _items(fields, room, url)
        objects.append(section(title if items else [*title, words("\n")]))
        room -= sum(map(cost, items))
        hidden_fields += len(fields) - len(items)
        if items:
            objects.append(bullets(items))
    objects += _missing(card, hidden_records, hidden_fields, url)
    return rich(objects)


def _title(record: ResourceChange, fields: list[FieldChange], url: str) -> list[Element]:
    elements = told(record.resource, NAME_ROOM, url, bold=True)
    if record.before is None and record.after is None:
        elements.append(words(": its content is not known beforehand"))
    elif record.before is None:
        elements.append(words(" (new)"))
    elif record.after is None:
        elements.append(words(" (removed)"))
    elif not fields:
        elements.append(words(": nothing in it changes"))
    return elements


def _items(fields: list[FieldChange], room: int, url: str) -> list[list[Element]]:
    items = []
    for field in fields:
        item = _item(field, min(room // 3, VALUE_ROOM), url)
        room -= cost(item)
        if room < 0:
            break
        items.append(item)
    return items


def _item(field: FieldChange, room: int, url: str) -> list[Element]:
    elements = [*told(" › ".join(field.path) or "content", NAME_ROOM, url), words(": ")]
    if field.change is not Change.ADDED:
        elements += _value(field.before, room, url, strike=True)
    if field.change is Change.CHANGED:
        elements.append(words(" → "))
    if field.change is not Change.REMOVED:
        elements += _value(field.after, room, url, bold=True)
    return elements


def _value(value: Json, room: int, url: str, *, bold: bool = False, strike: bool = False) -> list[Element]:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return told(text, room, url, bold=bold, strike=strike)


def _missing(card: RequestCard, hidden_records: int, hidden_fields: int, url: str) -> list[Element]:
    elements: list[Element] = []
    if hidden_fields or hidden_records:
        parts = [counted(hidden_fields, "more field")] if hidden_fields else []
        parts += [counted(hidden_records, "more record")] if hidden_records else []
        elements += [words(f"{ELLIPSIS} {' and '.join(parts)}: ", italic=True), link(url, "open in Assent")]
    if card.preview_note:
        elements += [*([words("\n")] if elements else []), *told(card.preview_note, VALUE_ROOM, url)]
    if not card.changes and not card.preview_note:
        elements.append(words("Not known beforehand."))
    return [section(elements)] if elements else []
