"""Activities without Temporal: called directly, with a clock that tests turn and a desk whose failures they arrange."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel, col
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.approvals import Decision, Verb
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import SYSTEM, Actor
from assent.domain.ports import CloseAction, ExecuteAction, FinishRun, SubmitAction
from assent.domain.runs import RunHeader, RunStatus
from assent.runtime.cards import publish_card
from assent.store import ledger, pauses
from assent.store.database import Database
from assent.store.tables import ActionRow, EffectRow, LedgerEventRow, RunRow
from assent_activities.admission import Admission
from assent_activities.closing import Closing
from assent_activities.dependencies import Dependencies, Leases
from assent_activities.effects import EffectProtocol
from assent_activities.execution import Execution
from assent_activities.run_life import RunLife
from tests.desk import Desk, DeskOperation
from tests.world import AGENT, ANN, furnish

START = datetime(2030, 1, 1, tzinfo=UTC)
EVERYTHING = Scope(kind=ScopeKind.EVERYTHING)
_T = TypeVar("_T")
_R = TypeVar("_R", bound=SQLModel)


@dataclass
class Clock:
    """A clock that stands still until it is turned; each reading is a microsecond later than the one before."""

    now: datetime = START
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> datetime:
        with self.lock:
            self.now += timedelta(microseconds=1)
            return self.now

    def turn(self, **by: float) -> None:
        with self.lock:
            self.now += timedelta(**by)


class Stage:
    """A database, a desk and every activity of a run.

    Args:
        database: Empty; it is migrated and furnished.
        leases: How long claims stand.
    """

    def __init__(self, database: Database, *, leases: Leases | None = None) -> None:
        self.database = database
        self.desk = Desk()
        self.clock = Clock()
        furnish(database, self.desk)
        self.registry: dict[str, DeskOperation] = {o.type.name: o for o in self.desk.desk_operations()}
        self.dependencies = Dependencies(
            database=database, registry=self.registry, clock=self.clock, leases=leases or Leases()
        )
        effects = EffectProtocol(self.dependencies)
        self.admission = Admission(self.dependencies, effects)
        self.execution = Execution(self.dependencies, effects)
        self.closing = Closing(self.dependencies)
        self.life = RunLife(self.dependencies, effects)

    def publish(self, card: str) -> None:
        publish_card(self.database, self.registry, card, where="test card", by=SYSTEM)

    def declare(self, type: str, **declared: object) -> None:
        """Let an operation declare something else of its type."""
        operation = self.registry[type]
        operation.type = operation.type.model_copy(update=declared)

    def header(self, run_id: str = "run-1", *, first: bool = True) -> RunHeader:
        return RunHeader(
            run_id=run_id, agent="desk-clerk", goal="Tidy up", started_by=AGENT, started_at=START, first=first
        )

    def submit(self, action: ProposedAction, *, run_id: str = "run-1", blocked: str = "") -> ActionOutcome:
        return self.admission.submit(SubmitAction(header=self.header(run_id), action=action, blocked=blocked))

    def execute(
        self, action: ProposedAction, decision: Decision | None = None, *, run_id: str = "run-1"
    ) -> ActionOutcome:
        header = self.header(run_id, first=False)
        return self.execution.execute(ExecuteAction(header=header, action=action, decision=decision))

    def close(
        self,
        outcome: ActionOutcome,
        to: ActionStatus | None,
        decision: Decision | None = None,
        message: str = "",
    ) -> ActionOutcome:
        header = self.header(outcome.action_id.split(":")[0], first=False)
        return self.closing.close(
            CloseAction(header=header, action_id=outcome.action_id, to=to, decision=decision, message=message)
        )

    def finish(self, run_id: str = "run-1", *, status: RunStatus = RunStatus.COMPLETED, **counts: int) -> None:
        self.life.finish(FinishRun(header=self.header(run_id, first=False), status=status, counts=counts))

    def decision(
        self,
        outcome: ActionOutcome,
        verb: Verb = Verb.APPROVE,
        *,
        by: Actor = ANN,
        id: str = "decision-1",
        digest: str | None = None,
        reason: str = "",
    ) -> Decision:
        assert outcome.approval_id is not None
        return Decision(
            id=id,
            approval_id=outcome.approval_id,
            action_id=outcome.action_id,
            digest=digest or outcome.digest or "",
            verb=verb,
            reason=reason,
            by=by,
            at=self.clock(),
        )

    def pause(self, pause_id: str = "pause-1", scope: Scope = EVERYTHING) -> str:
        with self.database.write() as session:
            pauses.begin(
                self.database, session, pause_id=pause_id, scope=scope, cause="A test", by=ANN, at=self.clock()
            )
        return pause_id

    def resume(self, pause_id: str = "pause-1") -> None:
        with self.database.write() as session:
            pauses.end(self.database, session, pause_id=pause_id, note="", by=ANN, at=self.clock())

    def row(self, table: type[_R], key: object) -> _R:
        found = self.find(table, key)
        assert found is not None
        return found

    def find(self, table: type[_R], key: object) -> _R | None:
        with self.database.read() as session:
            return session.get(table, key)

    def status(self, outcome: ActionOutcome) -> str:
        return self.row(ActionRow, outcome.action_id).status

    def claim(self, outcome_or_id: ActionOutcome | str) -> EffectRow:
        key = outcome_or_id if isinstance(outcome_or_id, str) else outcome_or_id.action_id
        return self.row(EffectRow, key)

    def run(self, run_id: str = "run-1") -> RunRow:
        return self.row(RunRow, run_id)

    def events(self, **where: object) -> list[str]:
        query = select(col(LedgerEventRow.kind)).filter_by(**where).order_by(col(LedgerEventRow.id))
        with self.database.read() as session:
            return list(session.execute(query).scalars())

    def check_chain(self) -> None:
        links, faults = ledger.check_chain(self.database)
        assert not faults
        with self.database.read() as session:
            assert links == len(session.execute(select(col(LedgerEventRow.id))).all())


def die_after_effect(desk: Desk) -> None:
    """Let the next effect happen, and whoever performed it die before saying so."""

    def dies(call: object) -> None:
        desk.after = lambda call: None
        raise Died

    desk.after = dies


def die_before_effect(desk: Desk) -> None:
    """Let whoever performs the next effect die before it happens."""

    def dies(call: object) -> None:
        desk.trouble = lambda call: None
        raise Died

    desk.trouble = dies


class Died(BaseException):
    """Stands for the end of the process: nothing that handles exceptions sees it."""


def tried_again(work: Callable[[], object]) -> str:
    """Why an activity asks to be tried again."""
    with pytest.raises(ApplicationError) as caught:
        work()
    assert caught.value.type == "TryAgain"
    assert not caught.value.non_retryable
    return caught.value.message


def until_settled(stage: Stage, work: Callable[[], ActionOutcome], *, limit: int = 50) -> ActionOutcome:
    """Try an activity again as Temporal would, turning the clock by the delay it asks for."""
    for _ in range(limit):
        try:
            return work()
        except ApplicationError as error:
            if error.type != "TryAgain" or error.next_retry_delay is None:
                raise
            stage.clock.turn(seconds=error.next_retry_delay.total_seconds())
    raise AssertionError(f"It asked to be tried again {limit} times.")


def at_once(count: int, work: Callable[[int], _T]) -> list[_T]:
    """Run something in as many threads, which start together."""
    barrier = threading.Barrier(count)

    def one(number: int) -> _T:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as executor:
        return list(executor.map(one, range(count)))
