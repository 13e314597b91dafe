"""Undoing the next effects of a rollback: each claimed, checked, undone, verified; several at once."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from sqlalchemy.orm import Session
from temporalio import activity

from assent.domain.actions import ActionStatus
from assent.domain.canonical import Json
from assent.domain.catalogue import changes_without_secrets
from assent.domain.effects import Performed, ResourceChange, UndoStatus
from assent.domain.people import SYSTEM
from assent.domain.ports import UndoBatch, UndoProgress
from assent.domain.rollbacks import Undoable, UndoStep
from assent.store import ledger, projection, rollback_life, scoped_effects, undos
from assent.store.scoped_effects import Effect
from assent.store.undos import Standing
from assent_activities.connectors import ActionFailed, ConnectorUnavailable, Operation, UndoConflict
from assent_activities.deadman import AGAIN
from assent_activities.dependencies import Dependencies
from assent_activities.lanes import Behind, Overdue, in_lanes
from assent_activities.retrying import MAX_ATTEMPTS, try_again
from assent_activities.rollback_preview import still_as_left, undo_call
from assent_activities.undo_words import at_a_glance, task_of

log = logging.getLogger(__name__)

WINDOW = 256
"""Steps looked at by one activity."""

UNDO_LIMIT = timedelta(seconds=60)
"""How long a connector may take to undo one effect before nobody knows what became of it."""

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


class Undoing:
    """Undoes the effects of a rollback.

    Effects that share a record or a run are undone one after the other in the order of the plan, others at once.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies
        self._given_up: set[str] = set()

    def next_steps(self, request: UndoBatch) -> UndoProgress:
        """Try the next steps.

        Returns:
            How far the rollback is.

        Raises:
            ApplicationError: Some of them are worth another try after a while.
        """
        with self._deps.database.read() as session:
            steps = undos.next_steps(session, request.rollback_id, WINDOW)
            effects = scoped_effects.by_ids(session, [step.action_id for _, step in steps])
        tries = self._clear(request, steps, effects)
        ends = self._in_lanes(request, tries)
        progress = self._progress(request.rollback_id, held=any(end.came is Came.HELD for end in ends))
        waiting = [end for end in ends if end.came in (Came.LATER, Came.BUSY)]
        if waiting and not progress.held:
            raise try_again(waiting[0].why, after=min(end.wait for end in waiting))
        return progress

    def _clear(
        self, request: UndoBatch, steps: Sequence[tuple[int, UndoStep]], effects: dict[str, Effect]
    ) -> list[Try]:
        """Finish the steps that need no system, all at once; gives the others."""
        tries: list[Try] = []
        finished: list[tuple[int, UndoStep]] = []
        impossible: list[tuple[Effect, UndoStep]] = []
        now = self._deps.clock()
        for ordinal, step in steps:
            effect = effects.get(step.action_id)
            if step.verdict.needs_nothing:
                finished.append((ordinal, step))
            elif effect is None:
                finished.append((ordinal, step.model_copy(update={"verdict": Undoable.NOTHING, "why": _NO_EFFECT})))
            elif effect.undone is UndoStatus.UNDONE:
                tries.append(Try(ordinal, step, effect, uuid.uuid4().hex))
            else:
                operation = self._deps.registry.get(effect.type)
                verdict, why = at_a_glance(effect, operation, now)
                if verdict is Undoable.YES:
                    tries.append(Try(ordinal, step, effect, uuid.uuid4().hex))
                    continue
                update = {"verdict": verdict, "why": why, "task": task_of(verdict, effect, operation)}
                status = None if verdict.needs_nothing else UndoStatus.IMPOSSIBLE
                ended = step.model_copy(update={**update, "status": status})
                finished.append((ordinal, ended))
                if status is not None:
                    impossible.append((effect, ended))

        def write(session: Session) -> None:
            at = self._deps.clock()
            undos.finish_steps(session, request.rollback_id, finished, at=at)
            for effect, step in impossible:
                self._event(session, request, effect, UndoStatus.IMPOSSIBLE, {"message": step.why, "changes": []})

        if finished:
            self._deps.database.together(write)
        return tries

    def _in_lanes(self, request: UndoBatch, tries: Sequence[Try]) -> list[Tried]:
        ends: list[Tried] = []
        stuck: set[str] = set()
        held: list[Tried] = []

        def work(one: Try) -> Tried:
            chain = _keys(one)
            if held:
                return held[0]
            if chain & stuck:
                return Tried(Came.LATER, "One that comes first is not undone yet.")
            end = self._undo(request, one)
            if end.came is Came.HELD:
                held.append(end)
            elif end.came is not Came.OUT:
                stuck.update(chain)
            return end

        def beat(running: list[Try]) -> None:
            if activity.in_activity():
                activity.heartbeat(len(ends))
            self._renew(running)

        for answer in in_lanes(chains_of(tries), work, limit=UNDO_LIMIT, beat=beat):
            if isinstance(answer, Overdue):
                self._overdue(request, answer.item)
                ends.append(Tried(Came.OUT))
            elif isinstance(answer, Behind):
                self._behind(request, answer.item, answer.because)
                ends.append(Tried(Came.OUT))
            else:
                ends.append(answer.result)
        return ends

    def _undo(self, request: UndoBatch, one: Try) -> Tried:
        """Take one effect back, whatever the preview said: the world may have moved either way."""
        if fault := self._deps.switch.fault:
            return Tried(Came.LATER, f"This worker claims nothing: {fault}.", AGAIN)
        standing = self._claim(request, one)
        if standing is not None:
            return standing
        operation = self._deps.registry[one.effect.type]
        try:
            performed = operation.undo(undo_call(one.effect), one.effect.undo_data)
        except UndoConflict as error:
            return self._record(request, one, UndoStatus.CONFLICT, str(error))
        except ActionFailed as error:
            return self._record(request, one, UndoStatus.FAILED, str(error))
        except ConnectorUnavailable as error:
            return self._later(request, one, f"The system could not be reached: {error}")
        except Exception as error:
            log.exception("The undo of %s broke off.", one.effect.action_id)
            return self._later(request, one, f"It broke off: {type(error).__name__}: {error}")
        if untouched := still_as_left(operation, one.effect):
            why = f"The system said that it was undone, but {untouched} still is as the action left it."
            return self._record(request, one, UndoStatus.FAILED, why, performed)
        return self._record(request, one, UndoStatus.UNDONE, "", performed)

    def _claim(self, request: UndoBatch, one: Try) -> Tried | None:
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
                self._event_of(session, request, one.effect, "undo.claimed", {})
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

    def _later(self, request: UndoBatch, one: Try, why: str) -> Tried:
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
            return self._record(request, one, UndoStatus.FAILED, f"{why} Tried {tried} times.")
        return Tried(Came.LATER, why, timedelta(seconds=min(0.2 * 2**tried, 5.0)))

    def _overdue(self, request: UndoBatch, one: Try) -> None:
        self._given_up.add(one.holder)
        seconds = int(UNDO_LIMIT.total_seconds())
        why = f"The system did not answer within {seconds} seconds; find out whether it was undone, then try again."
        try:
            self._record(request, one, UndoStatus.UNKNOWN, why)
        except Exception:
            log.warning("The undo of %s came back in the last moment.", one.effect.action_id)

    def _behind(self, request: UndoBatch, one: Try, because: Try) -> None:
        why = (
            f"{because.effect.sentence or because.effect.action_id} comes first, and nobody knows what became of that."
        )
        step = one.step.model_copy(update={"status": UndoStatus.CONFLICT, "why": why})
        self._deps.database.together(
            lambda session: undos.finish_step(session, request.rollback_id, one.ordinal, step, at=self._deps.clock())
        )

    def _record(
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
            self._event(session, request, one.effect, status, body)
            if one.holder in self._given_up and status is UndoStatus.UNDONE:
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

    def _renew(self, running: Sequence[Try]) -> None:
        if not running:
            return
        until = self._deps.clock() + LEASE

        def write(session: Session) -> None:
            for one in running:
                undos.renew(session, [one.effect.action_id], holder=one.holder, lease_until=until)

        self._deps.database.together(write)

    def _progress(self, rollback_id: str, *, held: bool) -> UndoProgress:
        with self._deps.database.read() as session:
            counts = undos.tally(session, rollback_id)
        return UndoProgress(undone=counts.undone, left=counts.left, more=counts.open > 0, held=held)

    def _event(
        self, session: Session, request: UndoBatch, effect: Effect, status: UndoStatus, body: dict[str, Json]
    ) -> None:
        self._event_of(session, request, effect, _EVENTS[status], body)

    def _event_of(self, session: Session, request: UndoBatch, effect: Effect, kind: str, body: dict[str, Json]) -> None:
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


def chains_of(tries: Sequence[Try]) -> list[list[Try]]:
    """Steps that share a record or a run, directly or through others, in the order of the plan."""
    chains: dict[int, list[Try]] = {}
    of_key: dict[str, int] = {}
    for number, one in enumerate(tries):
        mine = [one]
        joined = {of_key[key] for key in _keys(one) if key in of_key}
        for other in joined:
            mine += chains.pop(other)
        chains[number] = sorted(mine, key=lambda each: each.ordinal)
        for each in mine if joined else [one]:
            of_key.update(dict.fromkeys(_keys(each), number))
    return sorted(chains.values(), key=lambda chain: chain[0].ordinal)


def _keys(one: Try) -> set[str]:
    return {f"run {one.effect.run_id}", *(f"record {change.resource}" for change in one.effect.changes)}


def _seen(operation: Operation | None, performed: Performed | None) -> list[ResourceChange]:
    changes = performed.changes if performed else []
    return changes_without_secrets(changes, operation.type.secrets) if operation else changes


_NO_EFFECT = "It had no effect."
