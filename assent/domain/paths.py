"""Paths into JSON values, as declarations name them: ``amount``, ``items.*.price``, ``**.password``.

A path is names and positions joined by dots. ``*`` stands for any one of them, ``**`` for any number of them. A name
that has a dot itself can only be reached by a star.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from assent.domain.canonical import Json

ANY = "*"
ANY_DEPTH = "**"


def matches(path: Sequence[str], patterns: Collection[str]) -> bool:
    """Whether any of the patterns names this place."""
    return any(_fits(list(path), pattern.split(".")) for pattern in patterns)


def touches(path: Sequence[str], patterns: Collection[str]) -> bool:
    """Whether a value at this place is, holds or lies within anything that the patterns name."""
    return any(_meets(list(path), pattern.split(".")) for pattern in patterns)


def replaced(value: Json, patterns: Collection[str], by: Callable[[Json], Json]) -> Json:
    """A copy of a value with everything that the patterns name replaced; the parts they do not reach are shared.

    Args:
        value: Any JSON value.
        patterns: Paths from its top.
        by: Gives what takes a value's place.
    """
    return _replaced(value, [pattern.split(".") for pattern in patterns], by) if patterns else value


def found(value: Json, pattern: str) -> Iterator[Json]:
    """Every value that a path names, in order; nothing if there is none."""
    yield from _found(value, pattern.split("."))


def _fits(path: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == ANY_DEPTH:
        return any(_fits(path[skipped:], pattern[1:]) for skipped in range(len(path) + 1))
    return bool(path) and pattern[0] in (ANY, path[0]) and _fits(path[1:], pattern[1:])


def _meets(path: list[str], pattern: list[str]) -> bool:
    if not path or not pattern or pattern[0] == ANY_DEPTH:
        return True
    return pattern[0] in (ANY, path[0]) and _meets(path[1:], pattern[1:])


def _replaced(value: Json, patterns: list[list[str]], by: Callable[[Json], Json]) -> Json:
    if any(all(part == ANY_DEPTH for part in pattern) for pattern in patterns):
        return by(value)
    if isinstance(value, Mapping):
        inner = {name: _below(name, patterns) for name in value}
        if not any(inner.values()):
            return value
        return {name: _replaced(item, inner[name], by) if inner[name] else item for name, item in value.items()}
    if isinstance(value, list):
        places = [_below(str(place), patterns) for place in range(1, len(value) + 1)]
        if not any(places):
            return value
        return [_replaced(item, below, by) if below else item for item, below in zip(value, places, strict=True)]
    return value


def _found(value: Json, pattern: list[str]) -> Iterator[Json]:
    if not pattern:
        yield value
        return
    if pattern[0] == ANY_DEPTH:
        yield from _found(value, pattern[1:])
    for name, item in _members(value):
        if pattern[0] == ANY_DEPTH:
            yield from _found(item, pattern)
        elif pattern[0] in (ANY, name):
            yield from _found(item, pattern[1:])


def _members(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(place), item) for place, item in enumerate(value, start=1))


def _below(name: str, patterns: list[list[str]]) -> list[list[str]]:
    """What the patterns say one step further down; one that has come to its end is left as ``**``, which takes all."""
    below: list[list[str]] = []
    for pattern in patterns:
        if pattern[0] == ANY_DEPTH:
            below += [pattern, *_below(name, [pattern[1:]])] if pattern[1:] else [pattern]
        elif pattern[0] in (ANY, name):
            below.append(pattern[1:] or [ANY_DEPTH])
    return below
