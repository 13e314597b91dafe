"""References of a plan's action to the results of earlier ones: ``{"$ref": "key.path.to.value"}``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from assent.domain.actions import ProposedAction
from assent.domain.canonical import Json
from assent.domain.errors import InvalidInput

REFERENCE = "$ref"
_PLACE = re.compile("[0-9]{1,9}")
"""A place in a list; ``str.isdigit`` allows more than ``int`` can read."""


def referred_keys(value: Json) -> set[str]:
    """Keys of the actions whose results a value refers to."""
    if isinstance(value, dict):
        if set(value) == {REFERENCE} and isinstance(value[REFERENCE], str):
            return {value[REFERENCE].split(".", 1)[0]}
        return set().union(*(referred_keys(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(referred_keys(item) for item in value))
    return set()


def resolve(value: Json, results: Mapping[str, Json]) -> Json:
    """Replace every reference by what it refers to.

    Raises:
        InvalidInput: A result has nothing at that path.
    """
    if isinstance(value, dict):
        if set(value) == {REFERENCE} and isinstance(value[REFERENCE], str):
            return _follow(value[REFERENCE], results)
        return {name: resolve(item, results) for name, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, results) for item in value]
    return value


def _follow(path: str, results: Mapping[str, Json]) -> Json:
    key, *parts = path.split(".")
    if key not in results:
        raise InvalidInput(f"There is no result of {key}.", where=f"$ref {path}")
    found = results[key]
    for part in parts:
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and _PLACE.fullmatch(part) and int(part) < len(found):
            found = found[int(part)]
        else:
            raise InvalidInput(f"The result of {key} has no {part}.", where=f"$ref {path}")
    return found


def dependencies(plan: list[ProposedAction]) -> dict[str, set[str]]:
    """What each action of a plan waits for: what it names, what it refers to, else the one before it.

    Raises:
        InvalidInput: Two actions share a key, one names an unknown key, or they wait for each other in a circle.
    """
    known = [action.key for action in plan]
    if doubled := sorted(key for key, count in Counter(known).items() if count > 1):
        raise InvalidInput(
            f"Several actions have the key {', '.join(doubled)}.",
            where="plan",
            todo="Give each action of a plan a key of its own.",
        )
    all_keys = set(known)
    waits: dict[str, set[str]] = {}
    for index, action in enumerate(plan):
        named = set(action.after) if action.after is not None else set(known[max(index - 1, 0) : index])
        waits[action.key] = named | referred_keys(action.arguments)
        if unknown := waits[action.key] - all_keys:
            raise InvalidInput(
                f"The action {action.key} waits for {', '.join(sorted(unknown))}, which the plan does not have.",
                where=f"plan.{action.key}",
                todo="Name keys of actions in the same plan.",
            )
    _refuse_circles(waits)
    return waits


def _refuse_circles(waits: Mapping[str, set[str]]) -> None:
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        raise InvalidInput(
            f"These actions wait for each other in a circle: {', '.join(error.args[1])}.",
            where="plan",
            todo="Break the circle in `after` or in the references.",
        ) from error
