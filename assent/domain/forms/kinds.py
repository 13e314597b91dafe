"""How a place of a form is edited, by its schema and what it holds now."""

from __future__ import annotations

import json
from collections.abc import Mapping

from assent.domain.canonical import Json
from assent.domain.forms.model import ABSENT, FieldKind
from assent.domain.forms.schemas import is_of
from assent.domain.hostile_text import reveal

MAX_ENTRIES = 30
"""Longer lists are edited as JSON."""

LONG = 80
"""Characters from which a text gets several lines."""


def kind_of(shape: Mapping[str, Json], value: Json) -> FieldKind | None:
    """How a shape with this value is edited; ``None`` if only JSON says it truly."""
    if "const" in shape or "enum" in shape:
        allowed = [shape["const"]] if "const" in shape else shape["enum"]
        return FieldKind.CHOICE if value is ABSENT or any(_same(value, each) for each in allowed) else None
    type = shape.get("type")
    if type is None and "properties" in shape:
        type = "object"
    if not isinstance(type, str) or any(word in shape for word in ("anyOf", "oneOf", "not", "if", "allOf")):
        return None
    if value is not ABSENT and not is_of(type, value):
        return None
    match type:
        case "boolean":
            return FieldKind.CHOICE
        case "integer":
            return FieldKind.INTEGER
        case "number":
            return FieldKind.NUMBER
        case "string":
            return _text_kind(shape, value)
        case "object":
            return FieldKind.OBJECT if shape.get("properties") else None
        case "array":
            plain = isinstance(shape.get("items"), Mapping) and "prefixItems" not in shape
            return FieldKind.LIST if plain and (value is ABSENT or len(value) <= MAX_ENTRIES) else None
    return None


def disguised(text: str) -> bool:
    """Whether a text holds what an input would not show, or would not bring back."""
    return any(segment.marked for segment in reveal(text))


def _text_kind(shape: Mapping[str, Json], value: Json) -> FieldKind | None:
    if value is not ABSENT and disguised(value):
        return None
    long = value is not ABSENT and (len(value) > LONG or "\n" in value or "\r" in value)
    return FieldKind.LONG_TEXT if long or shape.get("maxLength", 0) > LONG else FieldKind.TEXT


def _same(one: Json, other: Json) -> bool:
    """Whether two JSON values are the same; ``true`` is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
