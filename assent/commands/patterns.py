"""Patterns over arguments as people type them: ``to=bob``, ``amount<=50``, ``id^=W``, ``note=*``, ``to in ["a"]``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from pydantic import ValidationError

from assent.domain.canonical import Json
from assent.domain.errors import InvalidInput
from assent.domain.grants import Pattern, PatternKind

HELP = (
    "What an argument may be: to=bob, 'amount<=50', 'amount>=1', 'id^=W', 'note=*', 'to in [\"a\",\"b\"]'. Repeatable."
)

_WHERE = "--where"
_TERM = re.compile(r"\s*([^\s<>=^]+?)\s*(<=|>=|\^=|=|\sin\s)\s*(.*)", re.DOTALL)
_FORMS = "It looks like to=bob, 'amount<=50', 'id^=W', 'note=*' or 'to in [\"a\",\"b\"]'."


def read_patterns(terms: Sequence[str]) -> dict[str, Pattern]:
    """Read patterns, one term each; a smallest and a greatest number of one argument make one range.

    Raises:
        InvalidInput: A term cannot be read, or two contradict each other.
    """
    found: dict[str, Pattern] = {}
    for term in terms:
        match = _TERM.fullmatch(term)
        if match is None:
            raise InvalidInput(f"{term!r} says nothing about an argument.", where=_WHERE, todo=_FORMS)
        name, sign, text = match[1], match[2].strip(), match[3].strip()
        try:
            found[name] = _merged(found.get(name), _pattern(sign, text))
        except (ValidationError, ValueError) as error:
            raise InvalidInput(f"{term!r} cannot be read.", where=_WHERE, todo=_FORMS) from error
    return found


def _pattern(sign: str, text: str) -> Pattern:
    match sign:
        case "<=":
            return Pattern(kind=PatternKind.RANGE, max=float(text))
        case ">=":
            return Pattern(kind=PatternKind.RANGE, min=float(text))
        case "^=":
            return Pattern(kind=PatternKind.PREFIX, prefix=text)
        case "in":
            values = json.loads(text)
            if not isinstance(values, list):
                raise ValueError("not a list")
            return Pattern(kind=PatternKind.ONE_OF, values=values)
    if text == "*":
        return Pattern(kind=PatternKind.ANY)
    return Pattern(kind=PatternKind.IS, values=[_value(text)])


def _value(text: str) -> Json:
    """A JSON value where it is one, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _merged(before: Pattern | None, now: Pattern) -> Pattern:
    if before is None:
        return now
    both_ranges = before.kind is now.kind is PatternKind.RANGE
    if not both_ranges or (before.min is None) == (now.min is None):
        raise ValueError("said twice")
    low = before.min if before.min is not None else now.min
    high = before.max if before.max is not None else now.max
    return Pattern(kind=PatternKind.RANGE, min=low, max=high)
