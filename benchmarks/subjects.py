"""What is measured: the same work done by the yardstick and by Assent, behind one interface."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from temporalio.client import Client

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import Verb
from assent.domain.people import SYSTEM, Actor, Role, Via
from assent.gateway import Gateway, StartRun
from assent.runtime.cards import publish_card
from assent.store.database import Database
from assent.store.migrate import migrate
from assent.store.queries import inbox
from assent.store.queries.inbox import InboxRow
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent.store.tables import PersonRow
from assent_activities.connectors import build_registry
from assent_activities.requesting import approval_id_of
from benchmarks import bare
from benchmarks.connector import CARD, BenchConnector
from benchmarks.crew import Effects, crew

AGENT = Actor(id="bench-agent", name="bench-agent", via=Via.API)
PEOPLE = [Actor(id=f"bench-person-{number}", name=f"Bench Person {number}", via=Via.API) for number in (1, 2, 3)]


class Subject(Protocol):
    """One way of doing the work."""

    async def start(self, automatic: int, votes: int = 1) -> str:
        """Start a run of some automatic actions and one that one person approves, or three; gives its id."""
        ...

    async def approve(self, run_id: str, votes: int = 1) -> None:
        """Approve the action that a parked run asks for, so many people one after the other."""
        ...

    async def finish(self, run_id: str) -> None:
        """Wait for its end."""
        ...

    async def parked(self, run_id: str) -> None:
        """Wait until the run waits for its approval."""
        ...

    @property
    def effects(self) -> Effects:
        """What its worker processes tell of effects."""
        ...

    async def open(self) -> str:
        """Start a run that takes proposals."""
        ...

    async def propose(self, run_id: str, number: int) -> None:
        """Propose an automatic action and wait for its outcome."""
        ...

    async def close(self, run_id: str) -> None:
        """End a run that takes proposals."""
        ...


class BareSubject:
    """The yardstick."""

    def __init__(self, client: Client, effects: Effects) -> None:
        self._client = client
        self.effects = effects

    async def start(self, automatic: int, votes: int = 1) -> str:
        """Start ``BareGated``."""
        run_id = f"bare-{uuid.uuid4().hex}"
        await self._client.start_workflow("BareGated", args=[automatic, votes], id=run_id, task_queue=bare.TASK_QUEUE)
        return run_id

    async def parked(self, run_id: str) -> None:
        """Its first automatic activity has started."""
        await self.effects.next(run_id)

    async def approve(self, run_id: str, votes: int = 1) -> None:
        """A signal for each vote."""
        for _ in range(votes):
            await self._client.get_workflow_handle(run_id).signal("approve")

    async def finish(self, run_id: str) -> None:
        """Its result."""
        await self._client.get_workflow_handle(run_id).result()

    async def open(self) -> str:
        """Start ``BareUpdate``."""
        run_id = f"bare-{uuid.uuid4().hex}"
        await self._client.start_workflow("BareUpdate", id=run_id, task_queue=bare.TASK_QUEUE)
        return run_id

    async def propose(self, run_id: str, number: int) -> None:
        """One Update."""
        await self._client.get_workflow_handle(run_id).execute_update("act", str(number))

    async def close(self, run_id: str) -> None:
        """One signal."""
        await self._client.get_workflow_handle(run_id).signal("end")


class AssentSubject:
    """Assent with everything on: admission, claims, ledger and its sealing, projection, inbox."""

    def __init__(self, client: Client, database: Database, gateway: Gateway, effects: Effects) -> None:
        self._client = client
        self._database = database
        self._gateway = gateway
        self.effects = effects
        self._digests: dict[str, str] = {}
        self._in_inbox: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def start(self, automatic: int, votes: int = 1) -> str:
        """Start an ``AgentRun`` with a plan."""
        gate = {1: "bench.gate", 3: "bench.trio"}[votes]
        plan = [ProposedAction(key=f"a{n}", type="bench.step", arguments={"n": n}) for n in range(automatic)]
        plan.append(ProposedAction(key="gate", type=gate, arguments={"n": automatic}))
        return await self._gateway.start_run(StartRun(agent="bench-agent", goal="Nothing", plan=plan), by=AGENT)

    async def parked(self, run_id: str) -> None:
        """It is in the inbox."""
        asked = _request_of(run_id)
        await self._in_inbox[asked].wait()
        del self._in_inbox[asked]

    async def approve(self, run_id: str, votes: int = 1) -> None:
        """Decide through the gateway, as web and Slack do."""
        approval_id = _request_of(run_id)
        digest = self._digests.pop(approval_id)
        for person in PEOPLE[:votes]:
            await self._gateway.decide(approval_id, verb=Verb.APPROVE, digest=digest, by=person)

    async def watch_inbox(self) -> None:
        """Look at the inbox like a page that is open."""
        while True:
            for row in await asyncio.to_thread(self._look):
                if self._digests.setdefault(row.id, row.digest) == row.digest:
                    self._in_inbox[row.id].set()
            await asyncio.sleep(0.1)

    def _look(self) -> Sequence[InboxRow]:
        with self._database.read() as session:
            return inbox.rows(session, inbox.ids(session, request=PageRequest(limit=MAX_LIMIT)).items)

    async def finish(self, run_id: str) -> None:
        """Its result."""
        await self._client.get_workflow_handle(run_id).result()

    async def open(self) -> str:
        """Start an open run."""
        return await self._gateway.start_run(StartRun(agent="bench-agent", open=True), by=AGENT)

    async def propose(self, run_id: str, number: int) -> None:
        """Propose through the gateway, as the API does."""
        action = ProposedAction(key=f"p{number}", type="bench.step", arguments={"n": number})
        outcome = await self._gateway.propose(run_id, action, by=AGENT)
        if outcome.status is not ActionStatus.DONE:
            raise RuntimeError(f"The proposal ended as {outcome.status}: {outcome.message}")

    async def close(self, run_id: str) -> None:
        """End the run."""
        await self._gateway.end_run(run_id, by=AGENT)


def _request_of(run_id: str) -> str:
    """The request of a run's approved action."""
    return approval_id_of(f"{run_id}:gate")


@asynccontextmanager
async def bare_subject(client: Client, workers: int, way: str = bare.DEFAULT) -> AsyncIterator[BareSubject]:
    """The yardstick with its worker processes, as the SDK has them by default or tuned as Assent's are."""
    async with crew("benchmarks.bare", [client.service_client.config.target_host, way], workers) as effects:
        yield BareSubject(client, effects)


@asynccontextmanager
async def assent_subject(client: Client, folder: Path, workers: int) -> AsyncIterator[AssentSubject]:
    """Assent with its worker processes and a fresh database in ``folder``."""
    url = f"sqlite:///{folder / f'assent-{time.monotonic_ns()}.db'}"
    database = Database(url)
    migrate(database)
    publish_card(database, build_registry([BenchConnector()]), CARD, where="benchmark", by=SYSTEM)
    with database.write() as session:
        for person in PEOPLE:
            session.add(
                PersonRow(
                    id=person.id,
                    email=f"{person.id}@example.com",
                    name=person.name,
                    roles=[Role.APPROVER.value],
                    created_at=datetime.now(UTC),
                )
            )
    prefix = f"b{uuid.uuid4().hex[:6]}"
    gateway = Gateway(client, database, task_queue_prefix=prefix)
    arguments = [client.service_client.config.target_host, str(folder), prefix, url]
    try:
        async with crew("benchmarks.worker", arguments, workers) as effects:
            subject = AssentSubject(client, database, gateway, effects)
            watcher = asyncio.create_task(subject.watch_inbox())
            try:
                yield subject
            finally:
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
    finally:
        database.close()
