"""Record the histories that ``test_replay`` replays: ``python -m tests.replay.record [STORY…]``, from the top.

Run it for a story that is new, and keep the old files as long as runs that began under them may go on: a history that
no longer replays asks for ``workflow.patched``, not for being recorded again.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import Verb
from assent.domain.pauses import ResumeAnswers, Scope, ScopeKind
from assent.domain.people import Actor, Role, Via
from assent.domain.ports import Queue, WorkflowName
from assent.domain.revisions import Edit
from assent.domain.rollback_approval import RollbackVerb
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.runs import OnFailure
from assent.domain.settling import Reconcile, RetryEffect, Settlement, SettlingRequest
from assent.runtime import processes
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import locate
from assent.store.tables import PersonRow, RollbackRow
from assent_activities.connectors import ActionFailed, Call
from tests.desk import CARD
from tests.early_server import early_server
from tests.replay.stopping_stories import STOPPING_STORIES
from tests.world import AGENT, ANN, ANSWERS, EVE, World, action, make_world

HISTORIES = Path(__file__).parent / "histories"

_WORKER = re.compile(r'"\d+@[^"]*"')
_STACK = re.compile(r'(?<="stackTrace": )"(?:[^"\\]|\\.)*"')
"""What names the recording machine (a process at a host, where files lie); a replay does not need it."""

Story = Callable[[World], Awaitable[list[str]]]


async def plan_approved(world: World) -> list[str]:
    """A plan: look up, write down what was found, pay once approved, send a long letter."""
    run_id = await world.start(
        action("read", "desk.read", text="the price"),
        action("note", "desk.note", text={"$ref": "read.echo.text"}),
        action("pay", "desk.pay", to="bob", amount=4),
        action("letter", "desk.letter", text="Dear Bob"),
    )
    await world.decide(await world.outcome(run_id, "pay", ActionStatus.AWAITING), Verb.APPROVE)
    await world.result(run_id)
    return [run_id]


async def proposals(world: World) -> list[str]:
    """An open run: automatic, rejected, refused, suggested, withdrawn by stopping."""
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("note", "desk.note", text="milk"), by=AGENT)
    rejected = await world.gateway.propose(run_id, action("pay", "desk.pay", to="bob", amount=4), by=AGENT)
    await world.decide(rejected, Verb.REJECT, reason="Not today.")
    await world.outcome(run_id, "pay")
    await world.gateway.propose(run_id, action("never", "desk.pay", to="mallory", amount=4), by=AGENT)
    await world.gateway.propose(run_id, action("idea", "desk.idea", text="more milk"), by=AGENT)
    await world.gateway.propose(run_id, action("later", "desk.pay", to="bob", amount=5), by=AGENT)
    await world.gateway.end_run(run_id, by=ANN, stop=True)
    await world.result(run_id)
    return [run_id]


async def failure(world: World) -> list[str]:
    """A plan whose first action fails, so that the second is withdrawn."""
    run_id = await world.start(action("pay", "desk.pay", to="nobody", amount=1), action("note", "desk.note", text="x"))
    await world.result(run_id)
    return [run_id]


async def held(world: World) -> list[str]:
    """A pause holds a proposed and an approved action; both go on when it ends."""
    run_id = await world.start(open=True)
    pay = await world.gateway.propose(run_id, action("pay", "desk.pay", to="bob", amount=4), by=AGENT)
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.AGENT, name="desk-clerk"), by=ANN, cause="A look")
    await world.decide(pay, Verb.APPROVE)
    await world.outcome(run_id, "pay", ActionStatus.HELD)
    await world.gateway.propose(run_id, action("note", "desk.note", text="milk"), by=AGENT)
    await world.gateway.resume(
        pause_id, by=ANN, answers=ResumeAnswers(cause="A test.", changed="All is well."), at_once=True
    )
    await world.outcome(run_id, "pay")
    await world.outcome(run_id, "note")
    await world.gateway.end_run(run_id, by=AGENT)
    await world.result(run_id)
    await world.client.get_workflow_handle(pause_id).result()
    return [run_id, pause_id]


async def undone(world: World) -> list[str]:
    """A run is rolled back while it is still open."""
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("note", "desk.note", text="milk"), by=AGENT)
    await world.gateway.propose(run_id, action("tip", "desk.tip", to="bob", amount=2), by=AGENT)
    scope = RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)
    preview = await world.gateway.preview_rollback(scope, by=ANN)
    rollback_id = (await world.gateway.rollback(scope, by=ANN, reason="Wrong customer")).id

    def finished() -> bool:
        with world.database.read() as session:
            row = session.get(RollbackRow, rollback_id)
            return row is not None and row.finished_at is not None

    await world.eventually(finished)
    await world.client.get_workflow_handle(rollback_id).result()
    return [run_id, preview.rollback_id, rollback_id]


async def continued(world: World) -> list[str]:
    """A run that continues as new with an approval waiting (the recorder's server suggests it early)."""
    run_id = await world.start(open=True)
    pay = await world.gateway.propose(run_id, action("pay", "desk.pay", to="bob", amount=4), by=AGENT)
    for number in range(40):
        await world.gateway.propose(run_id, action(f"n{number}", "desk.note", text=str(number)), by=AGENT)
    await world.decide(pay, Verb.APPROVE)
    await world.outcome(run_id, "pay")
    await world.gateway.end_run(run_id, by=AGENT)
    await world.result(run_id)
    return [run_id]


async def plan_with_failures(world: World) -> list[str]:
    """A plan with references, a failure and what depends on it, and an approval in its middle."""
    run_id = await world.start(
        action("a", "desk.read", text="milk"),
        action("b", "desk.pay", to="bob", amount=40),
        action("c", "desk.note", text={"$ref": "a.echo.text"}),
        action("d", "desk.tip", to="nobody", amount=1),
        action("e", "desk.note", text={"$ref": "d.echo.text"}),
        action("f", "desk.note", text="after all").model_copy(update={"after": ["d"]}),
        on_failure=OnFailure.CONTINUE,
    )
    await world.decide(await world.outcome(run_id, "b", ActionStatus.AWAITING), Verb.APPROVE)
    await world.result(run_id)
    return [run_id]


async def late_decisions(world: World) -> list[str]:
    """A rejection, and decisions that come too late or name nothing."""
    run_id = await world.start(open=True)
    waiting = await world.gateway.propose(run_id, action("a", "desk.pay", to="bob", amount=40), by=AGENT)
    decision = await world.decide(waiting, Verb.REJECT, reason="Bob was paid.")
    await world.outcome(run_id, "a")
    handle = world.client.get_workflow_handle(run_id)
    late = decision.model_copy(update={"id": "late", "verb": Verb.APPROVE})
    for message in (late, late, decision.model_copy(update={"id": "nothing", "action_id": f"{run_id}:nothing"})):
        await handle.signal("decide", message)
    await world.eventually(lambda: "approval.late" in world.events(run_id=run_id))
    await world.gateway.end_run(run_id, by=AGENT)
    await world.result(run_id)
    return [run_id]


async def forged_decision(world: World) -> list[str]:
    """A decision that does not count, followed by one that does."""
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    decision = await world.decide(waiting.model_copy(), Verb.APPROVE, by=ANN)
    forged = decision.model_copy(update={"id": "forged", "by": AGENT})
    await world.client.get_workflow_handle(run_id).signal("decide", forged)
    await world.result(run_id)
    return [run_id]


async def quorum(world: World) -> list[str]:
    """Two of three people: a vote taken back, one that does not count, an escalation meanwhile, the last one; long."""
    newcomers(world, "bea", "cid")
    two = "approval: {need: [{of: 'role:approver', count: 2}], escalate: [{after: 1m, to: [escalation]}]}"
    world.publish(CARD.replace("desk.letter: {tier: auto}", "desk.letter: {tier: approve}") + two + "\n")
    run_id = await world.start(
        action("pay", "desk.pay", to="bob", amount=40),
        action("letter", "desk.letter", text="Dear Bob").model_copy(update={"after": []}),
    )
    bea, cid = (Actor(id=name, name=name.capitalize(), via=Via.WEB) for name in ("bea", "cid"))
    pay = await world.outcome(run_id, "pay", ActionStatus.AWAITING)
    letter = await world.outcome(run_id, "letter", ActionStatus.AWAITING)
    for waiting, verb, by in ((pay, Verb.APPROVE, ANN), (pay, Verb.WITHDRAW, ANN), (letter, Verb.APPROVE, ANN)):
        await world.gateway.fate((await world.decide(waiting, verb, by=by)).id, wait_seconds=30)
    await asyncio.sleep(62)
    await world.decide(pay, Verb.APPROVE, by=bea)
    await world.decide(letter, Verb.APPROVE, by=cid)
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.RUN, name=run_id), by=ANN)
    await world.decide(pay, Verb.APPROVE, by=cid)
    await world.outcome(run_id, "pay", ActionStatus.HELD)
    await world.gateway.fate((await world.decide(pay, Verb.WITHDRAW, by=cid)).id, wait_seconds=30)
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    await world.decide(pay, Verb.APPROVE, by=ANN)
    await world.result(run_id)
    return [run_id]


async def unopposed(world: World) -> list[str]:
    """The veto window: nobody objects to one, somebody to the other; a request that goes on waiting after its time."""
    world.publish(
        CARD.replace("desk.note: {tier: auto}", "desk.note: {tier: veto, veto: 1m}").replace(
            "expires: 1h", "expires: 1m"
        )
        + "approval: {on_silence: hold}\n"
    )
    plan = [
        action("note", "desk.note", text="nobody minds"),
        action("other", "desk.note", text="somebody minds"),
        action("pay", "desk.pay", to="bob", amount=40),
    ]
    run_id = await world.start(*(step.model_copy(update={"after": []}) for step in plan))
    other = await world.outcome(run_id, "other", ActionStatus.AWAITING)
    await world.decide(other, Verb.REJECT, by=EVE, reason="I do.")
    pay = await world.outcome(run_id, "pay", ActionStatus.AWAITING)
    await world.outcome(run_id, "note", ActionStatus.DONE)
    await world.eventually(lambda: world.events(run_id=run_id, kind="approval.silent"))
    await world.decide(pay, Verb.APPROVE)
    await world.result(run_id)
    return [run_id]


def newcomers(world: World, *names: str) -> None:
    """More people with the role approver."""
    with world.database.write() as session:
        for name in names:
            session.add(
                PersonRow(
                    id=name,
                    email=f"{name}@example.com",
                    name=name.capitalize(),
                    roles=[Role.APPROVER.value],
                    created_at=datetime.now(UTC),
                )
            )


async def expired(world: World) -> list[str]:
    """Nobody decides within the minute that the card gives, but for a pause."""
    world.publish(CARD.replace("expires: 1h", "expires: 1m"))
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    await world.outcome(run_id, "a", ActionStatus.AWAITING)
    await asyncio.sleep(50)
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.EVERYTHING), by=ANN)
    await asyncio.sleep(15)
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    await world.result(run_id)
    return [run_id]


async def stopped(world: World) -> list[str]:
    """A run that is stopped with a request open, a held action and steps that never started."""
    run_id = await world.start(
        action("a", "desk.pay", to="bob", amount=40),
        action("b", "desk.note", text="never"),
        open=True,
    )
    await world.outcome(run_id, "a", ActionStatus.AWAITING)
    await world.gateway.pause(Scope(kind=ScopeKind.RUN, name=run_id), by=ANN)
    await world.gateway.propose(run_id, action("c", "desk.note", text="held"), by=AGENT)
    await world.gateway.end_run(run_id, by=ANN, stop=True)
    await world.result(run_id)
    return [run_id]


async def idle(world: World) -> list[str]:
    """An open run that ends by itself."""
    run_id = await world.start(open=True, idle_seconds=2)
    await world.gateway.propose(run_id, action("a", "desk.note", text="x"), by=AGENT)
    await world.result(run_id)
    return [run_id]


async def long_approved(world: World) -> list[str]:
    """Long actions, automatic and approved in a plan."""
    world.publish(CARD.replace("desk.letter: {tier: auto}", "desk.letter: {tier: approve}"))
    run_id = await world.start(
        action("a", "desk.letter", text="Dear Bob"),
        action("b", "desk.note", text="sent"),
    )
    await world.decide(await world.outcome(run_id, "a", ActionStatus.AWAITING), Verb.APPROVE)
    await world.result(run_id)
    return [run_id]


async def long_automatic(world: World) -> list[str]:
    """A long action that is cleared at once, held between and done."""
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("a", "desk.letter", text="Dear Bob"), by=AGENT)
    await world.outcome(run_id, "a")
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.EVERYTHING), by=ANN)
    await world.gateway.propose(run_id, action("b", "desk.letter", text="Dear Eve"), by=AGENT)
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    await world.outcome(run_id, "b")
    await world.gateway.end_run(run_id, by=AGENT)
    await world.result(run_id)
    return [run_id]


async def continued_plan(world: World) -> list[str]:
    """A plan that continues as new, several times, with a request open and references across."""
    pay = action("pay", "desk.pay", to="bob", amount=1).model_copy(update={"after": []})
    steps = [
        action(f"s{n:02}", "desk.note" if n % 4 else "desk.letter", text={"$ref": f"s{n - 1:02}.echo.text"})
        for n in range(1, 70)
    ]
    first = action("s00", "desk.read", text="milk").model_copy(update={"after": []})
    run_id = await world.start(pay, first, *steps)
    waiting = await world.outcome(run_id, "pay", ActionStatus.AWAITING)
    await world.outcome(run_id, "s69")
    await world.decide(waiting, Verb.APPROVE)
    await world.result(run_id)
    return [run_id]


async def undone_while_waiting(world: World) -> list[str]:
    """A rollback of a run that still waits for a person."""
    run_id = await world.start(
        action("a", "desk.tip", to="bob", amount=1),
        action("b", "desk.letter", text="Dear Bob"),
        action("c", "desk.pay", to="bob", amount=1),
    )
    await world.outcome(run_id, "c", ActionStatus.AWAITING)
    scope = RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)
    rollback_id = (await world.gateway.rollback(scope, by=ANN, reason="Wrong.")).id
    await world.client.get_workflow_handle(rollback_id).result()
    return [run_id, rollback_id]


async def undone_action(world: World) -> list[str]:
    """A rollback of one action."""
    run_id = await world.start(action("a", "desk.tip", to="bob", amount=1))
    await world.result(run_id)
    scope = RollbackScope(kind=RollbackScopeKind.ACTION, id=f"{run_id}:a")
    rollback_id = (await world.gateway.rollback(scope, by=ANN)).id
    await world.client.get_workflow_handle(rollback_id).result()
    return [rollback_id]


async def undone_with_approval(world: World) -> list[str]:
    """A rollback that is approved, held, let go on, and whose rest is tried again."""
    world.publish(CARD + "rollback: {tier: approve}\n")
    with world.database.write() as session:
        session.execute(update(PersonRow).where(col(PersonRow.id) == EVE.id).values(roles=["approver"]))
    run_id = await world.start(*(action(key, "desk.tip", to=key, amount=1) for key in "abc"))
    await world.result(run_id)
    scope = RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)
    plan = await world.gateway.preview_rollback(scope, by=ANN)
    arrived, go_on = threading.Event(), threading.Event()

    def trouble(call: Call) -> None:
        if call.key.endswith(":b#undo"):
            raise ActionFailed("The till is locked.")
        arrived.set()
        go_on.wait()

    world.desk.undo_trouble = trouble
    begun = await world.gateway.rollback(scope, by=ANN, preview_id=plan.rollback_id, digest=plan.digest)
    await world.gateway.decide_rollback(begun.id, verb=RollbackVerb.APPROVE, digest=plan.digest, by=EVE)
    await world.eventually(arrived.is_set)
    await world.gateway.hold_rollback(begun.id, by=ANN)
    go_on.set()
    await world.eventually(lambda: world.desk.undone)
    await world.gateway.continue_rollback(begun.id, by=ANN)
    await world.client.get_workflow_handle(begun.id).result()
    world.desk.undo_trouble = lambda call: None
    await world.gateway.retry_steps(begun.id, by=ANN)
    await world.client.get_workflow_handle(f"{begun.id}-1").result()
    return [begun.id, f"{begun.id}-1"]


async def edited(world: World) -> list[str]:
    """Edits that make a revision, are refused, lose to an approval and come under a pause; the last is approved."""
    run_id = await world.start(action("pay", "desk.pay", to="bob", amount=40), action("look", "desk.read", text="x"))
    waiting = await world.outcome(run_id, "pay", ActionStatus.AWAITING)
    await _edit(world, waiting, to="mallory", amount=1)
    await _edit(world, waiting, to="bob", amount=30)
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.EVERYTHING), by=ANN)
    await _edit(world, await world.outcome(run_id, "pay", ActionStatus.AWAITING), to="bob", amount=20)
    waiting = await world.outcome(run_id, "pay", ActionStatus.AWAITING)
    await world.decide(waiting, Verb.APPROVE)
    await world.outcome(run_id, "pay", ActionStatus.HELD)
    late = _message(waiting, "late", to="bob", amount=1)
    await world.client.get_workflow_handle(run_id).signal("revise", late)
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    await world.result(run_id)
    return [run_id]


async def edited_and_continued(world: World) -> list[str]:
    """A request is edited before and after the run continues as new."""
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("pay", "desk.pay", to="bob", amount=40), by=AGENT)
    for turn in range(3):
        await _edit(world, await world.outcome(run_id, "pay", ActionStatus.AWAITING), to="bob", amount=turn + 1)
        for number in range(20):
            await world.gateway.propose(run_id, action(f"n{turn}-{number}", "desk.note", text="on"), by=AGENT)
    await world.decide(await world.outcome(run_id, "pay", ActionStatus.AWAITING), Verb.APPROVE)
    await world.outcome(run_id, "pay")
    await world.gateway.end_run(run_id, by=AGENT)
    await world.result(run_id)
    return [run_id]


async def settled_effect(world: World) -> list[str]:
    """A call breaks off before its effect; a person finds out, has it tried again, and the run counts it as done."""

    def breaks(_: Call) -> None:
        world.desk.trouble = lambda call: None
        raise RuntimeError("The line went dead")

    world.desk.knows, world.desk.trouble = False, breaks
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("tip", "desk.tip", to="bob", amount=5), by=AGENT)
    action_id, ids = f"{run_id}:tip", [f"settling-{part}-{run_id}" for part in ("ask", "settle", "retry")]
    answer = Settlement(id="answer", action_id=action_id, by=ANN, happened=False, note="The till is full")
    parts = [
        SettlingRequest(reconcile=Reconcile(action_id=action_id, by=ANN)),
        SettlingRequest(settlement=answer),
        SettlingRequest(retry=RetryEffect(action_id=action_id, by=ANN)),
    ]
    queue = Queue.CONTROL.under(world.settings.task_queue_prefix)
    for id, part in zip(ids, parts, strict=True):
        await world.client.execute_workflow(WorkflowName.SETTLING, part, id=id, task_queue=queue)
    await world.outcome(run_id, "tip", ActionStatus.DONE)
    await world.gateway.end_run(run_id, by=AGENT)
    await world.result(run_id)
    return [run_id, *ids]


async def _edit(world: World, waiting: ActionOutcome, **arguments: object) -> None:
    sent = await world.gateway.revise(waiting.approval_id or "", arguments, digest=waiting.digest or "", by=ANN)
    while await world.gateway.edited(sent.id, wait_seconds=10) is None:
        pass


def _message(waiting: ActionOutcome, id: str, **arguments: object) -> Edit:
    return Edit(
        id=id,
        approval_id=waiting.approval_id or "",
        action_id=waiting.action_id,
        digest=waiting.digest or "",
        arguments=arguments,
        by=ANN,
        at=datetime.now(UTC),
    )


STORIES: list[Story] = [
    plan_approved,
    proposals,
    failure,
    held,
    undone,
    continued,
    plan_with_failures,
    late_decisions,
    forged_decision,
    quorum,
    unopposed,
    expired,
    stopped,
    idle,
    long_approved,
    long_automatic,
    continued_plan,
    undone_while_waiting,
    undone_action,
    undone_with_approval,
    edited,
    edited_and_continued,
    settled_effect,
    *STOPPING_STORIES,
]
"""Everything that is recorded; each file is named by its story and its place in it."""


async def record(folder: Path, names: Sequence[str] = ()) -> None:
    """Play the stories of these names, or all, each with a world of its own, and write each execution to a file."""
    with tempfile.TemporaryDirectory() as name:
        executable = locate.obtain(Settings.load(), Progress()).path
        with early_server(executable, Path(name)) as address:
            for story in STORIES:
                if names and story.__name__ not in names:
                    continue
                settings = Settings.load(data_dir=Path(name) / story.__name__)
                world = await make_world(address, settings.database_url, settings)
                async with world.working():
                    await _write(world, story, folder)
                world.database.close()


async def _write(world: World, story: Story, folder: Path) -> None:
    for number, workflow_id in enumerate(await story(world), 1):
        execution: str | None = None
        part = 0
        while True:
            history = await world.client.get_workflow_handle(workflow_id, run_id=execution).fetch_history()
            part += 1
            file = folder / f"{story.__name__}-{number}-{part}.json"
            file.write_text(_STACK.sub('""', _WORKER.sub('"worker"', history.to_json())), encoding="utf-8")
            earlier = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
            if not earlier:
                break
            execution = earlier


if __name__ == "__main__":
    asyncio.run(record(HISTORIES, sys.argv[1:]))
    processes.leave(0)
