"""Edits in running workflows: they and votes have their turn in the order they came, whatever happens around them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import Decision, Verb
from assent.domain.canonical import Json
from assent.domain.errors import BrokenArguments, Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Actor, Role, Via
from assent.domain.revisions import Edit
from assent.domain.runs import RunStatus
from assent.gateway import MAX_PAYLOAD
from assent.runtime.settings import Settings
from assent.runtime.verify import verify
from assent.store.queries.revisions import EditView
from assent.store.tables import DecisionRow, PersonRow
from tests.desk import CARD
from tests.early_server import early_server
from tests.world import AGENT, ANN, ANSWERS, EVE, World, action, make_world

BEA = Actor(id="bea", name="Bea Both", via=Via.WEB)
PAY = action("pay", "desk.pay", to="bob", amount=40)
TWO = CARD.replace("    expires: 1h\n", "    expires: 1h\n    approval: {need: [{of: 'role:approver', count: 2}]}\n")


async def asked(world: World, run_id: str, revision: int = 1) -> ActionOutcome:
    """The payment, once its request is at this revision."""

    outcome = await world.outcome(run_id, "pay", ActionStatus.AWAITING)
    await world.eventually(lambda: world.approval(outcome.approval_id or "").revision >= revision)
    return await world.outcome(run_id, "pay", ActionStatus.AWAITING)


async def edit(world: World, outcome: ActionOutcome, *, by: Actor = ANN, **arguments: Json) -> EditView:
    """Edit, and wait for what the run says."""
    assert outcome.approval_id is not None
    assert outcome.digest is not None
    sent = await world.gateway.revise(
        outcome.approval_id, arguments, digest=outcome.digest, by=by, reason="Less will do."
    )
    return await said(world, sent.id)


async def said(world: World, edit_id: str) -> EditView:
    while True:
        view = await world.gateway.edited(edit_id, wait_seconds=10)
        if view is not None:
            return view


def message(outcome: ActionOutcome, id: str = "", **arguments: Json) -> Edit:
    """The signal itself, as a gateway that lost a race would send it."""
    return Edit(
        id=id or uuid.uuid4().hex,
        approval_id=outcome.approval_id or "",
        action_id=outcome.action_id,
        digest=outcome.digest or "",
        arguments=arguments,
        by=ANN,
        at=datetime.now(UTC),
    )


async def signal(world: World, name: str, sent: Edit | Decision) -> None:
    run_id = sent.action_id.rpartition(":")[0]
    await world.client.get_workflow_handle(run_id).signal(name, sent)


def add_bea(world: World) -> None:
    with world.database.write() as session:
        session.add(
            PersonRow(
                id=BEA.id,
                email="bea@example.com",
                name=BEA.name,
                roles=[Role.APPROVER.value],
                created_at=datetime.now(UTC),
            )
        )


async def check_agreement(world: World) -> None:
    """History, rows and ledger agree."""
    report = await verify(world.database, world.client, lambda step: None)
    assert report.faults == []


async def test_edit_then_approve_runs_the_edited_arguments(world: World) -> None:
    run_id = await world.start(PAY, action("look", "desk.read", text={"$ref": "pay.echo.amount"}))
    first = await asked(world, run_id)
    view = await edit(world, first, to="bob", amount=25)
    assert (view.revision, view.why_not, view.by.name) == (2, "", "Ann Approver")
    second = await asked(world, run_id, 2)
    assert second.digest not in (None, first.digest)
    with pytest.raises(Conflict, match="no longer shows"):
        await world.decide(first, Verb.APPROVE)
    await world.decide(second, Verb.APPROVE)
    done = await world.outcome(run_id, "pay")
    assert done.status is ActionStatus.DONE
    assert (done.edited_by, done.arguments) == ("Ann Approver", {"to": "bob", "amount": 25})
    assert world.desk.balances == {"bob": 25}
    # The plan goes on with what happened, not with what was proposed.
    assert (await world.outcome(run_id, "look")).result["echo"] == {"text": 25}
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    await check_agreement(world)


async def test_the_agent_is_told_by_its_own_proposal(world: World) -> None:
    run_id = await world.start(open=True)
    waiting = await world.gateway.propose(run_id, PAY, by=AGENT)
    await edit(world, waiting, to="bob", amount=25)
    again = await world.gateway.propose(run_id, PAY, by=AGENT)
    assert (again.status, again.edited_by) == (ActionStatus.AWAITING, "Ann Approver")
    await world.decide(again, Verb.REJECT, reason="Neither.")
    rejected = await world.outcome(run_id, "pay")
    assert (rejected.message, rejected.arguments) == ("Neither.", {"to": "bob", "amount": 25})


async def test_votes_before_lapse(world: World) -> None:
    world.publish(TWO)
    add_bea(world)
    run_id = await world.start(PAY)
    first = await asked(world, run_id)
    vote = await world.decide(first, Verb.APPROVE, by=BEA)
    await world.eventually(lambda: "approval.voted" in world.events(run_id=run_id) or None)
    await edit(world, first, to="bob", amount=25)
    row = world.row(DecisionRow, vote.id)
    assert (row.counted, row.lapsed, row.why_lapsed) == (True, True, "Ann Approver edited the arguments.")
    second = await asked(world, run_id, 2)
    await world.decide(second, Verb.APPROVE, by=ANN)
    await world.decide(second, Verb.APPROVE, by=BEA)
    assert (await world.result(run_id)).counts == {"done": 1}
    assert world.desk.balances == {"bob": 25}
    await check_agreement(world)


async def test_a_request_changed_behind_the_ledgers_back_is_found(world: World) -> None:
    run_id = await world.start(PAY)
    first = await asked(world, run_id)
    await edit(world, first, to="bob", amount=25)
    await check_agreement(world)
    with world.database.write() as session:
        session.execute(text("UPDATE approvals SET digest = :former"), {"former": first.digest})
    report = await verify(world.database, world.client, lambda step: None)
    assert [fault.where for fault in report.faults] == [f"action {run_id}:pay"]
    assert "something other than what the ledger says" in report.faults[0].what


async def test_arguments_as_large_as_they_may_be_are_edited(world: World) -> None:
    """The whole goes through signal, activity and history, and the agent is told where it is kept."""
    run_id = await world.start(PAY)
    much = "x" * (MAX_PAYLOAD - 100)
    view = await edit(world, await asked(world, run_id), to=much, amount=25)
    assert view.revision == 2
    second = await asked(world, run_id, 2)
    assert (await edit(world, second, to=much, amount=20)).revision == 3
    await world.decide(await asked(world, run_id, 3), Verb.APPROVE)
    assert (await world.result(run_id)).counts == {"done": 1}
    assert world.desk.balances == {much: 20}
    await check_agreement(world)


async def test_what_the_gateway_refuses_on_the_spot(world: World) -> None:
    run_id = await world.start(PAY)
    waiting = await asked(world, run_id)
    with pytest.raises(BrokenArguments) as broken:
        await edit(world, waiting, to=7, more=True)
    assert set(broken.value.faults) == {"/amount", "/to", ""}
    with pytest.raises(InvalidInput, match="Nothing was changed"):
        await edit(world, waiting, to="bob", amount=40)
    with pytest.raises(Forbidden):
        await edit(world, waiting, by=EVE, to="bob", amount=1)
    with pytest.raises(Conflict, match="no longer shows"):
        await edit(world, waiting.model_copy(update={"digest": "0" * 64}), to="bob", amount=1)
    with pytest.raises(NotFound):
        await edit(world, waiting.model_copy(update={"approval_id": "ap-nothing"}), to="bob", amount=1)
    assert world.events(kind="approval.edit_refused") == []


async def test_what_the_rules_refuse_leaves_the_request_as_it_is(world: World) -> None:
    run_id = await world.start(PAY)
    waiting = await asked(world, run_id)
    view = await edit(world, waiting, to="mallory", amount=1)
    assert view.revision is None
    assert "Mallory is never paid." in view.why_not
    await world.decide(waiting, Verb.APPROVE)
    assert (await world.result(run_id)).counts == {"done": 1}
    assert world.desk.balances == {"bob": 40}


@pytest.mark.parametrize("first", ["approve", "edit"])
async def test_an_edit_racing_with_an_approval_has_one_outcome(world: World, first: str) -> None:
    """Both were right when they were sent. Whichever reaches the run first counts; the other is told so."""
    run_id = await world.start(PAY)
    waiting = await asked(world, run_id)
    assert waiting.approval_id is not None
    vote = Decision(
        id="vote",
        approval_id=waiting.approval_id,
        action_id=waiting.action_id,
        digest=waiting.digest or "",
        verb=Verb.APPROVE,
        by=ANN,
        at=datetime.now(UTC),
    )
    change = message(waiting, "change", to="bob", amount=25)
    sent: list[tuple[str, Edit | Decision]] = [("decide", vote), ("revise", change)]
    for name, each in sent if first == "approve" else reversed(sent):
        await signal(world, name, each)
    view = await said(world, "change")
    if first == "approve":
        assert view.why_not in ("It was already approved.", "It was already settled.")
        assert world.row(DecisionRow, "vote").counted
    else:
        assert view.revision == 2
        await world.eventually(lambda: "approval.late" in world.events(run_id=run_id) or None)
        assert "something other" in world.row(DecisionRow, "vote").why_not
        await world.decide(await asked(world, run_id, 2), Verb.APPROVE)
    assert (await world.result(run_id)).counts == {"done": 1}
    assert world.desk.balances == {"bob": 40 if first == "approve" else 25}
    await check_agreement(world)


async def test_many_edits_and_votes_at_once_have_one_outcome_each(world: World) -> None:
    run_id = await world.start(PAY)
    waiting = await asked(world, run_id)
    edits = [message(waiting, f"change-{number}", to="bob", amount=number) for number in range(1, 9)]
    await asyncio.gather(*(signal(world, "revise", each) for each in [*edits, *edits]))
    views = [await said(world, each.id) for each in edits]
    made = [view for view in views if view.revision is not None]
    assert [view.revision for view in made] == [2]
    assert all("something other" in view.why_not for view in views if view.revision is None)
    await world.decide(await asked(world, run_id, 2), Verb.APPROVE)
    assert (await world.result(run_id)).counts == {"done": 1}
    assert world.desk.balances == {"bob": int(made[0].id.rpartition("-")[2])}
    await check_agreement(world)


async def test_an_edit_under_a_pause(world: World) -> None:
    run_id = await world.start(PAY)
    waiting = await asked(world, run_id)
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.EVERYTHING), by=ANN)
    view = await edit(world, waiting, to="bob", amount=25)
    assert view.revision == 2
    second = await asked(world, run_id, 2)
    await world.decide(second, Verb.APPROVE)
    await world.outcome(run_id, "pay", ActionStatus.HELD)
    await signal(world, "revise", message(second, "late", to="bob", amount=1))
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    assert (await world.result(run_id)).counts == {"done": 1}
    assert world.desk.balances == {"bob": 25}
    assert "already" in (await said(world, "late")).why_not


async def test_an_edit_of_what_is_settled_or_never_was_is_told(world: World) -> None:
    run_id = await world.start(PAY, open=True)
    waiting = await asked(world, run_id)
    await world.decide(waiting, Verb.REJECT, reason="No.")
    await world.outcome(run_id, "pay")
    await signal(world, "revise", message(waiting, "late", to="bob", amount=1))
    assert (await said(world, "late")).why_not == "It was already rejected."
    never = waiting.model_copy(update={"action_id": f"{run_id}:never"})
    await signal(world, "revise", message(never, "never", to="bob", amount=1))
    assert (await world.gateway.propose(run_id, action("n", "desk.note", text="on"), by=AGENT)).status == "done"
    assert await world.gateway.edited("never") is None
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED


async def test_an_edit_before_the_action_is_known_has_its_turn(world: World) -> None:
    """The signal overtakes the proposal."""
    run_id = await world.start(open=True)
    known = await world.gateway.propose(run_id, action("other", "desk.pay", to="bob", amount=1), by=AGENT)
    early = known.model_copy(update={"action_id": f"{run_id}:pay"})
    await signal(world, "revise", message(early, "early", to="bob", amount=1))
    waiting = await world.gateway.propose(run_id, PAY, by=AGENT)
    assert waiting.status is ActionStatus.AWAITING
    assert (await edit(world, waiting, to="bob", amount=25)).revision == 2
    await world.gateway.end_run(run_id, by=ANN, stop=True)
    assert (await world.result(run_id)).status is RunStatus.STOPPED


async def test_a_stopped_run_takes_no_edit(world: World) -> None:
    run_id = await world.start(PAY)
    waiting = await asked(world, run_id)
    await world.gateway.end_run(run_id, by=ANN, stop=True)
    await world.result(run_id)
    with pytest.raises(Conflict, match="already withdrawn"):
        await edit(world, waiting, to="bob", amount=25)


# --- across continue-as-new ---


@pytest.fixture(scope="module")
def early(temporal_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that suggests early to continue as new."""
    with early_server(temporal_executable, tmp_path_factory.mktemp("early"), after=40) as address:
        yield address


@pytest_asyncio.fixture
async def restless(early: str, settings: Settings) -> AsyncIterator[World]:
    """A world on that server."""
    world = await make_world(early, settings.database_url, settings)
    async with world.working():
        yield world
    world.database.close()


async def test_edits_across_continue_as_new(restless: World) -> None:
    """A request is edited before, between and after borders, while the run crosses one after the other."""
    world = restless
    run_id = await world.start(open=True)
    waiting = await world.gateway.propose(run_id, PAY, by=AGENT)

    async def work(turn: int) -> None:
        for number in range(30):
            await world.gateway.propose(run_id, action(f"n{turn}-{number}", "desk.note", text="on"), by=AGENT)

    for turn in range(4):
        working = asyncio.create_task(work(turn))
        view = await edit(world, waiting, to="bob", amount=30 - turn)
        assert view.revision == turn + 2
        waiting = await asked(world, run_id, turn + 2)
        await working
    first = (await world.client.get_workflow_handle(run_id).fetch_history()).events[0]
    assert first.workflow_execution_started_event_attributes.continued_execution_run_id
    await world.decide(waiting, Verb.APPROVE)
    done = await world.outcome(run_id, "pay")
    assert (done.status, done.arguments) == (ActionStatus.DONE, {"to": "bob", "amount": 27})
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 121}
    assert world.desk.balances == {"bob": 27}
    await check_agreement(world)
