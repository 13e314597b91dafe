"""The facts of a request come from the run, the records and the catalogue, and only when a person is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.approvals import RequestCard, Verb
from assent.domain.canonical import Json
from assent.domain.card_content import content
from assent.domain.card_facts import Reached, Target
from assent.domain.card_text import plain_text
from assent.domain.catalogue import SECRET, SECRET_CHANGED, BlastUnit, TargetDeclaration
from assent.domain.effects import ResourceChange
from assent.domain.ports import SubmitAction
from assent.store import asked_about
from assent.store.queries import shown
from assent.store.tables import ApprovalRow, AskedAboutRow, EffectRow, LedgerEventRow
from assent_activities import facts, requesting
from assent_activities.connectors import Call, Extent
from tests.activities.stage import START, Stage
from tests.desk import CARD, DeskOperation
from tests.world import action

ANYTHING = {"type": "object"}


def card_of(stage: Stage, outcome: ActionOutcome) -> RequestCard:
    """What people are shown."""
    assert outcome.status is ActionStatus.AWAITING, outcome
    card = RequestCard.model_validate(stage.row(ApprovalRow, outcome.approval_id).card)
    assert card.text == plain_text(content(card))
    return card


def ask(stage: Stage, key: str = "pay", *, run_id: str = "run-1", **arguments: Json) -> ActionOutcome:
    """Propose a payment."""
    return stage.submit(action(key, "desk.pay", **({"to": "bob", "amount": 40} | arguments)), run_id=run_id)


def test_what_the_agent_looked_at_is_what_its_run_read(stage: Stage) -> None:
    target = TargetDeclaration(words="page {text}", resource="desk/pages/{text}")
    stage.declare("desk.read", target=target)
    stage.publish(CARD)
    stage.submit(action("other", "desk.read", text="z"), run_id="run-2")
    stage.submit(action("note", "desk.note", text="no reading"))
    for number in range(11):
        stage.submit(action(f"r{number}", "desk.read", text=f"p{number}"))
    looked = card_of(stage, ask(stage)).looked_at
    assert looked is not None
    assert (looked.total, looked.at_least) == (11, False)
    assert [reading.sentence for reading in looked.readings] == [f"Read p{number}" for number in range(3, 11)]
    assert looked.readings[-1].resource == "desk/pages/p10"
    assert looked.readings[0].key == "r3"
    assert all(reading.at >= START for reading in looked.readings)
    text = card_of(stage, ask(stage, "again")).text
    assert "  - Read p10 — desk/pages/p10 — 2030-01-01 00:00 UTC\n" in text
    assert "… 3 more readings before these, in the run" in text


def test_a_run_that_read_nothing_says_so(stage: Stage) -> None:
    assert "It looked at nothing through Assent before it proposed this." in card_of(stage, ask(stage)).text


def test_counting_readings_stops_in_a_long_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assent.store.readings.LOOKED_BACK", 5)
    for number in range(9):
        stage.submit(action(f"r{number}", "desk.read", text=str(number)))
    looked = card_of(stage, ask(stage)).looked_at
    assert looked is not None
    assert (looked.total, looked.at_least, len(looked.readings)) == (5, True, 5)


def test_earlier_decisions_on_the_same_record(stage: Stage) -> None:
    first = ask(stage, "a", amount=1)
    rejection = stage.decision(first, Verb.REJECT, id="d1", reason="Not \u202ethis one.")
    stage.close(first, ActionStatus.REJECTED, rejection)
    stage.clock.turn(hours=1)
    second = ask(stage, "b", amount=2, run_id="run-2")
    assert [each.verdict for each in card_of(stage, second).earlier] == ["rejected"]
    stage.execute(action("b", "desk.pay", to="bob", amount=2), stage.decision(second, id="d2"), run_id="run-2")
    waiting = ask(stage, "c", amount=3, run_id="run-3")
    third = card_of(stage, ask(stage, "d", amount=4, run_id="run-4"))
    assert [(each.verdict, each.headline) for each in third.earlier] == [
        ("approved", "Pay 2 to bob"),
        ("rejected", "Pay 1 to bob"),
    ]
    assert (third.earlier[0].by, third.earlier[1].by) == ("Ann Approver", "Ann Approver")
    assert third.earlier[1].reason == "Not \u202ethis one."
    assert "Rejected by Ann Approver: “Not ⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩this one.”" in third.text
    assert waiting.approval_id not in {each.approval_id for each in third.earlier}
    assert card_of(stage, ask(stage, "e", to="carol", run_id="run-5")).earlier == []
    # An agent's key may read its own requests, so another agent's must not be on them.
    with stage.database.read() as session:
        pay, bob = "desk.pay", ["desk/bob"]
        assert len(asked_about.earlier(session, agent="desk-clerk", type=pay, resources=bob)) == 2
        assert asked_about.earlier(session, agent="other-clerk", type=pay, resources=bob) == []


def test_earlier_decisions_are_few_and_found_among_many_that_wait(stage: Stage) -> None:
    for number in range(7):
        outcome = ask(stage, f"a{number}", amount=number + 1)
        stage.close(outcome, ActionStatus.REJECTED, stage.decision(outcome, Verb.REJECT, id=f"d{number}", reason="No."))
    assert [each.headline for each in card_of(stage, ask(stage, "b")).earlier] == [
        f"Pay {number} to bob" for number in (7, 6, 5, 4)
    ]


def test_a_record_with_a_name_that_no_index_takes(stage: Stage) -> None:
    long = "b" * 5_000
    outcome = ask(stage, "a", to=long)
    stage.close(outcome, ActionStatus.REJECTED, stage.decision(outcome, Verb.REJECT, id="d", reason="No."))
    assert [each.verdict for each in card_of(stage, ask(stage, "b", to=long)).earlier] == ["rejected"]
    assert card_of(stage, ask(stage, "c", to="b" * 4_999)).earlier == []
    with stage.database.read() as session:
        names = session.execute(select(col(AskedAboutRow.resource))).scalars().all()
    assert {name[:7] for name in names} == {"sha256:"}


def test_what_the_agent_was_given(stage: Stage) -> None:
    received = {"mail": "Where is my parcel? " * 1_000}
    header = stage.header().model_copy(update={"received": received})
    outcome = stage.admission.submit(SubmitAction(header=header, action=action("a", "desk.pay", to="bob", amount=4)))
    card = card_of(stage, outcome)
    assert card.received is not None
    assert len(card.received.text) == 4_000
    assert card.received.text.startswith('{\n  "mail": "Where is my parcel?')
    assert card.received.left_out == len('{\n  "mail": ""\n}') + 20_000 - 4_000
    assert f"… {card.received.left_out:,} more characters" in card.text
    assert card_of(stage, ask(stage, "b")).received is None


def test_target_extent_money_and_undo_as_the_catalogue_declares_them(stage: Stage) -> None:
    stage.declare(
        "desk.pay",
        arguments=ANYTHING,
        currency="{currency}",
        money=frozenset({"fees.*.amount"}),
        target=TargetDeclaration(words="{to}’s account", resource="desk/{to}"),
        blast=(
            BlastUnit(unit="recipients"),
            BlastUnit(unit="boxes", one="box", argument="boxes"),
            BlastUnit(unit="rows", argument="fees.*.rows"),
        ),
    )
    stage.publish(CARD)
    fees = [{"amount": 0.1 + 0.2, "rows": 3}, {"amount": 5, "rows": 4}]
    card = card_of(stage, ask(stage, amount=4.969999999999999, currency="EUR", fees=fees, boxes=["one"]))
    assert card.headline == "Pay 4.97 to bob"
    assert card.target == Target(words="bob’s account", resource="desk/bob")
    assert card.reaches == [
        Reached(unit="recipients", one="recipient", count=1),
        Reached(unit="boxes", one="box", count=1),
        Reached(unit="rows", one="row", count=7),
    ]
    assert card.arguments["amount"] == 4.969999999999999
    assert card.undoing is not None
    assert card.undoing.within == timedelta(days=30)
    for line in [
        "  Moves    EUR 4.97",
        "  Reaches  1 recipient, 1 box, 7 rows",
        "  About    bob’s account (desk/bob)",
        "  Card     version 2",
        "  Only if  The record still is as the action left it.",
        "  Until    30 d after it was done",
    ]:
        assert line in card.text.splitlines(), line
    assert "0.30000000000000004" in card.text


def test_an_amount_that_no_card_can_hold(stage: Stage) -> None:
    stage.declare("desk.pay", arguments=ANYTHING)
    stage.publish(CARD.partition("never:")[0])
    assert card_of(stage, ask(stage, "a", amount="forty")).amount is None
    assert "USD" not in card_of(stage, ask(stage, "b", amount=1e308)).text
    refused = ask(stage, "c", amount=10**400)
    assert refused.status is ActionStatus.REFUSED
    assert "canonical JSON" in refused.message


class Weighed(DeskOperation):
    """A payment that knows its extent."""

    fails = False

    def extent(self, call: Call, changes: Sequence[ResourceChange]) -> Extent:
        if self.fails:
            raise RuntimeError("The scales are broken.")
        return Extent(amount=float(len(changes)), reaches={"boxes": 2, "shelves": 3})


def test_a_connector_says_what_arguments_cannot(stage: Stage) -> None:
    pay = stage.registry["desk.pay"]
    pay.__class__ = Weighed
    stage.declare("desk.pay", amount=None, currency="USD", blast=(BlastUnit(unit="boxes", one="box"),))
    stage.publish(CARD)
    card = card_of(stage, ask(stage, "a"))
    assert "Moves    USD 1.00" in card.text
    assert "Reaches  2 boxes, 3 shelves" in card.text
    Weighed.fails = True
    try:
        broken = card_of(stage, ask(stage, "b"))
    finally:
        Weighed.fails = False
    assert broken.amount is None
    assert broken.preview_note == "How much it moves and reaches could not be worked out: RuntimeError."
    assert broken.changes


def test_secrets_at_any_depth_are_dots_and_bound_all_the_same(stage: Stage) -> None:
    stage.declare(
        "desk.pay", arguments=ANYTHING, secrets=frozenset({"card.number", "**.pin", "people.*.token", "balance"})
    )
    stage.publish(CARD)
    hidden: dict[str, Json] = {
        "card": {"number": "4111-1111", "holder": "Ann"},
        "people": [{"token": "t0ps3cret", "name": "Bo"}],
        "deep": [{"er": {"pin": [1, 2, 3, 4]}}],
    }
    outcome = ask(stage, "a", run_id="run-1", **hidden)
    card = card_of(stage, outcome)
    assert card.arguments["card"] == {"number": SECRET, "holder": "Ann"}
    assert card.arguments["people"] == [{"token": SECRET, "name": "Bo"}]
    assert card.arguments["deep"] == [{"er": {"pin": SECRET}}]
    other = ask(stage, "b", run_id="run-2", **(hidden | {"card": {"number": "4222-2222", "holder": "Ann"}}))
    assert other.digest != outcome.digest
    with stage.database.read() as session:
        seen = shown.of_revision(session, outcome.approval_id or "")
        bodies = str(session.execute(select(col(LedgerEventRow.body))).scalars().all())
    assert seen.sound
    for secret in ("4111", "t0ps3cret"):
        assert secret not in bodies
        assert secret not in card.model_dump_json()


def test_a_secret_of_a_record_is_dots_before_and_after_the_effect(stage: Stage) -> None:
    pay = stage.registry["desk.pay"]
    stage.declare("desk.pay", secrets=frozenset({"code"}))
    stage.publish(CARD)
    change = ResourceChange(resource="desk/bob", before={"code": "old-1", "n": 1}, after={"code": "new-2", "n": 2})
    pay.preview = lambda call: [change]  # type: ignore[method-assign]
    pay._changes = lambda call: [change]  # type: ignore[method-assign]
    outcome = ask(stage)
    card = card_of(stage, outcome)
    assert card.changes[0].before == {"code": SECRET, "n": 1}
    assert card.changes[0].after == {"code": SECRET_CHANGED, "n": 2}
    assert f"code: {SECRET} → {SECRET_CHANGED}" in card.text
    done = stage.execute(action("pay", "desk.pay", to="bob", amount=40), stage.decision(outcome))
    assert done.status is ActionStatus.DONE
    with stage.database.read() as session:
        bodies = str(session.execute(select(col(LedgerEventRow.body))).scalars().all())
    assert "new-2" not in bodies
    assert "new-2" not in str(stage.row(EffectRow, "run-1:pay").changes)


def test_a_megabyte_is_kept_whole_shown_in_part_and_bound_to_its_last_character(stage: Stage) -> None:
    text = "word " * 200_000
    first = ask(stage, "a", to=f"{text}1")
    card = card_of(stage, first)
    assert card.arguments["to"] == f"{text}1"
    assert len(card.text) < 40_000
    assert "996," in card.text
    again = card.model_copy(update={"arguments": card.arguments | {"to": f"{text}2"}})
    assert again.bound() != card.bound()
    with stage.database.read() as session:
        assert shown.of_revision(session, first.approval_id or "").sound


def test_nothing_is_gathered_for_what_runs_by_itself(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("It was not to be looked up.")

    for module, name in ((requesting, "gather"), (requesting, "request_card"), (facts, "resources_of")):
        monkeypatch.setattr(module, name, never)
    monkeypatch.setattr(asked_about, "remember", never)
    assert stage.submit(action("a", "desk.read", text="x")).status is ActionStatus.DONE
    assert stage.submit(action("b", "desk.note", text="x")).status is ActionStatus.DONE
    assert stage.submit(action("c", "desk.idea", text="x")).status is ActionStatus.SUGGESTED
    assert stage.submit(ProposedAction(key="d", type="desk.gone")).status is ActionStatus.REFUSED
