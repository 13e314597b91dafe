"""Canonical JSON: equal values give equal bytes, bytes give the value back, and what cannot be carried is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.canonical import Json, canonical_json, digest_of, stable_text
from assent.domain.errors import InvalidInput
from tests.domain.json_values import json_values, scalars, shuffled, texts, unwritable


def read(text: bytes) -> Json:
    """Read JSON as most of the world does, every number as a double."""
    return json.loads(text, parse_int=float)


@given(json_values)
def test_the_bytes_give_the_value_back(value: Json) -> None:
    assert read(canonical_json(value)) == value


@given(st.data(), json_values)
def test_the_order_of_keys_does_not_matter(data: st.DataObject, value: Json) -> None:
    other = data.draw(shuffled(value))
    assert canonical_json(other) == canonical_json(value)
    assert digest_of(other) == digest_of(value)
    assert stable_text(other) == stable_text(value)


@given(json_values, json_values)
def test_equal_bytes_mean_equal_values(one: Json, other: Json) -> None:
    if canonical_json(one) == canonical_json(other):
        assert one == other


@given(st.dictionaries(texts, scalars, min_size=1), scalars)
def test_a_changed_field_changes_the_digest(record: dict[str, Json], value: Json) -> None:
    name = next(iter(record))
    changed = {**record, name: value}
    same = canonical_json(record[name]) == canonical_json(value)
    assert (digest_of(changed) == digest_of(record)) is same


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_whole_number_is_the_same_as_a_fraction_of_its_size(number: int) -> None:
    assert canonical_json(number) == canonical_json(float(number))


@pytest.mark.parametrize("wrap", [lambda bad: bad, lambda bad: [1, bad], lambda bad: {"a": {"b": [bad]}}])
@given(bad=unwritable)
def test_what_cannot_be_carried_is_refused(wrap: Any, bad: Any) -> None:
    with pytest.raises(InvalidInput, match="canonical JSON"):
        canonical_json(wrap(bad))


def test_other_keys_than_text_are_refused() -> None:
    for key in (1, None, (1, 2), "\ud800"):
        with pytest.raises(InvalidInput):
            canonical_json({key: "x"})


def test_nesting_without_end_is_refused() -> None:
    deep: Json = "the bottom"
    for _ in range(100_000):
        deep = [deep]
    for write in (canonical_json, stable_text):
        with pytest.raises(InvalidInput):
            write(deep)


@given(json_values)
def test_stable_text_gives_the_value_back(value: Json) -> None:
    assert json.loads(stable_text(value)) == value


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_stable_text_refuses_numbers_without_end(number: float) -> None:
    with pytest.raises(InvalidInput):
        stable_text({"a": [number]})
