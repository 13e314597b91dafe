"""Proving that an undo works: the action is done on scratch records, taken back, and the records are looked at."""

from __future__ import annotations

import dataclasses
import uuid

from assent.domain.canonical import digest_of
from assent.domain.catalogue import as_kept
from assent.domain.effects import Performed, ResourceChange
from assent.domain.undo_kinds import UndoKind
from assent.policy.admission import schema_faults
from assent_activities.connectors import ActionFailed, Call, Operation, Provable, Trial, UndoConflict


class NotProven(Exception):
    """The undo was tried and does not do what it promises; the text says what is wrong."""


class CannotTry(Exception):
    """There is nothing that it could be tried on; nothing is said of the undo."""


def prove(operation: Operation, *, agent: str) -> str:
    """Do an action on scratch records, take it back, and look whether they are what they were.

    Args:
        operation: The operation; nothing real is touched.
        agent: In whose name.

    Returns:
        What was checked, in words.

    Raises:
        CannotTry: The connector offers no scratch records, or nothing there fits.
        NotProven: The undo does not work.
        ConnectorUnavailable: The system cannot be reached.
    """
    type = operation.type
    if type.undo is None or not type.undo.works:
        raise CannotTry("It has no undo that works by itself.")
    if not isinstance(operation, Provable):
        raise CannotTry("Its connector offers no scratch records; undo one for real to prove it.")
    try:
        with operation.scratch() as trial:
            return _proven(trial, Call(f"proof-{uuid.uuid4().hex}", dict(trial.arguments), agent, "proof"))
    except ActionFailed as error:
        raise CannotTry(str(error)) from error


def _proven(trial: Trial, call: Call) -> str:
    operation = trial.operation
    if faults := schema_faults(operation.type, call.arguments):
        raise CannotTry(faults[0])
    before = operation.preview(call)
    done = operation.perform(call)
    if not done.changes:
        raise CannotTry("The action changed nothing there.")
    if done.undo_data is None:
        raise NotProven("The action says of what it did that it cannot be taken back.")
    undone = _undone(operation, call, done)
    kind = operation.type.undo.kind if operation.type.undo else UndoKind.BEFORE_IMAGE
    after = operation.preview(call)
    if kind is UndoKind.INVERSE:
        # What the action made new stays, beside what balances it.
        made = {change.resource for change in before if change.before is None}
        before, after = ([change for change in seen if change.resource not in made] for seen in (before, after))
    if kind is not UndoKind.COUNTER_MESSAGE:
        _same(before, after)
    _once(operation, call, done)
    records = ", ".join(sorted({change.resource for change in done.changes}))
    written = ", ".join(sorted({change.resource for change in undone.changes}))
    if kind is UndoKind.INVERSE:
        return f"Done on {records}, and balanced once, on {written}; what was there before was as before."
    if kind is UndoKind.COUNTER_MESSAGE:
        return f"Done on {records}; the counter-message was written once, as {written}."
    return f"Done and taken back on {records}; afterwards everything was as before."


def _undone(operation: Operation, call: Call, done: Performed) -> Performed:
    undo_call = _undo_call(call)
    try:
        operation.undo_preview(undo_call, done.undo_data)
        undone = operation.undo(undo_call, done.undo_data)
    except UndoConflict as error:
        raise NotProven(f"Taking it back at once was refused: {error}") from error
    except ActionFailed as error:
        raise NotProven(f"Taking it back failed: {error}") from error
    if not undone.changes:
        raise NotProven("Taking it back changed nothing.")
    return undone


def _same(before: list[ResourceChange], after: list[ResourceChange]) -> None:
    """The records before a second try are what they were before the first."""
    then = {change.resource: digest_of(as_kept(change.before)) for change in before}
    now = {change.resource: digest_of(as_kept(change.before)) for change in after}
    odd = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if odd:
        raise NotProven(f"After it was taken back, {', '.join(odd)} is not what it was.")


def _once(operation: Operation, call: Call, done: Performed) -> None:
    """Taking it back again changes nothing: a worker that dies at it leaves an undo that is sent again."""
    first = operation.preview(call)
    try:
        operation.undo(_undo_call(call), done.undo_data)
    except (UndoConflict, ActionFailed) as error:
        raise NotProven(f"Taking it back again with the same key was refused: {error}") from error
    _same(first, operation.preview(call))


def _undo_call(call: Call) -> Call:
    return dataclasses.replace(call, key=f"{call.key}#undo")
