"""What time brings: reminders, escalation, the veto window, silence; in business hours and around pauses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.people import Actor, Via
from assent.store.tables import OutboxRow, UsageRow
from tests.activities.election import DUTY, FIN, OUT, Election, card_with
from tests.activities.stage import START, Stage
from tests.desk import CARD
from tests.world import EVE, action

_S = ActionStatus
_HOUR = timedelta(hours=1)
_NEAR = timedelta(seconds=1)
NOTE = action("n", "desk.note", text="hello")
TIP = action("t", "desk.tip", to="bob", amount=5)


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """With a channel, so that what people are told of is written."""
    object.__setattr__(stage.dependencies, "channels", ("mail",))
    return stage


def told(stage: Stage) -> list[str]:
    """Kinds of what people were told, in order."""
    with stage.database.read() as session:
        return list(session.execute(select(col(OutboxRow.kind)).order_by(col(OutboxRow.id))).scalars())


def looks_in(outcome: ActionOutcome, expected: timedelta) -> bool:
    """Whether the run is to look again after about this time."""
    assert outcome.expires_in is not None
    return abs(outcome.expires_in - expected) < _NEAR


def test_people_are_reminded_and_the_run_looks_again_in_time(stage: Stage) -> None:
    election = Election(stage, "remind: [20m, 40m]")
    waiting = election.ask()
    assert looks_in(waiting, timedelta(minutes=20))
    early = election.pass_time(waiting, minutes=19)
    assert looks_in(early, timedelta(minutes=1))
    assert told(stage) == ["approval.requested"]
    assert looks_in(election.pass_time(waiting, minutes=1), timedelta(minutes=20))
    assert looks_in(election.pass_time(waiting, minutes=20), timedelta(minutes=20))
    assert told(stage) == ["approval.requested", "approval.reminder", "approval.reminder"]
    assert election.events() == ["approval.reminded", "approval.reminded"]
    assert election.pass_time(waiting, minutes=20).status is _S.EXPIRED


def test_what_was_missed_is_made_up_for_once(stage: Stage) -> None:
    """The worker was away: one reminder, not three."""
    election = Election(stage, "remind: [10m, 20m, 30m]")
    waiting = election.ask()
    assert looks_in(election.pass_time(waiting, minutes=45), timedelta(minutes=15))
    assert election.events() == ["approval.reminded"]


def test_escalation_asks_more_people_who_then_count(stage: Stage) -> None:
    election = Election(
        stage,
        "need: [{of: finance}], escalate: [{after: 10m, to: [on-call]}, {after: 20m, to: [sre]}]",
        more="on_call: [duty@example.com]\n",
    )
    waiting = election.ask()
    assert election.vote(waiting, DUTY).status is _S.AWAITING
    assert looks_in(election.pass_time(waiting, minutes=10), timedelta(minutes=10))
    assert election.asked(waiting) == {"group:finance": "card", "mail:duty@example.com": "escalation"}
    assert told(stage)[-1] == "approval.escalated"
    assert election.events()[-1] == "approval.escalated"
    assert election.vote(waiting, DUTY).status is _S.DONE


def test_silence_that_escalates_gives_the_same_time_again_and_then_rejects(stage: Stage) -> None:
    election = Election(
        stage, "need: [{of: finance}], on_silence: escalate", more="on_call: [duty@example.com, out@example.com]\n"
    )
    waiting = election.ask()
    again = election.pass_time(waiting, minutes=60)
    assert again.status is _S.AWAITING
    assert looks_in(again, _HOUR)
    assert set(election.asked(waiting)) == {
        "group:finance",
        "mail:bo@example.com",
        "mail:duty@example.com",
        "mail:out@example.com",
    }
    assert election.request(waiting).expires_at - stage.clock.now > timedelta(minutes=59)
    stage.clock.turn(minutes=59)
    assert stage.execute(action("a", "desk.pay", to="bob", amount=40)).status is _S.AWAITING
    assert election.pass_time(waiting, minutes=2).status is _S.EXPIRED


def test_whoever_is_asked_at_the_end_can_still_decide(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}], on_silence: escalate", more="on_call: [duty@example.com]\n")
    waiting = election.ask()
    election.pass_time(waiting, minutes=61)
    stage.clock.turn(minutes=30)
    assert election.vote(waiting, DUTY).status is _S.DONE


def test_silence_that_holds_waits_without_an_end(stage: Stage) -> None:
    election = Election(stage, "on_silence: hold")
    waiting = election.ask()
    held = election.pass_time(waiting, minutes=61)
    assert held.status is _S.AWAITING
    assert election.events() == ["approval.silent"]
    for _ in range(3):
        again = election.pass_time(waiting, days=8)
        assert again.status is _S.AWAITING
        assert again.expires_in is not None
        assert again.expires_in > timedelta(days=1)
    assert election.events() == ["approval.silent"]
    assert election.vote(waiting, OUT).status is _S.DONE


def test_a_vote_in_the_moment_before_silence_is_noticed_counts(stage: Stage) -> None:
    """Where silence ends nothing, a decision after the time is not too late."""
    election = Election(stage, "on_silence: hold")
    waiting = election.ask()
    stage.clock.turn(minutes=61)
    assert election.vote(waiting, OUT).status is _S.DONE


def test_silence_rejects_although_some_votes_were_given(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance, count: 2}]")
    waiting = election.ask()
    election.vote(waiting, FIN)
    assert election.pass_time(waiting, minutes=61).status is _S.EXPIRED
    assert election.request(waiting).status == ApprovalStatus.EXPIRED
    assert election.asked(waiting) == {}


def test_a_pause_moves_reminders_escalation_and_the_end(stage: Stage) -> None:
    election = Election(stage, "remind: [20m], escalate: [{after: 40m, to: [escalation]}]")
    waiting = election.ask()
    stage.clock.turn(minutes=10)
    stage.pause()
    assert election.pass_time(waiting, minutes=60).held_by == ["pause-1"]
    assert election.events() == []
    stage.resume()
    assert looks_in(election.pass_time(waiting), timedelta(minutes=10))
    assert looks_in(election.pass_time(waiting, minutes=10), timedelta(minutes=20))
    assert looks_in(election.pass_time(waiting, minutes=20), timedelta(minutes=20))
    assert election.events() == ["approval.reminded", "approval.escalated"]
    assert election.pass_time(waiting, minutes=20).status is _S.EXPIRED


_OFFICE = 'hours: {zone: Europe/Berlin, from: "09:00", to: "17:00"}'


def test_only_business_hours_count(stage: Stage) -> None:
    """The stage's clock starts on a Tuesday at midnight UTC, one in the morning in Berlin."""
    assert datetime(2030, 1, 1, tzinfo=UTC) == START
    election = Election(stage, f"remind: [4h], {_OFFICE}", expires="10h")
    waiting = election.ask()
    assert looks_in(waiting, timedelta(hours=12))
    nine = START.replace(hour=8)
    assert election.request(waiting).expires_at == nine + timedelta(days=1, hours=2)
    election.pass_time(waiting, hours=12)
    assert election.events() == ["approval.reminded"]
    assert election.pass_time(waiting, hours=21).status is _S.AWAITING
    assert election.pass_time(waiting, hours=2).status is _S.EXPIRED


def test_what_a_pause_moves_out_of_the_hours_waits_for_the_next_opening(stage: Stage) -> None:
    election = Election(stage, f"{_OFFICE}, remind: [7h]", expires="8h")
    waiting = election.ask()
    stage.clock.turn(hours=10)
    stage.pause()
    stage.clock.turn(hours=3)
    stage.resume()
    moved = election.pass_time(waiting, hours=6)
    assert moved.status is _S.AWAITING
    assert election.events() == []
    assert looks_in(moved, timedelta(hours=13))
    assert election.pass_time(waiting, hours=14).status is _S.EXPIRED


def veto(stage: Stage, **more: str) -> None:
    """Notes run in ten minutes, unless somebody objects."""
    rule = "{tier: veto, veto: 10m" + "".join(f", {name}: {value}" for name, value in more.items()) + "}"
    stage.publish(CARD.replace("desk.note: {tier: auto}", f"desk.note: {rule}"))


def test_what_nobody_objects_to_runs(stage: Stage) -> None:
    election = Election(stage)
    veto(stage)
    waiting = stage.submit(NOTE)
    assert (waiting.status, [reason.effect.value for reason in waiting.reasons]) == (_S.AWAITING, ["veto"])
    assert looks_in(waiting, timedelta(minutes=10))
    assert election.pass_time(waiting, minutes=9).status is _S.AWAITING
    assert stage.desk.done == []
    assert election.pass_time(waiting, minutes=1).status is _S.CLEARED
    request = election.request(waiting)
    assert (request.status, request.decided_by) == (ApprovalStatus.APPROVED, None)
    assert request.decision_reason == "Nobody objected within 10m."
    assert stage.execute(NOTE).status is _S.DONE
    assert "approval.unopposed" in stage.events(action_id="run-1:n")


def test_a_look_that_is_repeated_changes_nothing(stage: Stage) -> None:
    """A worker that died before it told the run is asked again."""
    election = Election(stage)
    veto(stage)
    waiting = stage.submit(NOTE)
    assert election.pass_time(waiting, minutes=10).status is _S.CLEARED
    assert election.pass_time(waiting).status is _S.CLEARED
    assert stage.events(action_id="run-1:n").count("approval.unopposed") == 1
    assert told(stage) == ["approval.requested", "approval.closed"]


def test_one_objection_of_anybody_stops_it(stage: Stage) -> None:
    election = Election(stage)
    veto(stage)
    waiting = stage.submit(NOTE)
    assert election.vote(waiting, EVE, Verb.REJECT).status is _S.REJECTED
    assert election.pass_time(waiting, minutes=11).status is _S.REJECTED
    assert stage.desk.done == []


def test_nobody_unknown_objects(stage: Stage) -> None:
    election = Election(stage)
    veto(stage)
    waiting = stage.submit(NOTE)
    stranger = Actor(id="desk-clerk", name="desk-clerk", via=Via.API)
    assert election.vote(waiting, stranger, Verb.REJECT).status is _S.AWAITING


def test_an_approver_lets_it_run_at_once(stage: Stage) -> None:
    election = Election(stage)
    veto(stage)
    waiting = stage.submit(NOTE)
    assert stage.execute(NOTE, election.decision(waiting, OUT)).status is _S.DONE


def test_a_pause_stops_the_window(stage: Stage) -> None:
    election = Election(stage)
    veto(stage)
    waiting = stage.submit(NOTE)
    stage.pause()
    assert election.pass_time(waiting, minutes=30).status is _S.AWAITING
    stage.resume()
    assert election.pass_time(waiting, minutes=9).status is _S.AWAITING
    assert election.pass_time(waiting, minutes=1).status is _S.CLEARED


def test_a_pause_that_comes_between_the_window_and_the_effect_holds_it(stage: Stage) -> None:
    election = Election(stage)
    veto(stage)
    waiting = stage.submit(NOTE)
    assert election.pass_time(waiting, minutes=10).status is _S.CLEARED
    stage.pause()
    assert stage.execute(NOTE).status is _S.HELD
    stage.resume()
    assert stage.execute(NOTE).status is _S.DONE


def test_a_window_that_passed_stands_though_too_few_approved(stage: Stage) -> None:
    election = Election(stage)
    veto(stage, approval="{need: [{of: finance, count: 2}]}")
    waiting = stage.submit(NOTE)
    assert stage.execute(NOTE, election.decision(waiting, FIN)).status is _S.AWAITING
    assert election.pass_time(waiting, minutes=10).status is _S.CLEARED
    stage.pause()
    assert stage.execute(NOTE).status is _S.HELD
    stage.resume()
    assert stage.execute(NOTE).status is _S.DONE


def test_what_waits_for_a_veto_counts_towards_its_limits(stage: Stage) -> None:
    """Or many at once would each be under a limit that they break together."""
    stage.publish(CARD.replace("  desk.tip:\n    tier: auto", "  desk.tip:\n    tier: veto\n    veto: 10m"))
    first = stage.submit(TIP)
    second = stage.submit(TIP.model_copy(update={"key": "t2"}))
    assert [first.reasons[0].effect.value, second.reasons[0].effect.value] == ["veto", "approve"]
    assert stage.close(first, _S.WITHDRAWN).status is _S.WITHDRAWN
    with stage.database.read() as session:
        assert list(session.execute(select(col(UsageRow.action_id)).distinct()).scalars()) == []


def test_a_card_published_meanwhile_changes_nothing_about_who_decides(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}]")
    waiting = election.ask()
    stage.publish(card_with("need: [{of: sre}]"))
    assert election.vote(waiting, FIN).status is _S.DONE
