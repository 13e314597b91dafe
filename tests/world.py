"""The whole product in one process, for tests: a real Temporal server, a real database, a worker and a gateway."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import select
from sqlmodel import SQLModel, col
from temporalio.client import Client

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.approvals import Decision, Verb
from assent.domain.clock import Clock
from assent.domain.pauses import ResumeAnswers
from assent.domain.people import SYSTEM, Actor, Role, Via
from assent.domain.runs import RunResult
from assent.gateway import Gateway, StartRun, utc_now
from assent.runtime.cards import publish_card
from assent.runtime.settings import Settings
from assent.runtime.temporal.messages import DATA_CONVERTER
from assent.runtime.worker import running_worker
from assent.store.database import Database
from assent.store.tables import ApprovalRow, LedgerEventRow, PersonRow
from assent_activities.connectors import build_registry
from tests.databases import prepare
from tests.desk import CARD, Desk

AGENT = Actor(id="desk-clerk", name="desk-clerk", via=Via.API)
ANN = Actor(id="ann", name="Ann Approver", via=Via.WEB)
ANSWERS = ResumeAnswers(cause="A test.", changed="Nothing.")
"""What somebody says who resumes, where it does not matter."""
EVE = Actor(id="eve", name="Eve Everyone", via=Via.WEB)
_T = TypeVar("_T")
_R = TypeVar("_R", bound=SQLModel)


@dataclass
class World:
    """What a test touches."""

    client: Client
    database: Database
    settings: Settings
    gateway: Gateway
    desk: Desk = field(default_factory=Desk)

    @asynccontextmanager
    async def working(self, *, channels: tuple[str, ...] = (), clock: Clock = utc_now) -> AsyncIterator[None]:
        """Run a worker, by a clock of its own if need be."""
        registry = build_registry([self.desk])
        async with running_worker(self.client, self.database, registry, self.settings, channels=channels, clock=clock):
            yield

    async def start(self, *plan: ProposedAction, **options: object) -> str:
        """Start a run of the desk clerk."""
        request = StartRun.model_validate({"agent": "desk-clerk", "goal": "Tidy up", "plan": plan, **options})
        return await self.gateway.start_run(request, by=AGENT)

    async def result(self, run_id: str) -> RunResult:
        """Wait for the end of a run."""
        result: RunResult = await self.client.get_workflow_handle(run_id, result_type=RunResult).result()
        return result

    async def outcome(self, run_id: str, key: str, *statuses: ActionStatus) -> ActionOutcome:
        """Wait until an action is in one of these statuses, or settled if none is given."""

        def there() -> ActionOutcome | None:
            from assent.store.reading import action_outcome

            found = action_outcome(self.database, f"{run_id}:{key}", datetime.now(UTC))
            if found is None:
                return None
            good = found.status in statuses if statuses else found.status.settled
            return found if good else None

        return await self.eventually(there)

    async def eventually(self, look: Callable[[], _T | None]) -> _T:
        """Wait until something is there; pytest's own timeout is the only limit."""
        while True:
            found = await asyncio.to_thread(look)
            if found:
                return found
            await asyncio.sleep(0.02)

    async def decide(self, outcome: ActionOutcome, verb: Verb, *, by: Actor = ANN, reason: str = "") -> Decision:
        """Decide on an action as a person would."""
        assert outcome.approval_id is not None
        assert outcome.digest is not None
        return await self.gateway.decide(outcome.approval_id, verb=verb, digest=outcome.digest, by=by, reason=reason)

    def approval(self, approval_id: str) -> ApprovalRow:
        """A request's row."""
        return self.row(ApprovalRow, approval_id)

    def row(self, table: type[_R], key: object) -> _R:
        """A row that must be there."""
        with self.database.read() as session:
            row = session.get(table, key)
        assert row is not None
        return row

    def events(self, **where: object) -> list[str]:
        """Kinds of ledger events in the order they were written, those with these columns."""
        query = select(col(LedgerEventRow.kind)).filter_by(**where).order_by(col(LedgerEventRow.id))
        with self.database.read() as session:
            return list(session.execute(query).scalars())

    def publish(self, card: str) -> None:
        """Publish another card, or another version."""
        publish_card(self.database, build_registry([self.desk]), card, where="test card", by=SYSTEM)


def furnish(database: Database, desk: Desk, *, card: str = CARD) -> None:
    """Migrate a database, publish the desk clerk's card and add people."""
    prepare(database)
    publish_card(database, build_registry([desk]), card, where="test card", by=SYSTEM)
    now = datetime.now(UTC)
    people = [(ANN, [Role.APPROVER, Role.OPERATOR]), (EVE, [])]
    with database.write() as session:
        for person, roles in people:
            session.merge(
                PersonRow(
                    id=person.id,
                    email=f"{person.id}@example.com",
                    name=person.name,
                    roles=[role.value for role in roles],
                    created_at=now,
                )
            )


async def make_world(temporal_address: str, database_url: str, settings: Settings) -> World:
    """Build a world with queues of its own on a shared Temporal server."""
    settings = settings.model_copy(
        update={
            "task_queue_prefix": f"t{uuid.uuid4().hex[:8]}",
            "temporal_address": temporal_address,
            "database_url": database_url,
        }
    )
    client = await Client.connect(temporal_address, data_converter=DATA_CONVERTER)
    database = Database(database_url)
    desk = Desk()
    furnish(database, desk)
    gateway = Gateway(client, database, task_queue_prefix=settings.task_queue_prefix)
    return World(client, database, settings, gateway, desk)


def action(key: str, type: str, **arguments: object) -> ProposedAction:
    """A proposed action."""
    return ProposedAction(key=key, type=type, arguments=arguments)
