"""The worker dies, at any moment: every run goes on, no effect is doubled or lost, each unknown one is explained."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.errors import Conflict
from assent.domain.runs import OnFailure, RunStatus
from assent.runtime.settings import Settings
from assent.runtime.verify import verify
from assent.store.tables import ActionRow, ApprovalRow, RunRow
from tests.databases import KINDS, empty_database
from tests.worker_process import FORGETFUL, Grave, effects, start_worker
from tests.world import ANN, World, action, make_world

RUNS = 60
KILLS = 3


@pytest_asyncio.fixture(params=KINDS)
async def world(
    request: pytest.FixtureRequest, temporal_server: str, settings: Settings, tmp_path: Path
) -> AsyncIterator[World]:
    """A world without a worker, on each database."""
    with empty_database(request.param, request, tmp_path) as url:
        world = await make_world(temporal_server, url, settings)
        yield world
        world.database.close()


@pytest_asyncio.fixture
async def sqlite_world(temporal_server: str, settings: Settings) -> AsyncIterator[World]:
    """A world without a worker, on SQLite."""
    world = await make_world(temporal_server, settings.database_url, settings)
    yield world
    world.database.close()


@asynccontextmanager
async def worker_revived(world: World, folder: Path, *, kill_at: Callable[[int], bool]) -> AsyncIterator[list[int]]:
    """Keep a worker running for the length of the block, killing it with SIGKILL where ``kill_at`` says so.

    Gives the exit codes of the workers that died.
    """
    process = start_worker(world, folder)
    deaths: list[int] = []

    async def watch() -> None:
        nonlocal process
        while True:
            if kill_at(len(deaths)):
                process.kill()
            if process.poll() is not None:
                deaths.append(process.returncode)
                process = start_worker(world, folder)
            await asyncio.sleep(0.01)

    watcher = asyncio.create_task(watch())
    try:
        yield deaths
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        process.kill()
        process.wait()


async def approve_all(world: World, until: asyncio.Event) -> None:
    """Approve every request that appears, as a person at an inbox."""
    query = select(ApprovalRow).where(col(ApprovalRow.status) == ApprovalStatus.PENDING.value)

    def pending() -> list[tuple[str, str]]:
        with world.database.read() as session:
            return [(row.id, row.digest) for row in session.execute(query).scalars()]

    while not until.is_set():
        for approval_id, digest in await asyncio.to_thread(pending):
            try:
                await world.gateway.decide(
                    approval_id, verb=Verb.APPROVE, digest=digest, by=ANN, decision_id=f"{approval_id}-ann"
                )
            except Conflict:
                continue
        await asyncio.sleep(0.2)


def actions_of(world: World) -> list[ActionRow]:
    with world.database.read() as session:
        return list(session.execute(select(ActionRow)).scalars())


async def check_nothing_doubled_or_lost(world: World, folder: Path, run_ids: list[str]) -> Counter[str]:
    """Hold the rows against what the desk really did; gives the number of actions by status."""
    really = Counter(effects(folder))
    found: Counter[str] = Counter()
    for row in actions_of(world):
        found[row.status] += 1
        times = really.pop(row.action_id, 0)
        match ActionStatus(row.status):
            case ActionStatus.DONE:
                assert times == 1, row.action_id
            case ActionStatus.UNKNOWN:
                assert times <= 1, row.action_id
                assert row.type in FORGETFUL
                assert "a person must find out" in row.message
                events = world.events(action_id=row.action_id)
                assert set(events[events.index("effect.unknown") + 1 :]) <= {"effect.asked"}, events
            case ActionStatus.WITHDRAWN:
                assert times == 0
                assert "did not succeed" in row.message
            case other:
                pytest.fail(f"{row.action_id} is {other}")
    assert not really, "effects that no action knows of"
    for run_id in run_ids:
        assert world.row(RunRow, run_id).actions == len([r for r in actions_of(world) if r.run_id == run_id])
    report = await verify(world.database, world.client, lambda step: None)
    assert report.faults == []
    return found


async def test_killed_at_random_moments(world: World, tmp_path: Path) -> None:
    """Kills come when a random number of effects has happened, not at a time, so every machine sees the same."""
    chance = random.Random(11)
    marks = sorted(chance.sample(range(20, RUNS * 3), KILLS))
    done = asyncio.Event()
    async with worker_revived(
        world, tmp_path, kill_at=lambda deaths: deaths < KILLS and len(effects(tmp_path)) >= marks[deaths]
    ) as deaths:
        approver = asyncio.create_task(approve_all(world, done))
        run_ids = [
            await world.start(
                action("a", "desk.note", text="first"),
                action("b", "desk.tip", to="bob", amount=1),
                action("c", "desk.pay", to="bob", amount=1).model_copy(update={"after": ["a"]}),
                action("d", "desk.note", text={"$ref": "a.echo.text"}),
                action("e", "desk.letter", text="last").model_copy(update={"after": ["a"]}),
                on_failure=OnFailure.CONTINUE,
            )
            for _ in range(RUNS)
        ]
        results = await asyncio.gather(*(world.result(run_id) for run_id in run_ids))
        done.set()
        await approver
    assert deaths == [-9] * KILLS
    assert {result.status for result in results} == {RunStatus.COMPLETED}
    found = await check_nothing_doubled_or_lost(world, tmp_path, run_ids)
    assert found.total() == RUNS * 5
    assert found["withdrawn"] == 0


_CERTAIN = ("desk.note", "desk.pay", "desk.letter")
_MOMENTS = ("before", "after")


async def test_killed_right_before_and_right_after_an_effect(sqlite_world: World, tmp_path: Path) -> None:
    """The worker dies between the claim and the effect, and between the effect and its outcome, of each kind."""
    world, grave, done = sqlite_world, Grave(tmp_path), asyncio.Event()
    plans = {f"{type.replace('.', '-')}-{moment}": type for type in (*_CERTAIN, *FORGETFUL) for moment in _MOMENTS}
    async with worker_revived(world, tmp_path, kill_at=lambda deaths: False) as deaths:
        approver = asyncio.create_task(approve_all(world, done))
        for run_id, type in plans.items():
            grave.dig(run_id.rpartition("-")[2], [f"{run_id}:a"])
            arguments = {"to": "bob", "amount": 1} if type in ("desk.tip", "desk.pay") else {"text": "x"}
            await world.start(action("a", type, **arguments), run_id=run_id)
            await world.eventually(lambda: not grave.open)
        await asyncio.gather(*(world.result(run_id) for run_id in plans))
        done.set()
        await approver
    assert deaths == [9] * len(plans)
    await check_nothing_doubled_or_lost(world, tmp_path, list(plans))
    for run_id, type in plans.items():
        status = (await world.outcome(run_id, "a")).status
        assert status is (ActionStatus.DONE if type in _CERTAIN else ActionStatus.UNKNOWN), run_id
        assert effects(tmp_path).count(f"{run_id}:a") == (0 if run_id == "desk-tip-before" else 1)


async def test_killed_between_proposal_and_answer(sqlite_world: World, tmp_path: Path) -> None:
    """An Update is durable only with its workflow task: the effect may stand while the history knows of nothing.

    The agent that proposes the same key again is given what was done; an agent that never does leaves a stray, which
    the end of the run resolves.
    """
    world, grave, run_ids = sqlite_world, Grave(tmp_path), ["asks-again", "never-asks"]
    note = action("a", "desk.note", text="x")
    async with worker_revived(world, tmp_path, kill_at=lambda deaths: False):
        for run_id in run_ids:
            await world.start(open=True, run_id=run_id)
        await world.eventually(lambda: all(_started(world, run_id) for run_id in run_ids))
        for run_id in run_ids:
            grave.dig("after", [f"{run_id}:a"])
            first = asyncio.create_task(world.gateway.propose(run_id, note, by=ANN))
            await world.eventually(lambda: not grave.open)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        again = await world.gateway.propose("asks-again", note, by=ANN)
        assert again.status is ActionStatus.DONE
        for run_id in run_ids:
            await world.gateway.end_run(run_id, by=ANN)
            assert (await world.result(run_id)).status is RunStatus.COMPLETED
    assert await check_nothing_doubled_or_lost(world, tmp_path, run_ids) == {"done": 2}


def _started(world: World, run_id: str) -> bool:
    with world.database.read() as session:
        return bool(session.execute(select(func.count()).select_from(RunRow).filter_by(run_id=run_id)).scalar_one())
