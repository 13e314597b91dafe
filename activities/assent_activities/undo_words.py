"""What can be said of an undo without asking its system: whether it can be, how, and what a person does instead."""

from __future__ import annotations

from datetime import datetime

from assent.domain.actions import ProposedAction
from assent.domain.effects import EffectStatus, UndoStatus
from assent.domain.undo_steps import Undoable, UndoStep
from assent.policy.sentences import currency_of_call, fill
from assent.store.scoped_effects import Effect
from assent_activities.cards_shown import amount_moved, reached_by
from assent_activities.connectors import Call, Operation
from assent_activities.previews import Preview, measured


def at_a_glance(effect: Effect, operation: Operation | None, now: datetime) -> tuple[Undoable, str]:
    """Whether an effect can be undone as far as the database and its type say, and why it cannot."""
    if effect.undone is UndoStatus.UNDONE:
        return Undoable.ALREADY, "It was undone before."
    if effect.status is EffectStatus.CLAIMED:
        return Undoable.UNKNOWN, "It is still running."
    if effect.status is EffectStatus.UNKNOWN:
        return Undoable.UNKNOWN, "Nobody knows yet whether it happened; find out first."
    if operation is None:
        return Undoable.NO, f"No connector offers {effect.type} any more."
    if effect.attested:
        return Undoable.NO, "A person said that it happened; what taking it back would need is not known."
    by_hand = operation.type.undo is not None and not operation.type.undo.works
    if not effect.changes and effect.undo_data is None and not by_hand:
        return Undoable.NOTHING, "It changed nothing that can be taken back."
    undo = operation.type.undo
    if undo is None:
        return Undoable.NO, "This kind of action cannot be undone; a person must put it right."
    if not undo.works:
        return Undoable.NO, "A person takes this back by hand."
    if undo.within is not None and effect.finished_at and now > effect.finished_at + undo.within:
        return Undoable.TOO_LATE, "The time in which it could be undone is over."
    return Undoable.YES, ""


def described(effect: Effect, operation: Operation | None) -> UndoStep:
    """A step with everything that does not depend on how the records are now."""
    step = UndoStep(
        action_id=effect.action_id,
        sentence=effect.sentence,
        verdict=Undoable.YES,
        run_id=effect.run_id,
        agent=effect.agent,
        type=effect.type,
        done_at=effect.finished_at,
    )
    if operation is None:
        return step
    type = operation.type
    action = ProposedAction(key="undo", type=type.name, arguments=effect.arguments)
    call = Call(key=effect.action_id, arguments=effect.arguments, agent=effect.agent, run_id=effect.run_id)
    seen = measured(operation, call, Preview(effect.changes))
    return step.model_copy(
        update={
            "undo": fill(type.undo.sentence, type, effect.arguments) if type.undo else "",
            "kind": type.undo.kind if type.undo else None,
            "amount": amount_moved(type, action, seen),
            "currency": currency_of_call(type, effect.arguments),
            "reaches": {reached.unit: reached.count for reached in reached_by(type, action, seen)},
        }
    )


def task_of(verdict: Undoable, effect: Effect, operation: Operation | None) -> str:
    """What a person does about an effect that Assent does not take back; empty where there is nothing to do."""
    if verdict.needs_nothing:
        return ""
    type = operation.type if operation else None
    if verdict is Undoable.UNKNOWN:
        if effect.status is EffectStatus.CLAIMED:
            return "Wait until it has an outcome, then look again."
        how = fill(type.how_to_find_out, type, effect.arguments) if type and type.how_to_find_out else ""
        return how or "Find out in its system whether it happened, and settle it."
    if type is not None and type.undo is not None and type.undo.runbook is not None:
        runbook = type.undo.runbook
        return fill(runbook.text, type, effect.arguments) + (f" More: {runbook.link}" if runbook.link else "")
    records = ", ".join(dict.fromkeys(change.resource for change in effect.changes))
    if verdict is Undoable.CONFLICT:
        return f"Compare {records or 'the record'} with what the action left, and put right what is still wrong."
    return f"Put it right by hand in {records}." if records else "Put it right by hand."
