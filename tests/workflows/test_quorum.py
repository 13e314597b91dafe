"""Several people decide, on a real server: quorum, veto, silence, and two who decide in the same moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import ApprovalStatus, Decision, Verb
from assent.domain.errors import Conflict, Forbidden
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Actor, Role, Via
from assent.domain.runs import RunStatus
from assent.store.tables import ActionRow, DecisionRow, GroupMemberRow, GroupRow, PersonRow
from assent.store.votes import Fate
from tests.desk import CARD
from tests.world import ANN, ANSWERS, EVE, World, action

FIN, SRE, SRE2, DUTY = (Actor(id=name, name=name.capitalize(), via=Via.WEB) for name in ("fin", "sre", "sre2", "duty"))
_GROUPS = {"finance": [FIN], "sre": [SRE, SRE2]}
_TWO_GROUPS = "approval: {need: [{of: finance}, {of: sre}]}\n"
_S = ActionStatus
RACES = 200
"""Requests that two people decide in the same moment; the benchmarks do it 10,000 times."""


def people_arrive(world: World) -> None:
    """People with the role approver, in groups."""
    now = datetime.now(UTC)
    with world.database.write() as session:
        for person in (FIN, SRE, SRE2, DUTY):
            session.add(
                PersonRow(
                    id=person.id,
                    email=f"{person.id}@example.com",
                    mailbox=f"{person.id}@example.com",
                    name=person.name,
                    roles=[Role.APPROVER.value],
                    created_at=now,
                )
            )
        for name, members in _GROUPS.items():
            session.add(GroupRow(name=name, title=name, created_at=now))
            session.add_all(GroupMemberRow(group_name=name, person_id=one.id, added_at=now) for one in members)


async def fate(world: World, decision: Decision) -> Fate:
    """What a person is told became of their decision."""
    found = await world.gateway.fate(decision.id, wait_seconds=60)
    assert found is not None
    return found


async def waiting_payment(world: World, *, key: str = "a") -> tuple[str, ActionOutcome]:
    run_id = await world.start(action(key, "desk.pay", to="bob", amount=40))
    return run_id, await world.outcome(run_id, key, _S.AWAITING)


async def test_it_runs_with_the_last_vote_that_is_needed(world: World) -> None:
    people_arrive(world)
    world.publish(CARD + _TWO_GROUPS)
    run_id, waiting = await waiting_payment(world)
    first = await world.decide(waiting, Verb.APPROVE, by=SRE)
    assert (await fate(world, first)).status is ApprovalStatus.PENDING
    with pytest.raises(Forbidden, match="Ann Approver is not among those who decide this"):
        await world.decide(waiting, Verb.APPROVE, by=ANN)
    last = await world.decide(waiting, Verb.APPROVE, by=FIN)
    assert (await fate(world, last)).status is ApprovalStatus.APPROVED
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    assert world.desk.balances == {"bob": 40}
    kinds = world.events(run_id=run_id)
    assert [kind for kind in kinds if kind.startswith("approval.")] == [
        "approval.requested",
        "approval.voted",
        "approval.decided",
    ]
    assert world.events(kind="approval.refused") == ["approval.refused"]


async def test_a_vote_is_taken_back_before_the_last_one(world: World) -> None:
    people_arrive(world)
    world.publish(CARD + _TWO_GROUPS)
    run_id, waiting = await waiting_payment(world)
    vote = await world.decide(waiting, Verb.APPROVE, by=SRE)
    assert (await fate(world, vote)).counted
    with pytest.raises(Conflict, match="Sre has approved it before"):
        await world.decide(waiting, Verb.APPROVE, by=SRE)
    back = await world.decide(waiting, Verb.WITHDRAW, by=SRE)
    assert (await fate(world, back)).counted
    assert (await fate(world, vote)).lapsed
    await fate(world, await world.decide(waiting, Verb.APPROVE, by=FIN))
    assert world.row(ActionRow, waiting.action_id).status == _S.AWAITING
    await world.decide(waiting, Verb.APPROVE, by=SRE2)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    with pytest.raises(Conflict, match="too late to take it back"):
        await world.decide(waiting, Verb.WITHDRAW, by=FIN)


async def test_a_vote_is_taken_back_while_a_pause_holds_the_action(world: World) -> None:
    run_id, waiting = await waiting_payment(world)
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.RUN, name=run_id), by=ANN)
    await world.decide(waiting, Verb.APPROVE)
    await world.outcome(run_id, "a", _S.HELD)
    back = await world.decide(waiting, Verb.WITHDRAW)
    assert (await fate(world, back)).counted
    await world.outcome(run_id, "a", _S.AWAITING)
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    await world.decide(waiting, Verb.REJECT, reason="On second thoughts, no.")
    assert (await world.outcome(run_id, "a")).status is _S.REJECTED
    assert world.desk.done == []


async def test_a_request_is_handed_on(world: World) -> None:
    people_arrive(world)
    world.publish(CARD + _TWO_GROUPS)
    run_id, waiting = await waiting_payment(world)
    assert waiting.approval_id is not None
    with pytest.raises(Forbidden, match="hand over only their own place"):
        await world.gateway.reassign(waiting.approval_id, to=DUTY.id, from_person=FIN.id, by=SRE)
    await world.gateway.reassign(waiting.approval_id, to=DUTY.id, by=FIN, reason="I am on the train.")
    with pytest.raises(Forbidden, match="Fin handed this request to Duty"):
        await world.decide(waiting, Verb.APPROVE, by=FIN)
    await world.gateway.ask_also(waiting.approval_id, to=ANN.id, by=SRE)
    await world.decide(waiting, Verb.APPROVE, by=DUTY)
    await world.decide(waiting, Verb.APPROVE, by=ANN)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED


async def test_a_long_action_waits_for_all_its_votes(world: World) -> None:
    people_arrive(world)
    world.publish(CARD.replace("desk.letter: {tier: auto}", "desk.letter: {tier: approve}") + _TWO_GROUPS)
    run_id = await world.start(action("a", "desk.letter", text="Dear Bob"))
    waiting = await world.outcome(run_id, "a", _S.AWAITING)
    first = await world.decide(waiting, Verb.APPROVE, by=SRE)
    assert (await fate(world, first)).status is ApprovalStatus.PENDING
    await world.decide(waiting, Verb.APPROVE, by=FIN)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    history = await world.client.get_workflow_handle(run_id).fetch_history()
    scheduled = [event for event in history.events if event.HasField("activity_task_scheduled_event_attributes")]
    assert len(scheduled) == 1


async def test_everybody_votes_in_the_same_moment(world: World) -> None:
    people_arrive(world)
    world.publish(CARD + "approval: {need: [{of: finance}, {of: sre, count: 2}]}\n")
    run_id, waiting = await waiting_payment(world)
    votes = await asyncio.gather(*(world.decide(waiting, Verb.APPROVE, by=one) for one in (FIN, SRE, SRE2)))
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    assert [(await fate(world, vote)).counted for vote in votes] == [True] * 3
    assert world.desk.balances == {"bob": 40}


async def test_two_people_decide_in_the_same_moment(world: World) -> None:
    """One outcome each time, and both are told the truth about their decision."""
    people_arrive(world)
    keys = [f"a{number}" for number in range(RACES)]
    run_id = await world.start(
        *(action(key, "desk.pay", to=key, amount=1).model_copy(update={"after": []}) for key in keys)
    )
    requests = [await world.outcome(run_id, key, _S.AWAITING) for key in keys]

    async def one(waiting: ActionOutcome, verb: Verb, by: Actor) -> Fate | Conflict:
        try:
            decision = await world.decide(waiting, verb, by=by, reason="No." if verb is Verb.REJECT else "")
        except Conflict as refused:
            return refused
        return await fate(world, decision)

    async def race(number: int, waiting: ActionOutcome) -> None:
        verbs = (Verb.APPROVE, Verb.REJECT) if number % 2 else (Verb.REJECT, Verb.APPROVE)
        told = await asyncio.gather(one(waiting, verbs[0], SRE), one(waiting, verbs[1], FIN))
        outcome = await world.outcome(run_id, waiting.key)
        counted = [isinstance(each, Fate) and each.counted for each in told]
        assert sorted(counted) == [False, True], told
        won, lost = verbs[counted.index(True)], told[counted.index(False)]
        assert outcome.status is (_S.DONE if won is Verb.APPROVE else _S.REJECTED)
        said = lost.why_not if isinstance(lost, Fate) else lost.what
        assert "already" in said
        assert world.desk.done.count(outcome.action_id) == (won is Verb.APPROVE)

    for start in range(0, RACES, 20):
        some = list(enumerate(requests))[start : start + 20]
        await asyncio.gather(*(race(number, waiting) for number, waiting in some))
    await world.result(run_id)
    assert sum(world.desk.balances.values()) == len(world.desk.done)
    with world.database.read() as session:
        decisions = session.query(DecisionRow).filter_by(counted=True).count()
    assert decisions == RACES


async def test_time_does_what_the_card_says(world: World) -> None:
    """One minute, the shortest time that a card can give, for all that silence can mean."""
    people_arrive(world)
    rules = {
        "desk.pay": "{tier: approve, expires: 1m, approval: {on_silence: hold}}",
        "desk.tip": "{tier: approve, expires: 1m, approval: {on_silence: escalate, need: [{of: finance}]}}",
        "desk.note": "{tier: veto, veto: 1m}",
        "desk.idea": "{tier: veto, veto: 1m}",
        "desk.letter": "{tier: approve, approval: {need: [{of: sre}], escalate: [{after: 1m, to: [on-call]}]}}",
    }
    head, _, tail = CARD.partition("actions:\n")
    listed = "".join(f"  {name}: {rule}\n" for name, rule in rules.items())
    world.publish(f"{head}actions:\n{listed}on_call: [duty@example.com]\n{'never:' + tail.partition('never:')[2]}")
    steps = {
        "hold": action("hold", "desk.pay", to="bob", amount=1),
        "escalate": action("escalate", "desk.tip", to="bob", amount=2),
        "veto": action("veto", "desk.note", text="nobody minds"),
        "objected": action("objected", "desk.idea", text="somebody minds"),
        "asked": action("asked", "desk.letter", text="Dear Bob"),
    }
    run_id = await world.start(*(step.model_copy(update={"after": []}) for step in steps.values()))
    waiting = {key: await world.outcome(run_id, key, _S.AWAITING) for key in steps}
    with pytest.raises(Forbidden, match="Duty is not among those"):
        await world.decide(waiting["asked"], Verb.APPROVE, by=DUTY)
    await world.decide(waiting["objected"], Verb.REJECT, by=EVE, reason="I do.")
    assert (await world.outcome(run_id, "objected")).status is _S.REJECTED
    assert world.desk.done == []

    assert (await world.outcome(run_id, "veto")).status is _S.DONE
    for kind, key in (("approval.silent", "hold"), ("approval.escalated", "escalate"), ("approval.escalated", "asked")):
        wanted = {"action_id": f"{run_id}:{key}", "kind": kind}
        assert await world.eventually(lambda wanted=wanted: world.events(**wanted)) == [kind]  # type: ignore[misc]
    await world.decide(waiting["hold"], Verb.APPROVE, by=SRE)
    await world.decide(waiting["escalate"], Verb.APPROVE, by=DUTY)
    await world.decide(waiting["asked"], Verb.APPROVE, by=DUTY)
    counts = (await world.result(run_id)).counts
    assert counts == {"rejected": 1, "done": 4}
