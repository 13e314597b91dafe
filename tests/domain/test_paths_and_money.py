"""Declared paths into values, and money written exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain import paths
from assent.domain.canonical import Json
from assent.domain.catalogue import SECRET, SECRET_CHANGED, as_kept, changes_without_secrets, without_secrets
from assent.domain.effects import ResourceChange
from assent.domain.money import money_text, number_of_money
from tests.domain.json_values import json_values

VALUE = {"a": {"b": 1, "c": [{"d": 2}, {"d": 3, "e": 4}]}, "d": 5}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("d", [5]),
        ("a.b", [1]),
        ("a.c.*.d", [2, 3]),
        ("a.c.2.e", [4]),
        ("**.d", [2, 3, 5]),
        ("*.b", [1]),
        ("a.nothing", []),
        ("d.deeper", []),
    ],
)
def test_a_path_names_values(pattern: str, found: list[Json]) -> None:
    assert sorted(paths.found(VALUE, pattern)) == found
    hidden = paths.replaced(VALUE, [pattern], lambda _: SECRET)
    assert str(hidden).count(SECRET) == len(found)
    assert (hidden == VALUE) == (not found)


@given(value=json_values, name=st.sampled_from(["a", "b", "0", "key"]))
def test_nothing_that_a_path_names_is_left_at_any_depth(value: Json, name: str) -> None:
    hidden = paths.replaced({"top": value}, [f"**.{name}"], lambda _: SECRET)
    assert all(each == SECRET for each in paths.found(hidden, f"**.{name}"))


def test_secrets_of_arguments_and_records() -> None:
    assert without_secrets({"a": 1, "b": {"c": [2]}}, {"b.c.*"}) == {"a": 1, "b": {"c": [SECRET]}}
    assert without_secrets({"a": 1, "b": 2}, {"**"}) == {"a": SECRET, "b": SECRET}
    assert without_secrets({"a": 1}, ()) == {"a": 1}
    change = ResourceChange(resource="r", before={"pin": 1, "n": 1}, after={"pin": 2, "n": 1})
    (hidden,) = changes_without_secrets([change], {"pin"})
    assert (hidden.before, hidden.after) == ({"pin": SECRET, "n": 1}, {"pin": SECRET_CHANGED, "n": 1})
    assert as_kept(hidden.after) == as_kept(hidden.before)
    (same,) = changes_without_secrets([change.model_copy(update={"after": change.before})], {"pin"})
    assert same.before == same.after == {"pin": SECRET, "n": 1}
    (created,) = changes_without_secrets([change.model_copy(update={"before": None})], {"pin"})
    assert (created.before, created.after) == (None, {"pin": SECRET, "n": 1})


@pytest.mark.parametrize(
    ("path", "patterns", "touched"),
    [
        (["card"], {"card.number"}, True),
        (["card", "number", "1"], {"card.number"}, True),
        (["card", "holder"], {"card.number"}, False),
        (["items", "3"], {"items.*.token"}, True),
        (["anything"], {"**.pin"}, True),
        ([], {"a"}, True),
    ],
)
def test_what_holds_or_lies_within_a_secret(path: list[str], patterns: set[str], touched: bool) -> None:
    assert paths.touches(path, patterns) is touched


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (4.969999999999999, "USD", "USD 4.97"),
        (0.1 + 0.2, "EUR", "EUR 0.30"),
        (4.965, "USD", "USD 4.965"),
        (10_000_000.0041, "USD", "USD 10,000,000.0041"),
        (1250, "JPY", "JPY 1,250"),
        (1.5, "KWD", "KWD 1.500"),
        (-4.2, "", "-4.20"),
        (-0.0, "", "0.00"),
        ("12.30", "USD", "USD 12.30"),
        ("twelve", "USD", None),
        (True, "USD", None),
        (float("nan"), "USD", None),
        (None, "USD", None),
        (10**2_000, "USD", None),
    ],
)
def test_money_is_exact(amount: Json, currency: str, text: str | None) -> None:
    assert money_text(amount, currency) == text


@given(cents=st.integers(-(10**14), 10**14))
def test_whole_cents_survive_floating_point_noise(cents: int) -> None:
    written = number_of_money(cents / 100 if abs(cents) < 10**11 else f"{Decimal(cents) / 100:f}")
    assert written is not None
    assert Decimal(written.replace(",", "")) == Decimal(cents) / 100


@given(amount=st.floats(-1e9, 1e9))
def test_what_is_written_is_never_further_off_than_noise(amount: float) -> None:
    written = number_of_money(amount)
    assert written is not None
    off = abs(Decimal(written.replace(",", "")) - Decimal(amount))
    assert off <= max(Decimal("2e-9"), Decimal("2e-14") * abs(Decimal(amount)))
