"""Conditions in CEL: what holds, and what counts as doubt."""

from __future__ import annotations

import pytest

from assent.policy.conditions import ConditionError, check_condition, holds


def asked(expression: str, **arguments: object) -> bool:
    return holds(expression, arguments=arguments, agent="clerk", run_id="run-1", reason="because")


@pytest.mark.parametrize("amount", [60, 60.0])
@pytest.mark.parametrize("limit", ["50", "50.0"])
def test_whole_numbers_and_fractions_compare(amount: float, limit: str) -> None:
    assert asked(f"args.amount > {limit}", amount=amount)
    assert not asked(f"args.amount < {limit}", amount=amount)


def test_agent_run_and_reason_can_be_named() -> None:
    assert asked('agent == "clerk" && run == "run-1" && reason.contains("cause")')


def test_a_number_beyond_sixty_four_bits_is_a_number_still() -> None:
    assert asked("args.amount > 1.0", amount=2**70)


@pytest.mark.parametrize("expression", ["args.missing > 1", "args.amount", "args.amount > 'much'"])
def test_what_gives_neither_true_nor_false_is_doubt(expression: str) -> None:
    with pytest.raises(ConditionError):
        asked(expression, amount=1)


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(ConditionError, match="not a CEL expression"):
        check_condition("args.amount >")
