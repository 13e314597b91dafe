"""The whole product: worker processes, a real Temporal server, agents that fail, a tool that is down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.pauses import ResumeAnswers
from assent.runtime.settings import Settings
from assent.store.tables import HealthRow, NoticeRow, PauseRow, TripRow
from tests.databases import KINDS, empty_database
from tests.desk import CARD, Desk
from tests.worker_process import start_worker
from tests.world import AGENT, ANN, World, action, make_world

FAILS = """
breakers:
  - {name: tips-fail, measure: errors, of: desk.tip, last: 10, most: 2, pause: type, because: Tips must not be lost.}
fallback:
  desk.tip: {say: Tips cannot be given now., instead: desk.note}
"""
DOWN = """
breakers:
  - {name: desk-down, measure: probe, of: desk, most: 1}
fallback:
  desk: {say: The desk is closed. Say that a colleague will write., then: refuse}
  desk.tip: {say: Tips wait., then: hold}
"""
ANSWERS = ResumeAnswers(cause="Nobody was tipped", changed="The list", checks=["A tip by hand"])


@dataclass
class ProbedDesk(Desk):
    """A desk whose health can be arranged."""

    wrong: str = ""

    def probe(self) -> None:
        """Say how it is."""
        if self.wrong:
            raise ConnectionError(self.wrong)


@pytest_asyncio.fixture(params=KINDS)
async def world(
    request: pytest.FixtureRequest, temporal_server: str, settings: Settings, tmp_path: Path
) -> AsyncIterator[World]:
    """A world without a worker, on each database."""
    with empty_database(request.param, request, tmp_path) as url:
        world = await make_world(temporal_server, url, settings)
        yield world
        world.database.close()


def trips(world: World) -> list[TripRow]:
    """Every trip there was."""
    with world.database.read() as session:
        return list(session.execute(select(TripRow).order_by(col(TripRow.at))).scalars())


async def test_an_agent_that_fails_is_paused_told_and_let_go_on(world: World, tmp_path: Path) -> None:
    world.publish(CARD + FAILS)
    processes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        processes.append(start_worker(world, tmp_path / name))
    try:
        await world.result(await world.start(action("first", "desk.note", text="The workers are there.")))
        run_id = await world.start(open=True)
        for number in range(4):
            failed = await world.gateway.propose(
                run_id, action(f"tip-{number}", "desk.tip", to="nobody", amount=1), by=AGENT
            )
            assert failed.status is ActionStatus.FAILED
        (trip,) = await world.eventually(lambda: trips(world))
        assert trip.counted in (3, 4)
        assert "“Tip” actions failed, at most 2 may." in trip.cause
        told = await world.gateway.propose(run_id, action("tip", "desk.tip", to="ann", amount=1), by=AGENT)
        assert told.status is ActionStatus.REFUSED
        assert told.message == "Tips cannot be given now. Propose desk.note instead."
        noted = await world.gateway.propose(
            run_id, action("note", "desk.note", text="Ann").model_copy(update={"instead_of": "tip"}), by=AGENT
        )
        assert noted.status is ActionStatus.DONE
        await world.eventually(lambda: world.row(PauseRow, trip.pause_id).quiesced_at)
        pause = world.row(PauseRow, trip.pause_id)
        assert (pause.scope_kind, pause.scope_name) == ("type", "desk.tip")
        await world.gateway.resume(trip.pause_id, by=ANN, answers=ANSWERS, at_once=True)
        again = await world.gateway.propose(run_id, action("again", "desk.tip", to="ann", amount=1), by=AGENT)
        assert again.status is ActionStatus.DONE
        assert len(trips(world)) == 1
        assert world.events(kind="breaker.tripped") == ["breaker.tripped"]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


async def test_a_tool_that_is_down_puts_the_agent_into_its_fallback(world: World) -> None:
    desk = world.desk = ProbedDesk()
    world.settings = world.settings.model_copy(update={"probe_seconds": 0.2, "probe_timeout_seconds": 0.2})
    world.publish(CARD + DOWN)
    async with world.working(channels=("mail",)):
        run_id = await world.start(open=True)
        desk.wrong = "Connection refused"
        (trip,) = await world.eventually(lambda: trips(world))
        assert "The connector desk failed its health check " in trip.cause
        assert "(Connection refused), at most 1 may." in trip.cause
        assert [each["of"] for each in trip.fallback] == ["desk", "desk.tip"]
        told = await world.gateway.propose(run_id, action("note", "desk.note", text="a"), by=AGENT)
        assert told.status is ActionStatus.REFUSED
        assert told.message == "The desk is closed. Say that a colleague will write."
        assert told.reasons[0].rule == "fallback"
        held = await world.gateway.propose(run_id, action("tip", "desk.tip", to="ann", amount=1), by=AGENT)
        assert held.status is ActionStatus.HELD
        assert held.message == "Tips wait. It is held until work is resumed."
        assert desk.done == []
        desk.wrong = ""
        await world.eventually(lambda: world.row(HealthRow, "desk").failures <= 0)
        await world.gateway.resume(trip.pause_id, by=ANN, answers=ANSWERS, at_once=True)
        assert (await world.outcome(run_id, "tip")).status is ActionStatus.DONE
        with world.database.read() as session:
            notices = [notice.headline for notice in session.execute(select(NoticeRow)).scalars()]
    assert notices == ["Connector desk is paused: the breaker desk-down fired"]
    kinds = [kind for kind in world.events() if kind.startswith("connector.")]
    assert kinds == ["connector.unwell", "connector.well"]
