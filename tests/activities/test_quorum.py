"""Quorum: the needs of the card are met by distinct people who may, in the transaction that claims the effect."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.people import Actor, Assurance, Role, Via
from assent.domain.ports import ExecuteAction
from assent.store import openings
from assent.store.tables import ApprovalRow, OpeningRow, PersonRow
from tests.activities.election import FIN, FIN2, OUT, PAY, SRE, SRE2, Election
from tests.activities.stage import Died, Stage, die_after_effect, until_settled

ONE_AND_TWO = "need: [{of: finance}, {of: sre, count: 2}]"
_S = ActionStatus


@pytest.fixture
def election(stage: Stage) -> Election:
    """One of finance and two of sre decide payments."""
    return Election(stage, ONE_AND_TWO)


def set_roles(stage: Stage, person: Actor, *roles: Role, disabled: bool = False) -> None:
    with stage.database.write() as session:
        values = {"roles": [role.value for role in roles], "disabled": disabled}
        session.execute(update(PersonRow).where(col(PersonRow.id) == person.id).values(values))


def test_the_last_vote_that_is_needed_runs_it(election: Election) -> None:
    waiting = election.ask()
    assert election.vote(waiting, SRE).status is _S.AWAITING
    assert election.vote(waiting, FIN).status is _S.AWAITING
    assert election.stage.desk.done == []
    assert election.vote(waiting, SRE2).status is _S.DONE
    assert election.stage.desk.balances == {"bob": 40}
    assert election.request(waiting).status == ApprovalStatus.APPROVED
    assert election.events() == ["approval.voted"] * 2 + ["approval.decided", "effect.claimed", "effect.done"]
    election.stage.check_chain()


def test_a_group_that_has_voted_enough_does_not_stand_in_for_another(election: Election) -> None:
    waiting = election.ask()
    for person in (FIN, FIN2, SRE):
        assert election.vote(waiting, person).status is _S.AWAITING
    assert election.vote(waiting, SRE2).status is _S.DONE


def test_who_is_asked_is_written_with_the_request_and_ends_with_it(election: Election) -> None:
    waiting = election.ask()
    assert election.asked(waiting) == {"group:finance": "card", "group:sre": "card"}
    for person in (FIN, SRE, SRE2):
        election.vote(waiting, person)
    assert election.asked(waiting) == {}


def test_a_vote_says_what_it_is_about_and_what_it_can_count_for(election: Election) -> None:
    waiting = election.ask()
    election.vote(waiting, SRE)
    assert election.last.digest == waiting.digest
    assert (election.last.revision, election.last.person, election.last.needs) == (1, "sre", ["group:sre"])


def test_the_same_vote_delivered_twice_counts_once(election: Election) -> None:
    waiting = election.ask()
    decision = election.decision(waiting, SRE)
    for _ in range(3):
        assert election.stage.execute(PAY, decision).status is _S.AWAITING
    assert election.events() == ["approval.voted"]


def test_one_person_is_one_voice(election: Election) -> None:
    waiting = election.ask()
    election.vote(waiting, FIN)
    election.vote(waiting, SRE)
    assert election.vote(waiting, SRE).status is _S.AWAITING
    assert election.last.why_not == "Sre has approved it before; one person is one voice."


def test_two_accounts_with_one_mailbox_are_one_voice(election: Election) -> None:
    with election.stage.database.write() as session:
        values = {"email": "sre+two@example.com", "mailbox": None}
        session.execute(update(PersonRow).where(col(PersonRow.id) == "sre2").values(values))
    waiting = election.ask()
    election.vote(waiting, FIN)
    election.vote(waiting, SRE)
    assert election.vote(waiting, SRE2).status is _S.AWAITING
    assert election.last.why_not == "Sre voted on it, and is the same person: one mailbox is one voice."


def test_an_outsider_is_told_who_decides(election: Election) -> None:
    waiting = election.ask()
    assert election.vote(waiting, OUT).status is _S.AWAITING
    assert not election.last.counted
    assert election.last.why_not == (
        "Out is not among those who decide this: it needs one of finance and two of sre, all of them different people."
    )
    assert election.events() == ["approval.late"]


@pytest.mark.parametrize("loss", ["group", "role", "account"])
def test_whoever_lost_the_right_meanwhile_does_not_count(election: Election, loss: str) -> None:
    waiting = election.ask()
    election.vote(waiting, SRE)
    election.vote(waiting, SRE2)
    match loss:
        case "group":
            election.leave("sre", SRE)
        case "role":
            set_roles(election.stage, SRE, Role.OPERATOR)
        case _:
            set_roles(election.stage, SRE, Role.APPROVER, disabled=True)
    assert election.vote(waiting, FIN).status is _S.AWAITING
    assert election.row(1).lapsed
    assert election.row(1).why_lapsed
    assert election.events() == ["approval.voted"] * 2 + ["approval.lapsed", "approval.voted"]
    election.join("sre", OUT)
    assert election.vote(waiting, OUT).status is _S.DONE


def test_whoever_joined_meanwhile_counts(election: Election) -> None:
    waiting = election.ask()
    for person in (FIN, SRE):
        election.vote(waiting, person)
    election.join("sre", OUT)
    assert election.vote(waiting, OUT).status is _S.DONE


def test_a_rejection_ends_it_whatever_was_approved(election: Election) -> None:
    waiting = election.ask()
    election.vote(waiting, SRE)
    outcome = election.vote(waiting, FIN, Verb.REJECT)
    assert (outcome.status, outcome.message) == (_S.REJECTED, "No.")
    assert election.vote(waiting, SRE2).status is _S.REJECTED
    assert election.last.why_not == "It was already rejected."


def test_a_card_can_ask_for_several_rejections(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}], deny: 2")
    waiting = election.ask()
    assert election.vote(waiting, FIN, Verb.REJECT).status is _S.AWAITING
    assert election.vote(waiting, FIN, Verb.REJECT).status is _S.AWAITING
    assert "one person is one voice" in election.last.why_not
    assert election.vote(waiting, FIN2, Verb.REJECT).status is _S.REJECTED
    assert election.events() == ["approval.voted", "approval.late", "approval.decided"]


def test_a_rejection_that_lapsed_does_not_count(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance}], deny: 2")
    waiting = election.ask()
    election.vote(waiting, FIN, Verb.REJECT)
    election.leave("finance", FIN)
    assert election.vote(waiting, FIN2, Verb.REJECT).status is _S.AWAITING
    assert election.row(1).lapsed


def test_whoever_changes_their_mind_counts_for_the_last_thing_they_said(stage: Stage) -> None:
    election = Election(stage, "need: [{of: finance, count: 2}], deny: 2")
    waiting = election.ask()
    election.vote(waiting, FIN, Verb.REJECT)
    election.vote(waiting, FIN)
    assert (election.row(1).lapsed, election.row(1).why_lapsed) == (True, "Fin changed their mind.")
    assert election.vote(waiting, FIN2).status is _S.DONE


def test_a_vote_taken_back_does_not_count(election: Election) -> None:
    waiting = election.ask()
    election.vote(waiting, SRE)
    assert election.vote(waiting, SRE, Verb.WITHDRAW).status is _S.AWAITING
    assert (election.row(1).lapsed, election.row(1).why_lapsed) == (True, "It was taken back.")
    election.vote(waiting, FIN)
    assert election.vote(waiting, SRE2).status is _S.AWAITING
    assert election.vote(waiting, SRE).status is _S.DONE
    assert "approval.taken_back" in election.events()


def test_nobody_takes_back_what_another_gave_or_what_has_run(election: Election) -> None:
    waiting = election.ask()
    election.vote(waiting, SRE)
    election.vote(waiting, FIN, Verb.WITHDRAW)
    assert election.last.why_not == "They have no vote in force on it."
    for person in (FIN, SRE2):
        election.vote(waiting, person)
    assert election.vote(waiting, SRE, Verb.WITHDRAW).status is _S.DONE
    assert election.last.why_not == "It was already approved."


def test_what_a_pause_holds_can_be_taken_back_and_is_asked_again(election: Election) -> None:
    waiting = election.ask()
    election.stage.pause()
    for person in (FIN, SRE, SRE2):
        outcome = election.vote(waiting, person)
    assert outcome.status is _S.HELD
    assert election.vote(waiting, SRE, Verb.WITHDRAW).status is _S.AWAITING
    assert election.request(waiting).status == ApprovalStatus.PENDING
    assert election.asked(waiting) == {"group:finance": "card", "group:sre": "card"}
    election.stage.resume()
    assert election.stage.desk.done == []
    assert election.vote(waiting, SRE).status is _S.DONE


def test_a_right_lost_while_a_pause_held_it_is_noticed_before_it_runs(election: Election) -> None:
    waiting = election.ask()
    election.stage.pause()
    decisions = [election.decision(waiting, person) for person in (FIN, SRE, SRE2)]
    outcomes = [election.stage.execute(PAY, decision).status for decision in decisions]
    assert outcomes == [_S.AWAITING, _S.AWAITING, _S.HELD]
    election.leave("sre", SRE)
    election.stage.resume()
    assert election.stage.execute(PAY, decisions[-1]).status is _S.AWAITING
    assert election.stage.desk.done == []
    assert election.row(2).lapsed
    assert election.events()[-2:] == ["approval.lapsed", "approval.reopened"]
    election.join("sre", OUT)
    assert election.vote(waiting, OUT).status is _S.DONE


def test_taking_back_what_one_never_gave_lets_nothing_run(election: Election) -> None:
    waiting = election.ask()
    election.stage.pause()
    for person in (FIN, SRE, SRE2):
        election.vote(waiting, person)
    election.leave("sre", SRE)
    election.stage.resume()
    assert election.vote(waiting, OUT, Verb.WITHDRAW).status is _S.AWAITING
    assert election.last.why_not == "They have no vote in force on it."
    assert election.stage.desk.done == []


def test_a_right_lost_while_an_approved_action_waits_for_a_worker_is_noticed(election: Election) -> None:
    waiting = election.ask()
    for person in (FIN, SRE):
        election.vote(waiting, person)
    request = ExecuteAction(
        header=election.stage.header(first=False), action=PAY, decision=election.decision(waiting, SRE2), vote_only=True
    )
    assert election.stage.execution.execute(request).status is _S.CLEARED
    election.leave("sre", SRE)
    begun = request.model_copy(update={"vote_only": False})
    assert election.stage.execution.execute(begun).status is _S.AWAITING
    assert election.stage.desk.done == []
    assert election.request(waiting).status == ApprovalStatus.PENDING
    election.join("sre", OUT)
    assert election.vote(waiting, OUT).status is _S.DONE


def test_an_approval_that_still_stands_runs_when_the_pause_ends(election: Election) -> None:
    waiting = election.ask()
    election.stage.pause()
    for person in (FIN, SRE):
        election.vote(waiting, person)
    last = election.decision(waiting, SRE2)
    assert election.stage.execute(PAY, last).status is _S.HELD
    election.stage.resume()
    assert election.stage.execute(PAY, last).status is _S.DONE


def test_a_worker_that_died_after_the_last_vote_does_nothing_twice(election: Election) -> None:
    waiting = election.ask()
    for person in (FIN, SRE):
        election.vote(waiting, person)
    last = election.decision(waiting, SRE2)
    die_after_effect(election.stage.desk)
    with pytest.raises(Died):
        election.stage.execute(PAY, last)
    assert until_settled(election.stage, lambda: election.stage.execute(PAY, last)).status is _S.DONE
    assert election.stage.desk.done == ["run-1:a"]


def test_over_an_amount_a_lead_decides(stage: Stage) -> None:
    election = Election(
        stage,
        "raise: [{when: args.amount > 30, need: [{of: finance}], because: Over 30 finance decides.}]",
    )
    waiting = election.ask()
    assert election.vote(waiting, SRE).status is _S.AWAITING
    assert election.vote(waiting, FIN).status is _S.DONE


@pytest.mark.parametrize(
    ("needed", "carried", "via", "counts"),
    [
        ("session", None, Via.SLACK, False),
        ("session", None, Via.WEB, True),
        ("session", Assurance.SESSION, Via.WEB, True),
        ("fresh", Assurance.SESSION, Via.WEB, False),
        ("fresh", None, Via.WEB, False),
        ("fresh", Assurance.FRESH, Via.WEB, True),
        ("slack", None, Via.SLACK, True),
    ],
)
def test_it_must_be_sure_enough_who_decides(
    stage: Stage, needed: str, carried: Assurance | None, via: Via, counts: bool
) -> None:
    election = Election(stage, f"assurance: {needed}")
    waiting = election.ask()
    by = FIN.model_copy(update={"via": via})
    outcome = election.vote(waiting, by, assurance=carried)
    assert outcome.status is (_S.DONE if counts else _S.AWAITING)
    assert election.last.counted is counts
    if not counts:
        assert "This needs" in election.last.why_not


def test_a_request_from_before_there_were_rules_is_decided_by_any_approver(stage: Stage) -> None:
    election = Election(stage)
    waiting = election.ask()
    with stage.database.write() as session:
        session.execute(
            update(ApprovalRow)
            .where(col(ApprovalRow.id) == waiting.approval_id)
            .values(rules=None, agenda=None, due_at=None)
        )
    assert stage.submit(PAY).expires_in is not None
    assert election.vote(waiting, OUT).status is _S.DONE


def test_a_card_can_ask_that_it_was_opened_before(stage: Stage) -> None:
    """As it stands now, by the person who approves it."""
    election = Election(stage, "opened: true")
    waiting = election.ask()
    assert waiting.approval_id is not None
    openings.note(stage.database, waiting.approval_id, SRE.id, stage.clock())
    assert election.vote(waiting, FIN).status is _S.AWAITING
    assert election.last.why_not == openings.NOT_OPENED
    for _ in range(2):
        openings.note(stage.database, waiting.approval_id, FIN.id, stage.clock())
    assert election.vote(waiting, FIN).status is _S.DONE


def test_nobody_is_noted_where_the_card_does_not_ask(stage: Stage) -> None:
    election = Election(stage)
    waiting = election.ask()
    assert waiting.approval_id is not None
    openings.note(stage.database, waiting.approval_id, FIN.id, stage.clock())
    assert stage.find(OpeningRow, (waiting.approval_id, waiting.digest, FIN.id)) is None


def test_votes_that_came_together_count_in_their_order(election: Election) -> None:
    waiting = election.ask()
    votes = [election.decision(waiting, person) for person in (SRE, FIN, SRE2)]
    header = election.stage.header(first=False)
    request = ExecuteAction(header=header, action=PAY, earlier=votes[:2], decision=votes[2])
    assert election.stage.execution.execute(request).status is _S.DONE
    assert election.events() == ["approval.voted"] * 2 + ["approval.decided", "effect.claimed", "effect.done"]
    assert [election.row(number).counted for number in (1, 2, 3)] == [True] * 3
    assert election.stage.execution.execute(request).status is _S.DONE
    assert election.stage.desk.balances == {"bob": 40}


def test_a_vote_behind_the_one_that_decided_is_late(election: Election) -> None:
    waiting = election.ask()
    votes = [election.decision(waiting, person) for person in (SRE, FIN, OUT, SRE2, FIN2)]
    header = election.stage.header(first=False)
    request = ExecuteAction(header=header, action=PAY, earlier=votes[:4], decision=votes[4])
    assert election.stage.execution.execute(request).status is _S.DONE
    assert [election.row(number).counted for number in range(1, 6)] == [True, True, False, True, False]
    assert "already approved" in election.row(5).why_not
    election.stage.check_chain()
