"""Hypothesis strategies for JSON values."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from assent.domain.canonical import Json

MOST = 2**53 - 1
"""The greatest whole number that every JSON reader keeps exactly."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Text without half characters."""

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-MOST, MOST),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)

json_values: st.SearchStrategy[Json] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=15
)


@st.composite
def shuffled(draw: st.DrawFn, value: Json) -> Json:
    """An equal value whose keys come in another order."""
    if isinstance(value, dict):
        names = draw(st.permutations(list(value)))
        return {name: draw(shuffled(value[name])) for name in names}
    if isinstance(value, list):
        return [draw(shuffled(item)) for item in value]
    return value


unwritable: st.SearchStrategy[Any] = st.one_of(
    st.just(float("nan")),
    st.sampled_from([float("inf"), float("-inf")]),
    st.integers(min_value=MOST + 1),
    st.integers(max_value=-MOST - 1),
    st.characters(categories=["Cs"]),
    st.binary(),
    st.sets(st.integers()),
)
"""What canonical JSON cannot carry."""
