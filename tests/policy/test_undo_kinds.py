"""Kinds of undo, and what a card may let run automatically."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from assent.domain.actions import ProposedAction
from assent.domain.catalogue import ActionType, UndoDeclaration
from assent.domain.errors import BrokenCard
from assent.domain.tiers import Risk
from assent.domain.undo_kinds import CounterMessage, Runbook, UndoKind
from assent.gateway.undo_proofs import irreversible
from assent.policy.admission import admit
from assent.policy.cards import read_card
from assent.policy.undo_proof_block import Proven, UndoProofBlock, undo_states
from assent.runtime.cards import checked_card
from tests.desk import CARD, Desk

BY_HAND = UndoDeclaration(
    sentence="Ring the bank", kind=UndoKind.MANUAL, runbook=Runbook(text="Ring the bank.", link="https://example.com/x")
)
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def declared(**more: object) -> ActionType:
    return ActionType.model_validate(
        {"name": "desk.note", "title": "Note", "sentence": "Note", "arguments": {"type": "object"}, **more}
    )


def test_a_manual_undo_needs_a_runbook_and_a_counter_message_its_words() -> None:
    with pytest.raises(ValidationError, match="needs a runbook"):
        UndoDeclaration(sentence="x", kind=UndoKind.MANUAL)
    with pytest.raises(ValidationError, match="needs its message"):
        UndoDeclaration(sentence="x", kind=UndoKind.COUNTER_MESSAGE)
    with pytest.raises(ValidationError):
        Runbook(text="x", link="javascript:alert(1)")
    with pytest.raises(ValidationError):
        CounterMessage(subject="two\nlines", text="x")


@pytest.mark.parametrize(
    ("more", "works"),
    [
        ({"reads_only": True}, True),
        ({}, False),
        ({"undo": BY_HAND}, False),
        ({"undo": UndoDeclaration(sentence="Back")}, True),
        ({"undo": UndoDeclaration(sentence="Void it", kind=UndoKind.REVOKE)}, True),
    ],
)
def test_what_undoes_itself(more: dict[str, object], works: bool) -> None:
    type = declared(**more)
    assert type.undoes_itself is works
    card = read_card(CARD)
    card = card.model_copy(update={"actions": {"desk.note": card.actions["desk.note"]}})
    assert bool(irreversible(card, {"desk.note": type})) is not works


@pytest.mark.parametrize("undo", [None, BY_HAND])
def test_a_card_that_lets_run_what_nothing_takes_back_is_refused(undo: UndoDeclaration | None) -> None:
    operations = {each.type.name: each for each in Desk().desk_operations()}
    operations["desk.note"].type = operations["desk.note"].type.model_copy(update={"undo": undo})
    with pytest.raises(BrokenCard) as refused:
        checked_card(operations, CARD, where="my card")
    assert "desk.note may not run automatically: it changes something" in refused.value.what
    assert "tier: approve" in refused.value.todo
    checked_card(operations, CARD.replace("desk.note: {tier: auto}", "desk.note: {tier: approve}"), where="my card")


def test_a_risk_with_an_undo_by_hand_still_asks_people() -> None:
    card = read_card(CARD)
    type = declared(name="desk.tip", undo=BY_HAND, risks=[Risk.MONEY])
    action = ProposedAction(key="a", type="desk.tip", arguments={"to": "bob", "amount": 1})
    verdict = admit(card=card, card_version=1, type=type, action=action, run_id="r", used=[0, 0])
    assert verdict.effect == "approve"


def test_a_block_says_how_old_a_proof_may_be() -> None:
    card = read_card(CARD + "undo_proof: {within: 90d}\n")
    assert card.undo_proof == UndoProofBlock(within=timedelta(days=90))
    with pytest.raises(BrokenCard):
        read_card(CARD + "undo_proof: {within: 2h}\n")


@pytest.mark.parametrize(
    ("proven", "block", "flagged"),
    [
        (Proven(), None, ""),
        (Proven(), UndoProofBlock(), "never seen"),
        (Proven(worked_at=NOW - timedelta(days=90)), UndoProofBlock(), ""),
        (Proven(worked_at=NOW - timedelta(days=91)), UndoProofBlock(), "91 days ago"),
        (Proven(worked_at=NOW, failed_at=NOW - timedelta(days=1)), UndoProofBlock(), ""),
        (Proven(worked_at=NOW - timedelta(days=2), failed_at=NOW, said="Stuck."), None, "failed when"),
    ],
)
def test_what_is_flagged(proven: Proven, block: UndoProofBlock | None, flagged: str) -> None:
    [state] = undo_states(block, [declared(undo=UndoDeclaration(sentence="Back"))], {"desk.note": proven}, NOW)
    assert flagged in state.fault
    assert bool(state.fault) is bool(flagged)
