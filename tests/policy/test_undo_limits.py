"""What a card lets be undone without approval: by a rollback, and by all of the last while together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assent.domain.errors import BrokenCard
from assent.domain.people import SYSTEM
from assent.domain.rollback_approval import EarlierUndo, RollbackRules
from assent.domain.rollbacks import RollbackTotals
from assent.domain.undo_steps import Undoable, UndoStep
from assent.policy.cards import AgentCard, read_card
from assent.policy.undoing import longest_window, rollback_rules
from tests.desk import CARD

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def card(block: str, name: str = "desk-clerk") -> AgentCard:
    return read_card(CARD.replace("name: desk-clerk", f"name: {name}") + f"rollback: {{{block}}}\n")


def totals(effects: int, *amounts: float, agent: str = "desk-clerk", conflicts: int = 0) -> RollbackTotals:
    found = RollbackTotals()
    for number in range(effects + conflicts):
        found.add(
            UndoStep(
                action_id=f"run:{number}",
                sentence="x",
                verdict=Undoable.YES if number < effects else Undoable.CONFLICT,
                agent=agent,
                amount=amounts[number] if number < len(amounts) else None,
                currency="USD",
            )
        )
    return found


def earlier(found: RollbackTotals, *, by: str = "ann", ago: int = 10, under_way: bool = False) -> EarlierUndo:
    return EarlierUndo(by=by, at=NOON - timedelta(minutes=ago), under_way=under_way, totals=found)


def of_the_same_pause(found: RollbackTotals) -> EarlierUndo:
    return EarlierUndo(by=SYSTEM.id, at=NOON - timedelta(days=30), under_way=False, totals=found, together=True)


def weighed(cards: list[AgentCard], whole: RollbackTotals, *before: EarlierUndo, by: str = "ann") -> RollbackRules:
    return rollback_rules(cards, whole, requester=by, requester_mailbox="", asked_at=NOON, earlier=before)


def test_what_was_undone_in_the_last_hour_counts_towards_the_effects() -> None:
    clerk = card("effects: 100")
    before = [earlier(totals(50)), earlier(totals(20, conflicts=10))]
    assert not weighed([clerk], totals(20), *before).needed
    rules = weighed([clerk], totals(30), *before)
    assert rules.because == [
        "It undoes 30 effects, 110 with the 80 of the last hour; the card of The desk clerk lets 100 effects be undone "
        "without approval."
    ]
    assert rules.words == "one approver"


def test_what_was_undone_in_the_last_hour_counts_towards_the_money() -> None:
    clerk = card("money: {USD: 100}")
    rules = weighed([clerk], totals(1, 30), earlier(totals(1, 80)))
    assert rules.because == [
        "It takes back USD 30.00, USD 110.00 with the USD 80.00 of the last hour; the card of The desk clerk lets "
        "USD 100.00 be taken back without approval."
    ]
    assert not weighed([clerk], totals(1), earlier(totals(1, 100))).needed


@pytest.mark.parametrize("window", ["0s", "1h"])
def test_money_of_the_same_pause_counts_whatever_the_window_and_its_effects_once(window: str) -> None:
    clerk = card(f"effects: 10, money: {{USD: 100}}, window: {window}")
    # Seven effects are those of all rollbacks of the pause.
    whole = totals(1, 30).among(7)
    before = [of_the_same_pause(totals(3, 20, 20, 20)), of_the_same_pause(totals(3, agent="other"))]
    assert not weighed([clerk], whole, *before).needed
    rules = weighed([clerk], whole, *before, of_the_same_pause(totals(1, 20)))
    assert rules.because == [
        "It takes back USD 30.00, USD 110.00 with the USD 80.00 of the same pause; the card of The desk clerk lets "
        "USD 100.00 be taken back without approval."
    ]


def test_what_the_same_pause_and_what_the_last_hour_took_back_is_added_up() -> None:
    clerk = card("money: {USD: 100}")
    rules = weighed([clerk], totals(1, 30), of_the_same_pause(totals(1, 40)), earlier(totals(1, 40)))
    assert "USD 110.00 with the USD 80.00 of the last hour and the same pause" in rules.because[0]


@pytest.mark.parametrize(
    ("before", "counts"),
    [
        (earlier(totals(80)), True),
        (earlier(totals(80), by="ben"), True),
        (earlier(totals(80, agent="other")), True),
        (earlier(totals(80, agent="other"), by="ben"), False),
        (earlier(totals(80), ago=59), True),
        (earlier(totals(80), ago=60), False),
        (earlier(totals(80), ago=600, under_way=True), True),
        # Asked for after it, and weighed before it.
        (earlier(totals(80), ago=-1), True),
    ],
    ids=["same", "other person", "other agent", "neither", "within", "past", "under way", "overtook it"],
)
def test_whose_rollbacks_count_and_for_how_long(before: EarlierUndo, counts: bool) -> None:
    assert weighed([card("effects: 100")], totals(30), before).needed is counts


def test_what_the_system_undoes_of_one_agent_does_not_count_for_another() -> None:
    before = earlier(totals(80, agent="other"), by=SYSTEM.id)
    assert not weighed([card("effects: 100")], totals(30), before, by=SYSTEM.id).needed


def test_each_card_has_its_own_window() -> None:
    short, long, none = card("window: 10m"), card("window: 1d", "long"), card("window: 0s", "none")
    assert longest_window([short, long, none]) == timedelta(days=1)
    assert longest_window([]) == timedelta(0)
    before = earlier(totals(80, agent="third"), ago=30)
    assert not weighed([short, none], totals(30), before).needed
    rules = weighed([short, long, none], totals(30), before)
    assert len(rules.because) == 1
    assert "110 with the 80 of the last 1 d" in rules.because[0]
    for window in ("8d", "-1h", "soon"):
        with pytest.raises(BrokenCard):
            card(f"window: {window}")


def test_nothing_to_undo_needs_nobody() -> None:
    assert not weighed([card("effects: 10")], totals(0), earlier(totals(80))).needed


def test_amounts_below_0_make_no_room_for_others() -> None:
    clerk = card("money: {USD: 100}")
    assert totals(2, 90, -90).money == {"USD": 180}
    assert weighed([clerk], totals(2, 90, -90)).needed
    assert weighed([clerk], totals(1, 90), earlier(totals(1, -90))).needed
    assert not weighed([clerk], totals(1, -90)).needed
