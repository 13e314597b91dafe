"""Record the histories that ``test_replay`` replays: ``python -m tests.replay.record`` from the top of the checkout.

Run it when a workflow changes on purpose, and keep the old files as long as runs that began under them may go on.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.rollbacks import RollbackScope, RollbackScopeKind
from assent.runtime import processes
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import locate
from assent.store.tables import RollbackRow
from tests.early_server import early_server
from tests.world import AGENT, ANN, World, action, make_world

HISTORIES = Path(__file__).parent / "histories"

_ANONYMOUS = re.compile(r'"\d+@[^"]*"')
"""What names the recording machine (a process at a host); a replay does not need it."""

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
    await world.gateway.resume(pause_id, by=ANN, note="All is well.")
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
    rollback_id = await world.gateway.rollback(scope, by=ANN, reason="Wrong customer")

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


STORIES: list[Story] = [plan_approved, proposals, failure, held, undone, continued]
"""Everything that is recorded; each file is named by its story and its place in it."""


async def record(folder: Path) -> None:
    """Play every story on a server of its own and write the histories, each continuation a file."""
    with tempfile.TemporaryDirectory() as name:
        executable = locate.obtain(Settings.load(), Progress()).path
        with early_server(executable, Path(name)) as address:
            settings = Settings.load(data_dir=Path(name) / "data")
            world = await make_world(address, settings.database_url, settings)
            async with world.working():
                for story in STORIES:
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
            file.write_text(_ANONYMOUS.sub('"worker"', history.to_json()), encoding="utf-8")
            earlier = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
            if not earlier:
                break
            execution = earlier


if __name__ == "__main__":
    asyncio.run(record(HISTORIES))
    processes.leave(0)
