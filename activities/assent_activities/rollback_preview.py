"""What a rollback would do: each effect in scope, newest first, checked against the live records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from assent.domain.canonical import Json, digest_of
from assent.domain.catalogue import as_kept
from assent.domain.effects import EffectStatus, ResourceChange, UndoStatus
from assent.domain.rollbacks import Undoable, UndoStep
from assent.policy.sentences import fill
from assent.store.undos import Effect
from assent_activities.connectors import Call, ConnectorUnavailable, Operation, UndoConflict
from assent_activities.dependencies import Dependencies


class RollbackPreview:
    """Checks effects in the order of undoing.

    An older effect on a record that a newer one changed can be undone once the newer one is; so the preview keeps
    in mind what each record will be by then.

    Args:
        dependencies: Shared by all activities.
        now: The time, for undos that are possible only for a while.
    """

    def __init__(self, dependencies: Dependencies, now: datetime) -> None:
        self._registry = dependencies.registry
        self._now = now
        self._by_then: dict[str, Json] = {}

    def steps(self, effects: Iterable[Effect]) -> list[UndoStep]:
        """One step for each effect that changed something, in the order given (newest first)."""
        checked = []
        for effect in effects:
            operation = self._registry.get(effect.type)
            if operation is not None and operation.type.reads_only:
                continue
            checked.append(self._step(effect, operation))
        return checked

    def _step(self, effect: Effect, operation: Operation | None) -> UndoStep:
        step = UndoStep(action_id=effect.action_id, sentence=effect.sentence, verdict=Undoable.YES)
        verdict, why = self._at_a_glance(effect, operation)
        if verdict is not Undoable.YES:
            return step.model_copy(update={"verdict": verdict, "why": why})
        assert operation is not None
        assert operation.type.undo is not None
        sentence = fill(operation.type.undo.sentence, operation.type, effect.arguments)
        step = step.model_copy(update={"undo": sentence, "changes": reversed_changes(effect)})
        conflict = self._conflict(effect, operation)
        if conflict:
            return step.model_copy(update={"verdict": Undoable.CONFLICT, "why": conflict})
        for change in effect.changes:
            self._by_then[change.resource] = change.before
        return step

    def _at_a_glance(self, effect: Effect, operation: Operation | None) -> tuple[Undoable, str]:
        if effect.undone is UndoStatus.UNDONE:
            return Undoable.ALREADY, "It was undone before."
        if effect.status is EffectStatus.CLAIMED:
            return Undoable.UNKNOWN, "It is still running."
        if effect.status is EffectStatus.UNKNOWN:
            return Undoable.UNKNOWN, "Nobody knows yet whether it happened; find out first."
        if operation is None:
            return Undoable.NO, f"No connector offers {effect.type} any more."
        if not effect.changes and effect.undo_data is None:
            return Undoable.NOTHING, "It changed nothing that can be taken back."
        undo = operation.type.undo
        if undo is None:
            return Undoable.NO, "This kind of action cannot be undone; a person must put it right."
        if undo.within is not None and effect.finished_at and self._now > effect.finished_at + undo.within:
            return Undoable.TOO_LATE, "The time in which it could be undone is over."
        return Undoable.YES, ""

    def _conflict(self, effect: Effect, operation: Operation) -> str:
        """Why it conflicts with what happened since; empty if it does not."""
        newer = [change for change in effect.changes if change.resource in self._by_then]
        if newer:
            odd = [c for c in newer if digest_of(as_kept(self._by_then[c.resource])) != digest_of(as_kept(c.after))]
            return f"{odd[0].resource} was changed in between by somebody else." if odd else ""
        try:
            operation.undo_preview(undo_call(effect), effect.undo_data)
        except UndoConflict as error:
            return str(error)
        except ConnectorUnavailable as error:
            return f"The system could not be asked: {error}"
        return ""


def undo_call(effect: Effect) -> Call:
    """The call of an operation's undo; its key differs from the effect's."""
    return Call(key=f"{effect.action_id}#undo", arguments=effect.arguments, agent=effect.agent, run_id=effect.run_id)


def reversed_changes(effect: Effect) -> list[ResourceChange]:
    """What taking an effect back changes."""
    return [ResourceChange(resource=c.resource, before=c.after, after=c.before) for c in effect.changes]
