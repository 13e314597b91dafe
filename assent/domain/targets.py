"""The record that an action is about, by the name that its type declares."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assent.domain.canonical import Json, canonical_json
from assent.domain.errors import InvalidInput

_FIELD = re.compile(r"\{([^{}]+)\}")


def resource_named(template: str, arguments: Mapping[str, Json]) -> str:
    """A record's stable name: ``shop/orders/{order_id}`` with the argument in its place.

    Returns:
        The name; empty if an argument that it needs is missing or cannot be written.
    """
    if any(name not in arguments for name in _FIELD.findall(template)):
        return ""
    try:
        return _FIELD.sub(lambda match: _written(arguments[match[1]]), template)
    except InvalidInput:
        return ""


def _written(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(str(item) for item in value)
    return canonical_json(value).decode()
