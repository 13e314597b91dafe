"""Undoing the next effects of a rollback: each claimed, checked, undone, verified; several at once."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session
from temporalio import activity

from assent.domain.effects import UndoStatus
from assent.domain.ports import UndoBatch, UndoProgress
from assent.domain.undo_steps import Undoable, UndoStep
from assent.store import scoped_effects, undos
from assent.store.scoped_effects import Effect
from assent_activities.connectors import ActionFailed, ConnectorUnavailable, UndoConflict
from assent_activities.deadman import AGAIN
from assent_activities.dependencies import Dependencies
from assent_activities.lanes import Behind, Overdue, in_lanes
from assent_activities.outcomes import spoken
from assent_activities.retrying import try_again
from assent_activities.rollback_preview import still_as_left, undo_call
from assent_activities.undo_book import Came, Tried, Try, UndoBook
from assent_activities.undo_words import at_a_glance, task_of

log = logging.getLogger(__name__)

WINDOW = 256
"""Steps looked at by one activity."""

UNDO_LIMIT = timedelta(seconds=60)
"""How long a connector may take to undo one effect before nobody knows what became of it."""


class Undoing:
    """Undoes the effects of a rollback.

    Effects that share a record or a run are undone one after the other in the order of the plan, others at once.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies
        self._book = UndoBook(dependencies)

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
                self._book.event(session, request, effect, UndoStatus.IMPOSSIBLE, {"message": step.why, "changes": []})

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
            self._book.renew(running)

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
        standing = self._book.claim(request, one)
        if standing is not None:
            return standing
        operation = self._deps.registry[one.effect.type]
        try:
            performed = operation.undo(undo_call(one.effect), one.effect.undo_data)
        except UndoConflict as error:
            return self._book.record(request, one, UndoStatus.CONFLICT, spoken(error))
        except ActionFailed as error:
            return self._book.record(request, one, UndoStatus.FAILED, spoken(error))
        except ConnectorUnavailable as error:
            return self._book.later(request, one, f"The system could not be reached: {spoken(error)}")
        except Exception as error:
            log.exception("The undo of %s broke off.", one.effect.action_id)
            return self._book.later(request, one, f"It broke off: {type(error).__name__}: {spoken(error)}")
        if untouched := still_as_left(operation, one.effect, performed):
            why = f"The system said that it was undone, but {untouched}."
            return self._book.record(request, one, UndoStatus.FAILED, why, performed)
        return self._book.record(request, one, UndoStatus.UNDONE, "", performed)

    def _overdue(self, request: UndoBatch, one: Try) -> None:
        self._book.given_up.add(one.holder)
        seconds = int(UNDO_LIMIT.total_seconds())
        why = f"The system did not answer within {seconds} seconds; find out whether it was undone, then try again."
        try:
            self._book.record(request, one, UndoStatus.UNKNOWN, why)
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

    def _progress(self, rollback_id: str, *, held: bool) -> UndoProgress:
        with self._deps.database.read() as session:
            counts = undos.tally(session, rollback_id)
        return UndoProgress(undone=counts.undone, left=counts.left, more=counts.open > 0, held=held)


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


_NO_EFFECT = "It had no effect."
