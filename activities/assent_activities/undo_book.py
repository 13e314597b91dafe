"""What is written of undos: their claims, leases, outcomes and events, each with its step in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from sqlalchemy.orm import Session

from assent.domain.actions import ActionStatus
from assent.domain.canonical import Json
from assent.domain.catalogue import changes_without_secrets
from assent.domain.effects import Performed, ResourceChange, UndoStatus
from assent.domain.people import SYSTEM
from assent.domain.ports import UndoBatch
from assent.domain.undo_steps import Undoable, UndoStep
from assent.store import ledger, projection, rollback_life, scoped_effects, undos
from assent.store.scoped_effects import Effect
from assent.store.undos import Standing
from assent_activities.connectors import Operation
from assent_activities.dependencies import Dependencies
from assent_activities.retrying import MAX_ATTEMPTS, try_again
from assent_activities.undo_words import task_of

LEASE = timedelta(seconds=15)
"""How long a claim stands without its holder renewing it."""

_SOON = timedelta(milliseconds=200)
_EVENTS = {
    UndoStatus.UNDONE: "undo.done",
    UndoStatus.CONFLICT: "undo.conflict",
    UndoStatus.IMPOSSIBLE: "undo.impossible",
    UndoStatus.FAILED: "undo.failed",
    UndoStatus.UNKNOWN: "undo.unknown",
}


class Came(Enum):
    """What came of trying a step."""

    OUT = auto()
    """It has an outcome, which is written."""
    LATER = auto()
    """Its system cannot be reached now."""
    BUSY = auto()
    """Another attempt is at it."""
    HELD = auto()
    """The rollback does not run."""


@dataclass(frozen=True, slots=True)
class Try:
    """A step with its effect, as one attempt takes it on.

    Attributes:
        ordinal: Its place.
        step: As the plan has it.
        effect: What is undone.
        holder: Who holds its claim.
    """

    ordinal: int
    step: UndoStep
    effect: Effect
    holder: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it, and when it is worth another try."""

    came: Came
    why: str = ""
    wait: timedelta = _SOON


class UndoBook:
    """Writes down what comes of undos.

    Attributes:
        given_up: Holders whose calls did not come back in time; what they say later still counts.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies
        self.given_up: set[str] = set()

    def claim(self, request: UndoBatch, one: Try) -> Tried | None:
        """Claim an undo; gives what came of the step if there is nothing to claim.

        An attempt of this rollback that died after its undo, before its step was written, did this rollback's work.
        """

        def write(session: Session) -> Standing | None:
            now = self._deps.clock()
            standing = undos.claim_undo(
                session,
                action_id=one.effect.action_id,
                rollback_id=request.rollback_id,
                holder=one.holder,
                lease_until=now + LEASE,
                at=now,
            )
            if standing is None:
                self._write_event(session, request, one.effect, "undo.claimed", {})
            elif standing.status is UndoStatus.UNDONE:
                ours = standing.rollback_id == request.rollback_id
                update = {"status": UndoStatus.UNDONE} if ours else {"verdict": Undoable.ALREADY, "status": None}
                step = one.step.model_copy(update={**update, "why": ""})
                undos.finish_step(session, request.rollback_id, one.ordinal, step, at=now)
            return standing

        standing = self._deps.database.together(write)
        if standing is None:
            return None
        if standing.held:
            return Tried(Came.HELD)
        if standing.status is UndoStatus.UNDONE:
            return Tried(Came.OUT)
        return Tried(Came.BUSY, f"The undo of {one.effect.action_id} is under way.", timedelta(seconds=1))

    def later(self, request: UndoBatch, one: Try, why: str) -> Tried:
        """Try again later, or leave it to a person after some attempts; undoing is idempotent by its key."""

        def write(session: Session) -> int:
            tried = undos.attempts(session, one.effect.action_id)
            if tried < MAX_ATTEMPTS:
                undos.finish_undo(
                    session,
                    action_id=one.effect.action_id,
                    holder=one.holder,
                    status=UndoStatus.FAILED,
                    changes=[],
                    message=why,
                    at=self._deps.clock(),
                )
            return tried

        tried = self._deps.database.together(write)
        if tried >= MAX_ATTEMPTS:
            return self.record(request, one, UndoStatus.FAILED, f"{why} Tried {tried} times.")
        return Tried(Came.LATER, why, timedelta(seconds=min(0.2 * 2**tried, 5.0)))

    def record(
        self, request: UndoBatch, one: Try, status: UndoStatus, message: str, performed: Performed | None = None
    ) -> Tried:
        """Write the outcome of a claimed undo, its step and its event, at once.

        Raises:
            ApplicationError: Somebody else holds the claim by now; theirs counts.
        """
        operation = self._deps.registry.get(one.effect.type)
        changes = _seen(operation, performed)
        step = self._ended(one, operation, status, message, changes)

        def write(session: Session) -> bool:
            now = self._deps.clock()
            counts = undos.finish_undo(
                session,
                action_id=one.effect.action_id,
                holder=one.holder,
                status=status,
                changes=changes,
                message=message,
                at=now,
            )
            if not counts:
                return False
            if status is UndoStatus.UNDONE:
                projection.set_status(session, one.effect.action_id, ActionStatus.UNDONE)
            undos.finish_step(session, request.rollback_id, one.ordinal, step, at=now)
            body: dict[str, Json] = {
                "message": message,
                "changes": [change.model_dump(mode="json") for change in changes],
            }
            self.event(session, request, one.effect, status, body)
            if one.holder in self.given_up and status is UndoStatus.UNDONE:
                # It came back after all: perhaps nothing is left for a person any more.
                row = rollback_life.locked(session, request.rollback_id)
                rollback_life.end_if_settled(session, row, by=SYSTEM, at=now)
            return True

        if not self._deps.database.together(write):
            raise try_again(f"Another attempt took over the undo of {one.effect.action_id}.", after=_SOON)
        return Tried(Came.OUT)

    def _ended(
        self, one: Try, operation: Operation | None, status: UndoStatus, message: str, changes: list[ResourceChange]
    ) -> UndoStep:
        verdict = Undoable.CONFLICT if status is UndoStatus.CONFLICT else one.step.verdict
        update: dict[str, object] = {
            "status": status,
            "why": "" if status is UndoStatus.UNDONE else message or one.step.why,
            "verdict": Undoable.YES if status is UndoStatus.UNDONE else verdict,
            "changes": changes or one.step.changes,
            "task": "",
        }
        if status is not UndoStatus.UNDONE:
            update["task"] = task_of(Undoable.CONFLICT if verdict is Undoable.YES else verdict, one.effect, operation)
        if status is UndoStatus.CONFLICT:
            update["later"] = self._later_work(one)
        return one.step.model_copy(update=update)

    def _later_work(self, one: Try) -> list[object]:
        with self._deps.database.read() as session:
            nexts = scoped_effects.next_touches(session, [one.effect])
            found = scoped_effects.by_ids(session, list(dict.fromkeys(nexts.values())))
        return [
            scoped_effects.as_later_work(found[action_id], name)
            for (_, name), action_id in nexts.items()
            if action_id in found
        ]

    def renew(self, running: Sequence[Try]) -> None:
        if not running:
            return
        until = self._deps.clock() + LEASE

        def write(session: Session) -> None:
            for one in running:
                undos.renew(session, [one.effect.action_id], holder=one.holder, lease_until=until)

        self._deps.database.together(write)

    def event(
        self, session: Session, request: UndoBatch, effect: Effect, status: UndoStatus, body: dict[str, Json]
    ) -> None:
        self._write_event(session, request, effect, _EVENTS[status], body)

    def _write_event(
        self, session: Session, request: UndoBatch, effect: Effect, kind: str, body: dict[str, Json]
    ) -> None:
        ledger.append(
            session,
            at=self._deps.clock(),
            kind=kind,
            actor=request.by,
            run_id=effect.run_id,
            action_id=effect.action_id,
            agent=effect.agent,
            body={"rollback": request.rollback_id, **body},
        )


def _seen(operation: Operation | None, performed: Performed | None) -> list[ResourceChange]:
    changes = performed.changes if performed else []
    return changes_without_secrets(changes, operation.type.secrets) if operation else changes
