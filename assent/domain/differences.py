"""What differs between two JSON values, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple

from assent.domain.canonical import Json

MAX_DEPTH = 20
"""Deeper values are compared as a whole."""

MAX_ALIGNED = 400
"""Longer lists are compared place by place instead of being aligned."""


class Change(StrEnum):
    """What became of a field."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


class FieldChange(NamedTuple):
    """One field, with its content before and after (``None`` where it did not exist).

    Attributes:
        path: Names and one-based positions that lead to it; empty for the value as a whole.
        change: What became of it.
        before: Content before.
        after: Content after.
    """

    path: tuple[str, ...]
    change: Change
    before: Json
    after: Json


def differences(before: Json, after: Json) -> list[FieldChange]:
    """Compare two values down to their smallest parts.

    Lists are aligned, so that an entry put in front changes one field and not all of them. A record that did not
    exist (``None``) gives an added or removed field for each of the other's.

    Returns:
        Every field once, unchanged ones too, in the order of the value after.
    """
    if before is None and isinstance(after, Mapping) and after:
        return [FieldChange(path, Change.ADDED, None, value) for path, value in _leaves((), after)]
    if after is None and isinstance(before, Mapping) and before:
        return [FieldChange(path, Change.REMOVED, value, None) for path, value in _leaves((), before)]
    return list(_compare((), before, after))


def _compare(path: tuple[str, ...], before: Json, after: Json) -> Iterator[FieldChange]:
    if len(path) < MAX_DEPTH:
        if isinstance(before, Mapping) and isinstance(after, Mapping) and (before or after):
            yield from _compare_fields(path, before, after)
            return
        if isinstance(before, list) and isinstance(after, list) and (before or after):
            yield from _compare_entries(path, before, after)
            return
    yield FieldChange(path, Change.SAME if _equal(before, after) else Change.CHANGED, before, after)


def _compare_fields(
    path: tuple[str, ...], before: Mapping[str, Json], after: Mapping[str, Json]
) -> Iterator[FieldChange]:
    for name, value in after.items():
        if name in before:
            yield from _compare((*path, name), before[name], value)
        else:
            yield from _whole((*path, name), value, Change.ADDED)
    for name, value in before.items():
        if name not in after:
            yield from _whole((*path, name), value, Change.REMOVED)


def _compare_entries(path: tuple[str, ...], before: Sequence[Json], after: Sequence[Json]) -> Iterator[FieldChange]:
    for old, new in _aligned(before, after):
        if old is None and new is not None:
            yield from _whole((*path, str(new + 1)), after[new], Change.ADDED)
        elif new is None and old is not None:
            yield from _whole((*path, str(old + 1)), before[old], Change.REMOVED)
        elif old is not None and new is not None:
            yield from _compare((*path, str(new + 1)), before[old], after[new])


def _aligned(before: Sequence[Json], after: Sequence[Json]) -> Iterator[tuple[int | None, int | None]]:
    if len(before) + len(after) > MAX_ALIGNED:
        yield from _side_by_side(0, len(before), 0, len(after))
        return
    old = [_written(value) for value in before]
    new = [_written(value) for value in after]
    for _, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield from _side_by_side(i1, i2, j1, j2)


def _side_by_side(i1: int, i2: int, j1: int, j2: int) -> Iterator[tuple[int | None, int | None]]:
    for step in range(max(i2 - i1, j2 - j1)):
        yield (i1 + step if i1 + step < i2 else None), (j1 + step if j1 + step < j2 else None)


def _whole(path: tuple[str, ...], value: Json, change: Change) -> Iterator[FieldChange]:
    for place, leaf in _leaves(path, value):
        yield FieldChange(
            place,
            change,
            leaf if change is Change.REMOVED else None,
            leaf if change is Change.ADDED else None,
        )


def _leaves(path: tuple[str, ...], value: Json) -> Iterator[tuple[tuple[str, ...], Json]]:
    if len(path) < MAX_DEPTH and value:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield from _leaves((*path, name), inner)
            return
        if isinstance(value, list):
            for place, inner in enumerate(value, start=1):
                yield from _leaves((*path, str(place)), inner)
            return
    yield path, value


def _equal(before: Json, after: Json) -> bool:
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    return _written(before) == _written(after) if _nested(before) else bool(before == after)


def _nested(value: Json) -> bool:
    return isinstance(value, Mapping | list)


def _written(value: Json) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
