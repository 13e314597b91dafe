"""The block ``approval`` of a card: what it says is what decides, what it does not say the card's own block says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from assent.domain.actions import ProposedAction
from assent.domain.approving import ApprovalRules, Silence, StepKind
from assent.domain.errors import BrokenCard
from assent.domain.people import Assurance
from assent.policy.approving import agenda, resolve
from assent.policy.cards import AgentCard, read_card
from assent.policy.conditions import check_condition
from tests.desk import CARD

check_condition("true")
TUESDAY = datetime(2030, 1, 1, 10, tzinfo=UTC)


def card(block: str = "", *, own: str = "", rule: str = "") -> AgentCard:
    """The desk clerk's card with a block for all types, one for payments, and more in the rule of payments."""
    pay = "  desk.pay:\n    tier: approve\n    expires: 1h\n" + (f"    {rule}\n" if rule else "")
    if own:
        pay += "    approval:\n" + "".join(f"      {line}\n" for line in own.strip().splitlines())
    text = CARD.replace("  desk.pay:\n    tier: approve\n    expires: 1h\n", pay)
    return read_card(text + block)


def rules(written: AgentCard, *, veto: bool = False, requester: str = "desk-clerk", **arguments: Any) -> ApprovalRules:
    action = ProposedAction(key="a", type="desk.pay", arguments={"to": "bob", "amount": 5, **arguments})
    return resolve(written, action, run_id="run-1", requester=requester, veto=veto)


def needs(found: ApprovalRules) -> dict[str, int]:
    return {need.token: need.count for need in found.electorate.needs}


def test_a_card_that_says_nothing_asks_one_approver_who_is_not_the_requester() -> None:
    found = rules(card())
    assert needs(found) == {"role:approver": 1}
    assert [bar.token for bar in found.electorate.never_by] == ["requester"]
    assert (found.electorate.deny, found.electorate.assurance) == (1, Assurance.SLACK)
    assert found.needs_words == "Approval needs one approver, and not whoever started the run."
    assert found.silence_words == "If nobody decides within 1h, it is rejected."


def test_a_type_s_own_block_goes_before_the_card_s_field_by_field() -> None:
    found = rules(
        card(
            "approval: {need: [{of: finance}], deny: 2, assurance: session}\n",
            own="need: [{of: sre, count: 2}]\non_silence: hold",
        )
    )
    assert needs(found) == {"group:sre": 2}
    assert (found.electorate.deny, found.electorate.assurance) == (2, Assurance.SESSION)
    assert found.silence is Silence.HOLD


def test_a_default_that_is_written_down_goes_before_the_card_s_block() -> None:
    found = rules(card("approval: {deny: 2, never_by: [technical-owner]}\n", own="deny: 1\nnever_by: []"))
    assert found.electorate.deny == 1
    assert found.electorate.never_by == ()


def test_a_raise_asks_for_more_over_an_amount() -> None:
    block = """
approval:
  need: [{of: finance}]
  raise:
    - {when: args.amount > 500, need: [{of: finance-leads}], because: Over 500 a finance lead decides.}
    - {when: args.amount > 900, need: [{of: finance, count: 2}], assurance: fresh, never_by: [technical-owner],
       because: Over 900 two of finance decide.}
"""
    assert needs(rules(card(block), amount=500)) == {"group:finance": 1}
    assert needs(rules(card(block), amount=501)) == {"group:finance": 1, "group:finance-leads": 1}
    much = rules(card(block), amount=1000)
    assert needs(much) == {"group:finance": 2, "group:finance-leads": 1}
    assert much.electorate.assurance is Assurance.FRESH
    assert [bar.token for bar in much.electorate.never_by] == ["requester", "mail:bo@example.com"]
    assert much.because == ("Over 500 a finance lead decides.", "Over 900 two of finance decide.")


def test_the_one_approver_of_a_silent_block_gives_way_to_a_raise() -> None:
    block = "approval: {raise: [{when: args.amount > 500, need: [{of: leads}], because: Over 500 a lead decides.}]}\n"
    assert needs(rules(card(block), amount=501)) == {"group:leads": 1}
    assert needs(rules(card(block), amount=5)) == {"role:approver": 1}


def test_a_raise_that_cannot_be_evaluated_applies() -> None:
    block = "approval: {raise: [{when: args.missing > 5, need: [{of: leads}], because: Unclear.}]}\n"
    assert needs(rules(card(block))) == {"group:leads": 1}


def test_people_of_the_card_are_asked_by_their_mailbox() -> None:
    found = rules(
        card(own="need: [{of: business-owner}, {of: Anna+work@Example.com}]\nnever_by: [escalation]\n"), to="x"
    )
    assert needs(found) == {"mail:bo@example.com": 1, "mail:anna@example.com": 1}
    assert [need.words for need in found.electorate.needs] == ["Bo Owner (business owner)", "Anna+work@Example.com"]


def test_on_call_is_asked_in_its_order() -> None:
    block = """
approval:
  escalate:
    - {after: 20m, to: [on-call]}
    - {after: 10m, to: [on-call, escalation]}
    - {after: 30m, to: [on-call]}
on_call: [anna@example.com, cy@example.com]
"""
    found = rules(card(block))
    assert [[who.token for who in step.to] for step in found.escalate] == [
        ["mail:anna@example.com", "mail:bo@example.com"],
        ["mail:cy@example.com"],
        ["mail:anna@example.com"],
    ]


def test_silence_that_escalates_says_whom_it_asks() -> None:
    found = rules(card("approval: {on_silence: escalate}\non_call: [anna@example.com]\n"))
    assert found.silence_words == (
        "If nobody decides within 1h, Bo Owner (escalation contact) and anna@example.com (on call) can decide it too, "
        "for the same time; then it is rejected."
    )


def test_the_older_place_of_silence_still_counts() -> None:
    assert rules(card(rule="on_silence: hold")).silence is Silence.HOLD
    assert rules(card(rule="on_silence: hold", own="on_silence: reject")).silence is Silence.REJECT
    assert rules(card("approval: {on_silence: escalate}\n", rule="on_silence: hold")).silence is Silence.HOLD


def test_a_veto_window_has_its_own_time_and_runs_on_silence() -> None:
    written = read_card(
        CARD.replace("  desk.note: {tier: auto}", "  desk.note: {tier: veto, veto: 10m, approval: {deny: 3}}")
    )
    action = ProposedAction(key="a", type="desk.note", arguments={"text": "x"})
    found = resolve(written, action, run_id="run-1", requester="x", veto=True)
    assert (found.within, found.silence, found.electorate.deny) == (timedelta(minutes=10), Silence.RUN, 1)
    assert found.silence_words == "It runs in 10m unless somebody objects."


def test_what_time_brings_is_in_order_and_before_the_end() -> None:
    block = "approval: {remind: [30m, 2h], escalate: [{after: 20m, to: [escalation]}]}\n"
    steps, end = agenda(rules(card(block)), TUESDAY)
    assert end == TUESDAY + timedelta(hours=1)
    assert [(step.kind, step.at - TUESDAY) for step in steps.steps] == [
        (StepKind.ESCALATE, timedelta(minutes=20)),
        (StepKind.REMIND, timedelta(minutes=30)),
    ]
    assert steps.next_look(end) == TUESDAY + timedelta(minutes=20)
    assert steps.after(TUESDAY + timedelta(minutes=30)).next_look(end) == end


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ("approval: {need: [{of: Finance Team}]}", "nobody who can be asked"),
        ("approval: {need: [{of: requester}]}", "nobody who can be asked"),
        ("approval: {need: [{of: 'role:boss'}]}", "there is no role 'boss'"),
        ("approval: {need: [{of: on-call}]}\non_call: [anna@example.com]", "`escalate` asks"),
        ("approval: {need: [{of: anna@example.com, count: 2}]}", "is one person"),
        ("approval: {need: [{of: finance, count: 0}]}", "greater than or equal to 1"),
        ("approval: {need: [{of: finance, count: 7}, {of: sre, count: 7}]}", "14 people"),
        ("approval: {need: [{of: technical-owner}], never_by: [technical-owner]}", "must approve and must never"),
        ("approval: {escalate: [{after: 1h, to: [on-call]}]}", "no `on_call` list"),
        ("approval: {escalate: [{after: 1h, to: []}]}", "at least 1 item"),
        ("approval: {raise: [{when: 'true', because: Why not.}]}", "says what"),
        ("approval: {raise: [{when: '(', need: [{of: x}], because: Why not.}]}", "not a CEL expression"),
        ("approval: {hours: {zone: Mars/Olympus}}", "no time zone 'Mars/Olympus'"),
        ('approval: {hours: {zone: UTC, from: "17:00", to: "09:00"}}', "at least one hour after"),
        ("approval: {hours: {zone: UTC, to: 17:00}}", "in quotes"),
        ("approval: {on_silence: run}", "'reject', 'hold' or 'escalate'"),
        ("approval: {assurance: certain}", "'slack', 'session' or 'fresh'"),
        ("approval: {quorum: 2}", "Extra inputs"),
        ("on_call: [anna]", "should match"),
    ],
)
def test_a_fault_is_named_by_its_field(block: str, what: str) -> None:
    with pytest.raises(BrokenCard) as caught:
        card(block)
    assert what in caught.value.what
    assert block.partition(":")[0] in caught.value.what or "desk." in caught.value.what


@pytest.mark.parametrize(
    ("rule", "what"),
    [("tier: veto", "needs `veto: 10m`"), ("tier: auto, veto: 10m", "belongs to the tier veto")],
)
def test_a_veto_tier_and_its_time_belong_together(rule: str, what: str) -> None:
    with pytest.raises(BrokenCard, match=what):
        read_card(CARD.replace("desk.note: {tier: auto}", f"desk.note: {{{rule}}}"))


def test_what_was_written_is_what_is_stored() -> None:
    """So that what a block leaves out is still left out when the card is read back."""
    block = """
approval:
  need: [{of: finance}]
  raise: [{when: args.amount > 5, need: [{of: leads}], because: Much.}]
  hours: {zone: Europe/Berlin, from: "08:00", to: "16:00"}
  grants: {by: [leads]}
on_call: [anna@example.com]
"""
    written = card(block, own="deny: 2")
    stored = written.model_dump(mode="json")
    assert yaml.safe_load(yaml.safe_dump(stored)) == stored
    again = AgentCard.model_validate(stored)
    assert again == written
    assert rules(again) == rules(written)
    assert stored["approval"]["hours"] == {"zone": "Europe/Berlin", "from": "08:00", "to": "16:00"}
    assert stored["actions"]["desk.pay"]["approval"] == {"deny": 2}
