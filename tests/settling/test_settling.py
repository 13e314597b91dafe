"""Settling an unknown effect: the connector first, then one person, once, and in the ledger."""

from __future__ import annotations

import uuid
from typing import Any, cast

import pytest
from sqlalchemy import select
from temporalio.client import Client

from assent.domain.actions import ActionStatus
from assent.domain.effects import EffectStatus, Performed, ResourceChange
from assent.domain.people import SYSTEM, Actor
from assent.domain.settling import ASK_AFTER, Reconcile, RetryEffect, SettledBy, Settlement
from assent.store import claims, consistency, questions
from assent.store.tables import ActionRow, NoticeRow, OutboxRow, UnknownEffectRow, UsageRow
from assent_activities.connectors import Call, ConnectorUnavailable
from assent_activities.dependencies import Dependencies
from assent_activities.settling import Settling
from tests.activities.stage import Died, Stage, at_once, die_after_effect, die_before_effect
from tests.world import ANN, EVE, action

TIP = action("a", "desk.tip", to="bob", amount=5)
KEY = "run-1:a"


def unknown(stage: Stage, *, happened: bool = True) -> Settling:
    """An effect whose attempt died, of a system that cannot say what happened."""
    stage.desk.knows = False
    (die_after_effect if happened else die_before_effect)(stage.desk)
    with pytest.raises(Died):
        stage.submit(TIP)
    stage.clock.turn(seconds=16)
    assert stage.submit(TIP).status is ActionStatus.UNKNOWN
    return Settling(stage.dependencies, cast(Client, None))


def answer(happened: bool, *, by: Actor = ANN, reference: str = "", **more: Any) -> Settlement:
    return Settlement(
        id=uuid.uuid4().hex,
        action_id=KEY,
        by=by,
        happened=happened,
        note="I looked into the till",
        reference=reference,
        **more,
    )


def test_an_unknown_effect_is_a_question(stage: Stage) -> None:
    unknown(stage)
    question = stage.row(UnknownEffectRow, KEY)
    assert (question.agent, question.type, question.attempts) == ("desk-clerk", "desk.tip", 2)
    assert question.look_at is not None
    assert question.look_at - question.found_at == ASK_AFTER[0]
    assert "a person must find out" in question.said


def test_the_connector_is_asked_first(stage: Stage) -> None:
    settling = unknown(stage)
    stage.desk.knows = True
    done = settling.reconcile(Reconcile(action_id=KEY, by=ANN))
    assert (done.status, done.settled, done.by) == (EffectStatus.DONE, True, SettledBy.CONNECTOR)
    assert stage.row(ActionRow, KEY).result == {"ok": True, "echo": {"to": "bob", "amount": 5}}
    assert stage.claim(KEY).undo_data is not None
    assert stage.events(action_id=KEY)[-1] == "effect.settled"
    assert consistency.compare(stage.database) == (1, [])


def test_what_certainly_did_not_happen_counts_towards_no_limit(stage: Stage) -> None:
    settling = unknown(stage, happened=False)
    stage.desk.knows = True
    assert settling.reconcile(Reconcile(action_id=KEY, by=ANN)).status is EffectStatus.FAILED
    assert stage.find(UsageRow, (KEY, "amount")) is None
    assert consistency.compare(stage.database) == (1, [])


def test_a_connector_that_cannot_say_leaves_it_unknown(stage: Stage) -> None:
    settling = unknown(stage)
    done = settling.reconcile(Reconcile(action_id=KEY, by=ANN))
    assert (done.status, done.settled) == (EffectStatus.UNKNOWN, False)
    assert "cannot say" in done.said
    assert stage.events(action_id=KEY)[-1] == "effect.asked"


def test_a_connector_that_is_away_leaves_it_unknown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    settling = unknown(stage)

    def away(call: Call) -> Performed:
        raise ConnectorUnavailable("The desk is closed.")

    monkeypatch.setattr(stage.registry["desk.tip"], "lookup", away)
    done = settling.reconcile(Reconcile(action_id=KEY, by=ANN))
    assert done.said == "The system could not be asked: The desk is closed."
    assert stage.claim(KEY).status == EffectStatus.UNKNOWN


def test_a_person_says_that_it_happened(stage: Stage) -> None:
    settling = unknown(stage)
    changes = [ResourceChange(resource="desk/bob", before=0, after=5)]
    done = settling.settle(answer(True, reference="T-17", changes=changes))
    assert (done.status, done.settled, done.by) == (EffectStatus.DONE, True, SettledBy.PERSON)
    effect, row = stage.claim(KEY), stage.row(ActionRow, KEY)
    assert (effect.status, effect.holder) == (EffectStatus.DONE, claims.ATTESTED)
    assert effect.changes == [changes[0].model_dump(mode="json")]
    assert row.message == "Ann Approver found out that it happened: I looked into the till. Reference: T-17."
    assert stage.row(UsageRow, (KEY, "amount")).amount == 5
    assert stage.run().last_step.endswith(": it happened")
    question = stage.row(UnknownEffectRow, KEY)
    assert (question.happened, question.reference, question.how, question.untold) == (True, "T-17", "person", True)
    assert question.settled_by is not None
    assert question.settled_by["id"] == "ann"
    assert consistency.compare(stage.database) == (1, [])
    stage.check_chain()


def test_a_person_says_that_it_did_not_happen(stage: Stage) -> None:
    settling = unknown(stage, happened=False)
    assert settling.settle(answer(False)).status is EffectStatus.FAILED
    assert stage.row(ActionRow, KEY).status == ActionStatus.FAILED
    assert stage.find(UsageRow, (KEY, "amount")) is None
    assert consistency.compare(stage.database) == (1, [])


def test_of_several_people_at_once_one_settles_it(stage: Stage) -> None:
    settling = unknown(stage)
    people = [Actor(id=f"p{at}", name=f"Person {at}", via=ANN.via) for at in range(6)]
    told = at_once(6, lambda at: settling.settle(answer(at % 2 == 0, by=people[at])))
    first = [each for each in told if each.settled]
    assert len(first) == 1
    assert {each.status for each in told} == {first[0].status}
    assert all("settled it" in each.said for each in told if not each.settled)
    assert stage.events(action_id=KEY).count("effect.settled") == 1
    assert consistency.compare(stage.database) == (1, [])


def test_a_late_answer_of_the_system_closes_the_question(stage: Stage) -> None:
    unknown(stage)
    with stage.database.write() as session:
        assert claims.finish(
            session, action_id=KEY, holder="the slow one", status=EffectStatus.DONE, at=stage.clock(), message=""
        )
    question = stage.row(UnknownEffectRow, KEY)
    assert (question.happened, question.how, question.untold) == (True, "connector", True)


def test_a_late_answer_does_not_change_what_was_settled(stage: Stage) -> None:
    settling = unknown(stage)
    settling.settle(answer(False))
    with stage.database.write() as session:
        assert not claims.finish(
            session, action_id=KEY, holder="the slow one", status=EffectStatus.DONE, at=stage.clock(), message=""
        )
    assert stage.claim(KEY).status == EffectStatus.FAILED


def test_the_connector_adds_what_undoing_needs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    settling = unknown(stage)
    operation = stage.registry["desk.tip"]
    monkeypatch.setattr(
        type(operation), "attested", lambda self, call, reference: Performed(undo_data=5.0), raising=False
    )
    settling.settle(answer(True))
    effect = stage.claim(KEY)
    assert effect.undo_data == 5.0
    assert effect.holder != claims.ATTESTED


def test_workers_ask_by_themselves_with_growing_pauses(stage: Stage) -> None:
    settling = unknown(stage)
    assert settling.look_due() == 0
    for pause in ASK_AFTER:
        stage.clock.turn(seconds=pause.total_seconds() + 1)
        assert settling.look_due() == 1
        assert settling.look_due() == 0
    stage.clock.turn(days=30)
    assert settling.look_due() == 0
    assert stage.events(action_id=KEY).count("effect.asked") == len(ASK_AFTER)
    assert stage.row(UnknownEffectRow, KEY).look_at is None


def test_workers_ask_by_themselves_until_the_system_knows(stage: Stage) -> None:
    settling = unknown(stage)
    stage.clock.turn(seconds=6)
    settling.look_due()
    stage.desk.knows = True
    stage.clock.turn(minutes=2)
    assert settling.look_due() == 1
    assert stage.claim(KEY).status == EffectStatus.DONE
    assert stage.row(UnknownEffectRow, KEY).look_at is None


def test_of_several_workers_one_asks(stage: Stage) -> None:
    settling = unknown(stage)
    stage.clock.turn(seconds=6)
    assert sum(at_once(4, lambda _: settling.look_due())) == 1
    assert stage.events(action_id=KEY).count("effect.asked") == 1


def test_the_escalation_contact_is_told_once_with_everything(stage: Stage) -> None:
    stage.declare("desk.tip", how_to_find_out="Count what {to} has in the till.")
    settling = unknown(stage)
    told = Settling(
        Dependencies(
            database=stage.database, registry=stage.registry, clock=stage.clock, channels=("slack", "mail", "webhook")
        ),
        cast(Client, None),
    )
    told.reconcile(Reconcile(action_id=KEY, by=SYSTEM))
    settling.reconcile(Reconcile(action_id=KEY, by=SYSTEM))
    told.reconcile(Reconcile(action_id=KEY, by=SYSTEM))
    with stage.database.read() as session:
        [notice] = session.execute(select(NoticeRow)).scalars()
        rows = session.execute(select(OutboxRow)).scalars().all()
    assert (notice.email, notice.name, notice.path) == ("bo@example.com", "Bo Owner", "/effects/run-1%3Aa")
    for part in ("Tip bob with 5", "attempt 2", KEY, "cannot say", "Count what bob has in the till."):
        assert part in notice.text
    assert sorted((row.channel, row.kind, row.recipient) for row in rows) == [
        ("mail", "notice", "bo@example.com"),
        ("slack", "notice", "channel"),
    ]


def test_what_did_not_happen_is_tried_again_through_admission(stage: Stage) -> None:
    settling = unknown(stage, happened=False)
    assert settling.retry(RetryEffect(action_id=KEY, by=ANN)).refused.startswith("Nobody knows yet")
    settling.settle(answer(False))
    again = settling.retry(RetryEffect(action_id=KEY, by=ANN))
    assert (again.settled, again.refused) == (True, "")
    assert stage.row(ActionRow, KEY).status == ActionStatus.HELD
    assert stage.submit(TIP).status is ActionStatus.DONE
    assert stage.desk.done == [KEY]
    assert stage.row(UsageRow, (KEY, "amount")).amount == 5
    assert stage.events(action_id=KEY)[-4:] == ["effect.settled", "effect.retried", "effect.claimed", "effect.done"]
    assert consistency.compare(stage.database) == (1, [])
    assert "only what did not happen" in settling.retry(RetryEffect(action_id=KEY, by=ANN)).refused


def test_a_retry_goes_by_the_card_as_it_is_now(stage: Stage) -> None:
    settling = unknown(stage, happened=False)
    settling.settle(answer(False))
    settling.retry(RetryEffect(action_id=KEY, by=ANN))
    from tests.desk import CARD

    stage.publish(CARD + "  - action: desk.tip\n    because: No tips any more.\n")
    assert stage.submit(TIP).status is ActionStatus.REFUSED
    assert stage.desk.done == []


def test_what_happened_is_never_tried_again(stage: Stage) -> None:
    settling = unknown(stage)
    settling.settle(answer(True))
    assert "only what did not happen" in settling.retry(RetryEffect(action_id=KEY, by=ANN)).refused


def test_an_action_of_a_run_that_ended_is_not_tried_again(stage: Stage) -> None:
    settling = unknown(stage, happened=False)
    stage.finish(unknown=1)
    settling.settle(answer(False, by=EVE))
    assert "run has ended" in settling.retry(RetryEffect(action_id=KEY, by=ANN)).refused
    assert stage.run().last_step.endswith(": it did not happen")


def test_what_is_unknown_again_after_a_retry_is_asked_again(stage: Stage) -> None:
    settling = unknown(stage, happened=False)
    settling.settle(answer(False))
    settling.retry(RetryEffect(action_id=KEY, by=ANN))
    die_after_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(TIP)
    stage.clock.turn(seconds=16)
    assert stage.submit(TIP).status is ActionStatus.UNKNOWN
    with stage.database.read() as session:
        assert questions.is_open(session, KEY)
    assert settling.settle(answer(True)).settled
    assert consistency.compare(stage.database) == (1, [])
