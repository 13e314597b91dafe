"""Separation of duties: whoever asked, or answers for the agent, does not approve; what others lend goes no further."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import Verb
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.people import Actor, Role, Via
from assent.domain.ports import SubmitAction
from assent.store import absences, electorate, lending, people
from assent.store.tables import PersonRow
from tests.activities.election import DUTY, FIN, FIN2, OUT, PAY, SRE, SRE2, Election
from tests.activities.stage import Stage

_S = ActionStatus
_BO = Actor(id="bo", name="Bo", via=Via.WEB)


def ask_as(election: Election, person: Actor) -> ActionOutcome:
    """A payment in a run that a person started."""
    header = election.stage.header().model_copy(update={"started_by": person})
    return election.stage.admission.submit(SubmitAction(header=header, action=PAY))


def add(stage: Stage, id: str, email: str) -> Actor:
    """Another account with the role approver; from before one mailbox was one person, if it shares one."""
    with stage.database.write() as session:
        row = PersonRow(id=id, email=email, name=id.capitalize(), roles=["approver"], created_at=stage.clock())
        session.add(row)
    return Actor(id=id, name=id.capitalize(), via=Via.WEB)


def away(election: Election, person: Actor, delegate: Actor | None, *, hours: float = 2, begins: float = -1) -> str:
    """Somebody is away, from some hours before or after now."""
    now = election.stage.clock()
    with election.stage.database.write() as session:
        return absences.add(
            session,
            person.id,
            starts_at=now + timedelta(hours=begins),
            ends_at=now + timedelta(hours=hours),
            delegate_id=delegate.id if delegate else None,
            at=now,
            by=person,
        ).id


def lend(
    election: Election, waiting: ActionOutcome, giver: Actor, taker: Actor, why: str = electorate.REASSIGNED
) -> None:
    with election.stage.database.write() as session:
        lending.lend(
            session,
            waiting.approval_id or "",
            giver_id=giver.id,
            taker_id=taker.id,
            why=why,
            reason="Please.",
            by=giver,
            at=election.stage.clock(),
        )


def asked_people(election: Election, waiting: ActionOutcome) -> list[str]:
    with election.stage.database.read() as session:
        found = electorate.asked_people(session, waiting.approval_id or "", election.stage.clock())
    return [person.id for person in found]


def test_whoever_started_the_run_does_not_approve_it(stage: Stage) -> None:
    election = Election(stage)
    waiting = ask_as(election, OUT)
    assert election.vote(waiting, OUT).status is _S.AWAITING
    assert election.last.why_not == "Out started this run, so somebody else must approve it."
    assert "out" not in asked_people(election, waiting)
    assert election.vote(waiting, FIN).status is _S.DONE


def test_nor_does_their_second_account(stage: Stage) -> None:
    election = Election(stage)
    second = add(stage, "out2", "Out+second@Example.com")
    waiting = ask_as(election, OUT)
    assert election.vote(waiting, second).status is _S.AWAITING
    assert election.last.why_not == (
        "Out2 started this run through another account with the same address, so somebody else must approve it."
    )


def test_they_may_still_say_no(stage: Stage) -> None:
    election = Election(stage)
    waiting = ask_as(election, OUT)
    assert election.vote(waiting, OUT, Verb.REJECT).status is _S.REJECTED


def test_a_card_can_let_the_requester_decide(stage: Stage) -> None:
    election = Election(stage, "never_by: []")
    waiting = ask_as(election, OUT)
    assert election.vote(waiting, OUT).status is _S.DONE


def test_whoever_answers_for_the_agent_does_not_approve_where_the_card_says_so(stage: Stage) -> None:
    election = Election(stage, "never_by: [technical-owner, finance]")
    owner = add(stage, "bo", "bo@example.com")
    waiting = election.ask()
    election.vote(waiting, owner)
    assert election.last.why_not == "Bo is the technical owner, so somebody else must approve it."
    election.vote(waiting, FIN)
    assert election.last.why_not == "Fin is in finance, so somebody else must approve it."
    assert election.vote(waiting, OUT).status is _S.DONE


def test_whoever_is_away_is_stood_in_for(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}]")
    waiting = election.ask()
    assert election.vote(waiting, OUT).status is _S.AWAITING
    away(election, FIN, OUT)
    away(election, FIN2, None)
    assert asked_people(election, waiting) == ["out"]
    assert election.vote(waiting, OUT).status is _S.DONE
    assert (election.last.for_person, election.last.person) == ("fin", "out")


@pytest.mark.parametrize(("begins", "hours"), [(1, 2), (-2, 0.5)], ids=["not yet", "over"])
def test_only_while_they_are_away(stage: Stage, begins: float, hours: float) -> None:
    election = Election(stage, "need: [{of: finance}]", expires="24h")
    waiting = election.ask()
    away(election, FIN, OUT, begins=begins, hours=hours)
    stage.clock.turn(minutes=45)
    assert election.vote(waiting, OUT).status is _S.AWAITING


def test_whoever_comes_back_early_decides_themselves(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}]")
    waiting = election.ask()
    absence = away(election, FIN, OUT)
    with stage.database.write() as session:
        absences.end(session, absence, at=stage.clock(), by=FIN)
    assert asked_people(election, waiting) == ["fin", "fin2"]
    assert election.vote(waiting, OUT).status is _S.AWAITING
    assert stage.events(kind="absence.ended") == ["absence.ended"]


def test_standing_in_is_not_passed_on(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}]")
    waiting = election.ask()
    away(election, FIN, OUT)
    away(election, OUT, DUTY)
    assert election.vote(waiting, DUTY).status is _S.AWAITING


def test_a_requester_who_is_away_lends_nobody_the_right_to_approve_it(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}]")
    waiting = ask_as(election, FIN)
    away(election, FIN, OUT)
    assert election.vote(waiting, OUT).status is _S.AWAITING
    assert election.last.why_not == "Out stands in for Fin, who started this run; somebody else must approve it."


def test_a_person_and_their_stand_in_are_one_voice(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance, count: 2}]")
    waiting = election.ask()
    away(election, FIN, OUT)
    election.vote(waiting, FIN)
    assert election.vote(waiting, OUT).status is _S.AWAITING
    assert election.vote(waiting, FIN2).status is _S.DONE


def test_an_absence_that_makes_no_sense_is_refused(stage: Stage) -> None:
    election = Election(stage)
    away(election, FIN, OUT)
    with pytest.raises(Conflict, match="away then already"):
        away(election, FIN, None)
    with pytest.raises(InvalidInput, match="stands in for themselves"):
        away(election, SRE, SRE)
    with pytest.raises(InvalidInput, match="before it begins"):
        away(election, SRE, None, begins=3)
    with pytest.raises(InvalidInput, match="at most 366 days"):
        away(election, SRE, None, hours=24 * 400)
    with pytest.raises(InvalidInput, match="may not decide"):
        away(election, SRE, Actor(id="eve", name="Eve", via=Via.WEB))
    with pytest.raises(NotFound):
        away(election, _BO, None)
    assert stage.events(kind="absence.added") == ["absence.added"]


def test_a_request_that_is_handed_over_is_decided_by_the_other(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}]")
    waiting = election.ask()
    lend(election, waiting, FIN, OUT)
    assert asked_people(election, waiting) == ["fin2", "out"]
    assert election.asked(waiting) == {"group:finance": "card", "person:out": "reassigned"}
    assert election.vote(waiting, FIN).status is _S.AWAITING
    assert election.last.why_not == "Fin handed this request to Out."
    assert election.vote(waiting, OUT).status is _S.DONE
    assert election.last.for_person == "fin"
    assert "approval.reassigned" in election.events()


def test_either_decides_where_somebody_is_asked_besides(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance, count: 2}]")
    waiting = election.ask()
    lend(election, waiting, FIN, OUT, electorate.ASKED)
    assert asked_people(election, waiting) == ["fin", "fin2", "out"]
    election.vote(waiting, FIN)
    assert election.vote(waiting, OUT).status is _S.AWAITING
    assert election.vote(waiting, FIN2).status is _S.DONE


def test_only_what_one_may_do_can_be_handed_on(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}], never_by: [requester, sre]")
    waiting = ask_as(election, FIN)
    with pytest.raises(Forbidden, match="Fin started this run"):
        lend(election, waiting, FIN, OUT)
    with pytest.raises(Forbidden, match="Out is not among those"):
        lend(election, waiting, OUT, FIN2)
    with pytest.raises(Forbidden, match="Sre is in sre"):
        lend(election, waiting, FIN2, SRE)
    with pytest.raises(Forbidden, match="may not decide"):
        lend(election, waiting, FIN2, Actor(id="eve", name="Eve", via=Via.WEB))
    with pytest.raises(InvalidInput, match="same person"):
        lend(election, waiting, FIN2, FIN2)
    lend(election, waiting, FIN2, OUT)
    with pytest.raises(Forbidden, match="handed this request"):
        lend(election, waiting, FIN2, DUTY)
    with pytest.raises(Forbidden, match="Out is not among those"):
        lend(election, waiting, OUT, DUTY)
    election.vote(waiting, OUT, Verb.REJECT)
    with pytest.raises(Conflict, match="already rejected"):
        lend(election, waiting, FIN2, SRE2)


def test_a_person_is_asked_as_everything_they_are_and_stand_in_for(stage: Stage) -> None:
    election = Election(stage)
    away(election, SRE, FIN)
    with stage.database.read() as session:
        tokens = electorate.tokens_of(session, "fin", stage.clock())
        nothing = electorate.tokens_of(session, "eve", stage.clock())
    assert {"role:approver", "group:finance", "person:fin", "mail:fin@example.com"} <= tokens
    assert {"group:sre", "person:sre"} <= tokens
    assert nothing == frozenset()


def test_an_administrator_is_no_member_of_every_group(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}]")
    with stage.database.write() as session:
        boss = people.add(session, email="boss@example.com", roles=[Role.ADMIN], at=stage.clock())
    waiting = election.ask()
    assert election.vote(waiting, boss.acting(Via.WEB)).status is _S.AWAITING
