"""Sentences of action types, filled with the arguments of an action."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assent.domain import paths
from assent.domain.canonical import Json, canonical_json
from assent.domain.catalogue import ActionType, without_secrets
from assent.domain.errors import InvalidInput
from assent.domain.money import currency_of, number_of_money

_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill(template: str, type: ActionType, arguments: Mapping[str, Json]) -> str:
    """Replace ``{argument}`` by its value; a missing one by an ellipsis, a secret one by dots.

    Money that is a fraction is written with the decimals of its currency. The values are the agent's words: whoever
    shows the sentence escapes it.
    """
    shown = redacted(type, arguments) if type.secrets else arguments

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in shown:
            return "…"
        fraction = isinstance(shown[name], float) and (name == type.amount or paths.matches((name,), type.money))
        amount = number_of_money(shown[name], currency_of_call(type, arguments)) if fraction else None
        return _plain(shown[name]) if amount is None else amount

    return _FIELD.sub(value, template)


def currency_of_call(type: ActionType, arguments: Mapping[str, Json]) -> str:
    """The currency of a call's money, as its type or its arguments say; empty if neither does."""
    named = _FIELD.fullmatch(type.currency)
    code = arguments.get(named[1], "") if named else type.currency
    return currency_of(code) if isinstance(code, str) else ""


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
