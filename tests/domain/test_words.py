"""Figures read the same everywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assent.domain.words import counted, lasting, money, reached


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (65, "1 min 5 s"),
        (754, "12 min"),
        (7_500, "2 h 5 min"),
        (86_399, "23 h"),
        (90_000, "1 d 1 h"),
        (10 * 86_400 + 7_200, "10 d"),
    ],
)
def test_lengths_of_time(seconds: int, words: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == words


def test_numbers_and_nouns() -> None:
    assert counted(1, "effect") == "1 effect"
    assert counted(0, "effect") == "0 effects"
    assert counted(1_200, "person", "people") == "1,200 people"


def test_amounts() -> None:
    assert money(45) == "45.00"
    assert money(1_250.5) == "1,250.50"


def test_what_is_reached_counts_one_without_a_noun_for_one() -> None:
    assert reached({"recipients": 3, "boxes": 1, "order_lines": 1_200}) == "boxes: 1, 1,200 order lines, 3 recipients"
    assert reached({}) == ""
