"""What a form sent, as arguments again.

A field that comes back as it was shown, or does not come back at all, keeps its value exactly: ``5`` stays an integer,
``5.0`` a float, a line end what it was. So a form never changes what nobody touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from assent.domain.canonical import Json
from assent.domain.catalogue import SECRET
from assent.domain.forms.model import ABSENT, OTHERS, REMOVE, Field, FieldKind, Form

MAX_DIGITS = 400
"""Characters of a number; longer ones are refused unread."""

MAX_ADDED = 100
"""Entries that one form may add to a list."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class FormResult:
    """What a form says.

    Attributes:
        arguments: The arguments; dots (``SECRET``) stand for secrets that stay as they are.
        faults: What could not be read, by the name of the field; the arguments count only without any.
    """

    arguments: dict[str, Json]
    faults: dict[str, str]


def read_form(form: Form, values: Mapping[str, str]) -> FormResult:
    """Read what a form sent.

    Args:
        form: As it was shown.
        values: Texts by field name, and by :data:`~assent.domain.forms.model.REMOVE` and the name of what is to be left
            out. A blank text leaves out what need not be there.

    Returns:
        The arguments. They still have to be held against the schema: a form reads kinds, not limits.
    """
    faults: dict[str, str] = {}
    arguments = _read_object(form.root, values, faults)
    return FormResult(arguments if isinstance(arguments, dict) else {}, faults)


def _read(field: Field, values: Mapping[str, str], faults: dict[str, str]) -> Json:
    """The value of a field, or :data:`~assent.domain.forms.model.ABSENT`."""
    if values.get(f"{REMOVE}{field.name}"):
        if field.required:
            faults[field.name] = "It cannot be left out."
        return ABSENT
    match field.kind:
        case FieldKind.OBJECT:
            return _read_object(field, values, faults)
        case FieldKind.LIST:
            return _read_list(field, values, faults)
        case FieldKind.SECRET:
            return _read_secret(field, values, faults)
    return _read_line(field, values, faults)


def _read_line(field: Field, values: Mapping[str, str], faults: dict[str, str]) -> Json:
    given = _plain(values.get(field.name, field.text))
    if given == _plain(field.text):
        if not field.present and field.required:
            faults[field.name] = "It is needed."
        return field.value if field.present else ABSENT
    if not given.strip() and not (field.required and field.kind in (FieldKind.TEXT, FieldKind.LONG_TEXT)):
        if field.nullable:
            return None
        if field.required:
            faults[field.name] = "It is needed."
        return ABSENT
    try:
        return _value(field.kind, field, given)
    except ValueError as error:
        faults[field.name] = str(error)
        return ABSENT


def _read_secret(field: Field, values: Mapping[str, str], faults: dict[str, str]) -> Json:
    given = _plain(values.get(field.name, ""))
    if not given:
        if not field.present and field.required:
            faults[field.name] = "It is needed."
        return SECRET if field.present else ABSENT
    kind = field.secret_kind
    try:
        return _value(kind if kind not in (FieldKind.OBJECT, FieldKind.LIST) else FieldKind.JSON, field, given)
    except ValueError:
        faults[field.name] = "It is not of the right kind."
        return ABSENT


def _read_object(field: Field, values: Mapping[str, str], faults: dict[str, str]) -> Json:
    inner: dict[str, str] = {}
    found: dict[str, Json] = {}
    for part in field.parts:
        if part.name.startswith(OTHERS):
            others = _read_others(part, values, inner)
            taken = {_own_name(other) for other in field.parts if not other.name.startswith(OTHERS)}
            if doubled := sorted(taken.intersection(others)):
                inner[part.name] = f"These have fields of their own: {', '.join(doubled)}."
            found |= {name: value for name, value in others.items() if name not in taken}
        elif (value := _read(part, values, inner)) is not ABSENT:
            found[_own_name(part)] = value
    if not found and (field.null or not field.present) and not _touched(field, values):
        if field.required and not field.present:
            faults[field.name] = "It is needed."
        return None if field.null else ABSENT
    faults |= inner
    names = [*(name for name in field.order if name in found), *(name for name in found if name not in field.order)]
    return {name: found[name] for name in names}


def _read_others(field: Field, values: Mapping[str, str], faults: dict[str, str]) -> dict[str, Json]:
    value = _read_line(field, values, faults)
    if value is ABSENT:
        return {}
    if not isinstance(value, dict):
        faults[field.name] = 'Write a JSON object, {"name": "value"}.'
        return {}
    return value


def _read_list(field: Field, values: Mapping[str, str], faults: dict[str, str]) -> Json:
    entries = [_read(part, values, faults) for part in field.parts]
    entries += [_read(part, values, faults) for part in _added(field, values)]
    found = [entry for entry in entries if entry is not ABSENT]
    if not found and (field.null or not field.present):
        if field.required and not field.present:
            faults[field.name] = "It is needed."
        return None if field.null else ABSENT
    return found


def _added(field: Field, values: Mapping[str, str]) -> list[Field]:
    """Entries that the form added: those of its places, from the first free one on, that something was written to."""
    if field.blank is None:
        return []
    places = set()
    for name, text in values.items():
        if text.strip():
            bare = name.removeprefix(OTHERS)
            place = bare.removeprefix(f"{field.name}/").split("/")[0] if bare.startswith(f"{field.name}/") else ""
            if place.isdecimal() and len(place) <= 6 and int(place) >= len(field.parts):
                places.add(int(place))
    blank = field.blank
    return [_moved(blank, blank.name, f"{field.name}/{place}") for place in sorted(places)[:MAX_ADDED]]


def _moved(field: Field, old: str, new: str) -> Field:
    """A field and everything in it, at another place."""
    others = OTHERS if field.name.startswith(OTHERS) else ""
    return replace(
        field,
        name=f"{others}{new}{field.name.removeprefix(others).removeprefix(old)}",
        parts=tuple(_moved(part, old, new) for part in field.parts),
        blank=None if field.blank is None else _moved(field.blank, old, new),
    )


def _touched(field: Field, values: Mapping[str, str]) -> bool:
    """Whether something was written into a group that is not there yet."""
    within, others = (f"{field.name}/", f"{OTHERS}{field.name}/"), f"{OTHERS}{field.name}"
    return any(text.strip() and (name == others or name.startswith(within)) for name, text in values.items())


def _own_name(part: Field) -> str:
    return part.name.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _value(kind: FieldKind, field: Field, text: str) -> Json:
    """A text as a value.

    Raises:
        ValueError: It is not of the kind; the message says what to write.
    """
    match kind:
        case FieldKind.CHOICE:
            for choice in field.choices:
                if choice.text and choice.text == text:
                    return choice.value
            raise ValueError("Choose one of the values.")
        case FieldKind.INTEGER:
            bare = text.strip()
            if len(bare) > MAX_DIGITS or not _INTEGER.fullmatch(bare):
                raise ValueError("Write a whole number such as 12, without separators.")
            return int(bare)
        case FieldKind.NUMBER:
            bare = text.strip()
            if len(bare) > MAX_DIGITS or not _NUMBER.fullmatch(bare):
                raise ValueError("Write a number such as 12.5, without separators.")
            return _finite(json.loads(bare))
        case FieldKind.JSON:
            return _json(text)
    return text


def _finite(number: Json) -> Json:
    if number in (float("inf"), float("-inf")):
        raise ValueError("The number is too large.")
    return number


def _json(text: str) -> Json:
    def refuse(word: str) -> Json:
        raise ValueError(f"{word} is no JSON.")

    try:
        return json.loads(text, parse_constant=refuse, parse_float=lambda number: _finite(float(number)))
    except json.JSONDecodeError as error:
        raise ValueError(f"This is no JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except RecursionError:
        raise ValueError("This is nested too deep.") from None


def _plain(text: str) -> str:
    """A text with plain line ends: browsers send others than they were given."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
