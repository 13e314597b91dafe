"""A before/after table tells every difference and only differences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assent.domain.differences import Change, differences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, max_size=4)
    ),
    max_leaves=15,
)
RECORD = st.dictionaries(st.text("xyz", min_size=1, max_size=2), JSON, min_size=1, max_size=4)


def _told(before: object, after: object) -> set[tuple[str, str]]:
    return {(".".join(field.path), field.change.value) for field in differences(before, after)}


@given(RECORD)
def test_a_value_does_not_differ_from_itself(value: dict[str, object]) -> None:
    assert {field.change for field in differences(value, value)} <= {Change.SAME}


@given(RECORD, RECORD)
def test_different_values_differ_somewhere(before: dict[str, object], after: dict[str, object]) -> None:
    changed = any(field.change is not Change.SAME for field in differences(before, after))
    assert changed == (repr(_sorted(before)) != repr(_sorted(after)))


def test_nested_fields() -> None:
    before = {"status": "pending", "address": {"city": "Oslo", "zip": "0150"}, "items": [{"id": 1, "price": 5}]}
    after = {"status": "cancelled", "address": {"city": "Oslo", "zip": "0151"}, "items": [{"id": 1, "price": 5}]}
    assert _told(before, after) == {
        ("status", "changed"),
        ("address.city", "same"),
        ("address.zip", "changed"),
        ("items.1.id", "same"),
        ("items.1.price", "same"),
    }


def test_an_entry_put_in_front_is_one_difference() -> None:
    assert _told({"tags": ["b", "c"]}, {"tags": ["a", "b", "c"]}) == {
        ("tags.1", "added"),
        ("tags.2", "same"),
        ("tags.3", "same"),
    }


def test_records_that_come_and_go() -> None:
    assert _told(None, {"a": 1, "b": {"c": []}}) == {("a", "added"), ("b.c", "added")}
    assert _told({"a": 1}, None) == {("a", "removed")}
    assert _told(None, None) == {("", "same")}
    assert _told(None, 5) == {("", "changed")}


def test_a_truth_value_is_not_a_number() -> None:
    assert _told({"a": True}, {"a": 1}) == {("a", "changed")}
    assert _told({"a": 1}, {"a": 1.0}) == {("a", "same")}


def test_very_deep_and_very_long_values_are_still_compared() -> None:
    deep: object = "bottom"
    for _ in range(60):
        deep = {"in": deep}
    assert any(field.change is Change.CHANGED for field in differences(deep, {"in": {"in": {"in": "no"}}}))
    longer = differences(list(range(1_000)), [*range(999), -1])
    assert [field.after for field in longer if field.change is Change.CHANGED] == [-1]


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value
