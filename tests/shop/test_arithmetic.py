"""The calculator takes sums and nothing else."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent_activities.connectors.contract import ActionFailed
from assent_shop.arithmetic import calculate


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("3131.1 + 4777.75 + 367.38", 8276.23),
        ("2 + 3 * 4 - 8 / 4", 12),
        ("(2+3)*-4", -20),
        ("--.5", 0.5),
        (" 7 ", 7),
        ("8 / 2 / 2", 2),
    ],
)
def test_sums(expression: str, value: float) -> None:
    assert calculate(expression) == pytest.approx(value)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "2 +",
        "(2",
        "2)",
        "2 3",
        "1/0",
        "2 ** 3",
        "x",
        "__import__('os')",
        "1e9",
        "9" * 501,
        "9" * 400,
        "9" * 200 + "*" + "9" * 200,
        "٣ + 1",
    ],
)
def test_what_is_no_sum_is_refused(expression: str) -> None:
    with pytest.raises(ActionFailed):
        calculate(expression)


@given(st.text("0123456789.+-*/() x", max_size=60))
def test_nothing_else_happens_to_any_text(text: str) -> None:
    with contextlib.suppress(ActionFailed):
        assert math.isfinite(calculate(text))
