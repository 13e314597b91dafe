"""Whether arguments fit the JSON Schema of their action type, place by place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jsonschema import Draft202012Validator
from jsonschema import ValidationError as JsonSchemaFault

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.forms import pointer
from assent.domain.paths import touches

_QUOTES_NAMES = {"required", "additionalProperties", "dependentRequired"}
"""Rules whose message names arguments without their values."""

_LONGEST = 300
"""Characters of a fault's message."""


def argument_faults(type: ActionType, arguments: Mapping[str, Json]) -> dict[str, str]:
    """What is wrong with arguments, a sentence for each place.

    Args:
        type: The action type.
        arguments: Whole, secrets included; no sentence quotes one.

    Returns:
        Sentences by JSON pointer, that of the whole being empty; nothing if the arguments fit.
    """
    faults: dict[str, str] = {}
    for error in Draft202012Validator(type.arguments).iter_errors(dict(arguments)):
        for place, sentence in _said(type, error):
            faults[place] = f"{faults[place]} {sentence}" if place in faults else sentence
    return faults


def _said(type: ActionType, error: JsonSchemaFault) -> Iterator[tuple[str, str]]:
    path = list(error.absolute_path)
    if error.validator == "required" and isinstance(error.instance, Mapping):
        needed: Sequence[str] = error.validator_value  # type: ignore[assignment]
        missing = [name for name in needed if name not in error.instance]
        yield from ((pointer([*path, name]), "It is needed.") for name in missing)
        return
    what = _short(error.message) if _quotable(type, error) else f"the rule {error.validator} is not met"
    yield pointer(path), f"It does not fit: {what}."


def _quotable(type: ActionType, error: JsonSchemaFault) -> bool:
    """Whether a message, which quotes the value, may be shown: it must not quote a secret."""
    if not type.secrets or error.validator in _QUOTES_NAMES:
        return True
    place = [str(part + 1) if isinstance(part, int) else str(part) for part in error.absolute_path]
    return bool(place) and not touches(place, type.secrets)


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}… ({len(message):,} characters)"
