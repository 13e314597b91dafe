"""A held run stays held: past its worker's death, past an upgrade, past continuing as new. Only a resume lets it go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command

from assent.domain.actions import ActionStatus
from assent.domain.pauses import ResumeAnswers, Scope, ScopeKind
from assent.domain.people import SYSTEM
from assent.domain.runs import RunStatus
from assent.gateway import Gateway
from assent.runtime.settings import Settings
from assent.runtime.verify import verify
from assent.store.database import Database
from assent.store.migrate import _config, migrate
from assent.store.queries import pauses
from tests.databases import KINDS, empty_database
from tests.early_server import early_server
from tests.worker_process import effects, start_worker
from tests.world import AGENT, ANN, World, action, make_world

CLERK = Scope(kind=ScopeKind.AGENT, name="desk-clerk")
ANSWERS = ResumeAnswers(cause="It smelled.", changed="It was the bin.")
BEFORE = "0010"
"""The schema before pauses had more than three scopes, phases and dispositions."""


@pytest.fixture(scope="module")
def early(temporal_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that suggests early to continue as new."""
    with early_server(temporal_executable, tmp_path_factory.mktemp("early"), after=60) as address:
        yield address


async def settled(world: World, run_id: str, keys: list[str]) -> None:
    for key in keys:
        assert (await world.outcome(run_id, key)).status is ActionStatus.DONE


@pytest.mark.parametrize("kind", KINDS)
async def test_past_the_death_of_its_worker(
    kind: str, request: pytest.FixtureRequest, temporal_server: str, settings: Settings, tmp_path: Path
) -> None:
    with empty_database(kind, request, tmp_path) as url:
        world = await make_world(temporal_server, url, settings)
        first = start_worker(world, tmp_path)
        run_id = await world.start(action("first", "desk.note", text="a"), open=True)
        await world.outcome(run_id, "first")
        pause_id = await world.gateway.pause(CLERK, by=ANN)
        held = await world.gateway.propose(run_id, action("quick", "desk.note", text="b"), by=AGENT)
        long = await world.gateway.propose(run_id, action("long", "desk.letter", text="c"), by=AGENT)
        assert (held.status, long.status) == (ActionStatus.HELD, ActionStatus.HELD)
        first.kill()
        first.wait()
        second = start_worker(world, tmp_path)
        try:
            again = await world.gateway.propose(run_id, action("quick", "desk.note", text="b"), by=AGENT)
            assert again.status is ActionStatus.HELD
            assert effects(tmp_path) == [f"{run_id}:first"]
            await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
            await settled(world, run_id, ["quick", "long"])
            await world.gateway.end_run(run_id, by=AGENT)
            assert (await world.result(run_id)).status is RunStatus.COMPLETED
            assert sorted(effects(tmp_path)) == sorted(f"{run_id}:{key}" for key in ("first", "quick", "long"))
        finally:
            second.kill()
            second.wait()
        world.database.close()


async def test_past_continuing_as_new(early: str, settings: Settings) -> None:
    world = await make_world(early, settings.database_url, settings)
    async with world.working():
        run_id = await world.start(action("first", "desk.note", text="a"), open=True)
        await world.outcome(run_id, "first")
        pause_id = await world.gateway.pause(CLERK, by=ANN)
        keys = [f"held-{number}" for number in range(25)]
        for key in keys:
            outcome = await world.gateway.propose(run_id, action(key, "desk.note", text=key), by=AGENT)
            assert outcome.status is ActionStatus.HELD
        started = (await world.client.get_workflow_handle(run_id).fetch_history()).events[0]
        assert started.workflow_execution_started_event_attributes.continued_execution_run_id
        assert world.desk.done == [f"{run_id}:first"]
        await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
        await settled(world, run_id, keys)
        assert sorted(world.desk.done) == sorted([f"{run_id}:first", *(f"{run_id}:{key}" for key in keys)])
        assert (await verify(world.database, world.client, lambda step: None)).faults == []
    world.database.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_past_an_upgrade(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A pause that the version before wrote still holds, is shown, and can be ended."""
    with empty_database(kind, request, tmp_path) as url:
        database = Database(url)
        with database.writing_engine.connect() as connection, connection.begin():
            command.upgrade(_config(connection), BEFORE)
            yes = "1" if database.sqlite else "true"
            connection.exec_driver_sql(
                "INSERT INTO pauses (id, scope_kind, scope_name, active, cause, requested_by, requested_at, fenced_at,"
                f" in_flight, affected, resume_note) VALUES ('pause-old', 'agent', 'desk-clerk', {yes}, 'It smells.',"
                """ '{"id": "ann", "name": "Ann", "via": "cli"}', '2024-05-01 10:00:00+00:00',"""
                " '2024-05-01 10:00:00+00:00', 0, 0, '')"
            )
        migrate(database)
        with database.read() as session:
            (found,) = pauses.active(session)
            assert (found.id, found.scope, found.cause) == ("pause-old", CLERK, "It smells.")
            (covering,) = pauses.covering(session, agent="desk-clerk", run_id="run-1")
            assert covering.id == "pause-old"
        gateway = Gateway(None, database)
        await gateway.resume("pause-old", by=SYSTEM, answers=ANSWERS, at_once=True)
        with database.read() as session:
            assert pauses.active(session) == ()
            assert pauses.one(session, "pause-old").resumed_at is not None
        await asyncio.to_thread(database.close)
