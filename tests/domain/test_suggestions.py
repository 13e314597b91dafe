"""What figures suggest, at the thresholds and beside them; and how a check is made of a call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assent.domain.catalogue import ActionType, UndoDeclaration
from assent.domain.checks import drawn, replaced
from assent.domain.quality import Figures
from assent.domain.suggestions import Direction, suggest
from assent.domain.tiers import Risk, Tier
from assent.policy.checks_block import Variation

PAY = ActionType(
    name="desk.pay", title="Pay", sentence="Pay", arguments={"type": "object"}, undo=UndoDeclaration(sentence="Back")
)
GOOD = Figures(asked=50, approved=50, votes=50, timed=20, hasty=5, ran=50, undone=2)


def _direction(figures: Figures, tier: Tier = Tier.APPROVE, declared: ActionType = PAY) -> Direction | None:
    found = suggest("clerk", declared, tier, figures)
    return found.direction if found else None


def test_what_is_always_approved_after_reading_could_run() -> None:
    found = suggest("clerk", PAY, Tier.APPROVE, GOOD)
    assert found is not None
    assert (found.direction, found.tier) == (Direction.FREER, Tier.AUTO)
    assert "15 of 20 approvals with a known time took as long as reading takes." in found.evidence
    assert found.change == "actions:\n  desk.pay:\n    tier: auto\n"


@pytest.mark.parametrize(
    "figures",
    [
        replace(GOOD, approved=49),
        replace(GOOD, changed=1),
        replace(GOOD, unknown=1),
        replace(GOOD, undone=3),
        replace(GOOD, hasty=6),
    ],
    ids=["too few", "one was changed", "one is unknown", "too many undone", "hardly read"],
)
def test_one_doubt_is_enough_to_keep_asking(figures: Figures) -> None:
    assert _direction(figures) is None


def test_what_cannot_be_undone_or_is_hard_to_reverse_keeps_asking() -> None:
    assert _direction(GOOD, declared=PAY.model_copy(update={"undo": None})) is None
    assert _direction(GOOD, declared=PAY.model_copy(update={"risks": frozenset({Risk.IRREVERSIBLE})})) is None
    assert _direction(GOOD, declared=PAY.model_copy(update={"risks": frozenset({Risk.MONEY})})) is Direction.FREER


@pytest.mark.parametrize("tier", [Tier.AUTO, Tier.VETO])
def test_what_runs_and_is_undone_or_unknown_should_ask(tier: Tier) -> None:
    assert _direction(Figures(ran=20, undone=1), tier) is None
    assert _direction(Figures(ran=20, undone=2), tier) is Direction.STRICTER
    assert _direction(Figures(ran=19, undone=5), tier) is None
    assert _direction(Figures(ran=99, unknown=1), tier) is None
    assert _direction(Figures(ran=98, unknown=2), tier) is Direction.STRICTER


def test_what_people_change_or_refuse_too_often_should_only_suggest() -> None:
    assert _direction(Figures(approved=14, refused=6, changed=6)) is None
    found = suggest("clerk", PAY, Tier.APPROVE, Figures(approved=13, refused=7, changed=7))
    assert found is not None
    assert found.tier is Tier.SUGGEST
    assert _direction(Figures(approved=10, refused=9, changed=9)) is None
    assert _direction(GOOD, Tier.SUGGEST) is None


def test_a_variation_changes_what_it_names_or_gives_nothing() -> None:
    larger = Variation(action="desk.pay", because="Much.", multiply={"amount": 20})
    assert larger.of({"to": "bob", "amount": 2.5}) == {"to": "bob", "amount": 50.0}
    assert larger.of({"to": "bob", "amount": 2}) == {"to": "bob", "amount": 40}
    assert larger.of({"to": "bob", "amount": "2"}) is None
    assert larger.of({"to": "bob", "amount": True}) is None
    assert larger.of({"to": "bob"}) is None
    assert larger.of({"amount": 0}) is None
    other = Variation(action="desk.pay", because="Other.", set={"to": "mallory"})
    assert other.of({"to": "bob"}) == {"to": "mallory"}
    assert other.of({"to": "mallory"}) is None


def test_records_show_the_new_value_where_they_showed_the_old() -> None:
    record = {"to": "bob", "sum": 40.0, "paid": True, "list": ["bob", 41, {"n": 40}]}
    assert replaced(record, [(40, 800), ("bob", "eve")]) == {
        "to": "eve",
        "sum": 800,
        "paid": True,
        "list": ["eve", 41, {"n": 800}],
    }
    assert replaced(True, [(1, 2)]) is True


@pytest.mark.parametrize("one_in", [20, 50, 200])
def test_about_one_in_so_many_draws(one_in: int) -> None:
    number = sum(drawn(f"run-{each}:a", one_in) for each in range(20_000))
    assert 0.5 < number * one_in / 20_000 < 1.7
    assert drawn("run-1:a", one_in) == drawn("run-1:a", one_in)
