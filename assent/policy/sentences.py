"""Sentences of action types, filled with the arguments of an action."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assent.domain.canonical import Json, canonical_json
from assent.domain.catalogue import SECRET, ActionType, without_secrets
from assent.domain.errors import InvalidInput

_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill(template: str, type: ActionType, arguments: Mapping[str, Json]) -> str:
    """Replace ``{argument}`` by its value; a missing one by an ellipsis, a secret one by dots.

    The values are the agent's words: whoever shows the sentence escapes it.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in type.secrets:
            return SECRET
        return _plain(arguments[name]) if name in arguments else "…"

    return _FIELD.sub(value, template)


def redacted(type: ActionType, arguments: Mapping[str, Json]) -> dict[str, Json]:
    """Arguments with declared secrets replaced."""
    return without_secrets(arguments, type.secrets)


def _plain(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(str(item) for item in value)
    try:
        return canonical_json(value).decode()
    except InvalidInput:
        return str(value)
