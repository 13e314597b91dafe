"""Action rows as outcomes, the form that workflows and agents are given."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction, Reason
from assent.domain.canonical import Json, stable_text
from assent.domain.effects import Performed, ResourceChange
from assent.domain.errors import InvalidInput
from assent.domain.tiers import Speed
from assent.store.electorate import rules_of
from assent.store.tables import ActionRow, ApprovalRow

MAX_SENTENCE = 4_000
"""Characters of a sentence that is handed on; a message that has the arguments, too, must fit Temporal's 2 MiB."""

MAX_RESULT = 256 * 1024
"""Bytes of a result that is handed on to the workflow and the agent; larger ones stay in the database."""


def outcome_of(
    session: Session, row: ActionRow, *, speed: Speed, now: datetime, held_by: Sequence[str] = ()
) -> ActionOutcome:
    """What a row says of its action.

    Args:
        session: For the approval request of an action that awaits one.
        row: The action's row.
        speed: How its effect is run.
        now: To count the remaining time from.
        held_by: Pauses that hold it.
    """
    approval = None
    status = ActionStatus(row.status)
    if status in (ActionStatus.AWAITING, ActionStatus.HELD, ActionStatus.CLEARED):
        approval = session.execute(
            select(ApprovalRow).where(col(ApprovalRow.action_id) == row.action_id)
        ).scalar_one_or_none()
    return ActionOutcome(
        action_id=row.action_id,
        key=row.key,
        type=row.type,
        status=status,
        speed=speed,
        sentence=handed_on(row.sentence),
        result=bounded(row.result, row.action_id),
        reasons=[Reason.model_validate(reason) for reason in row.reasons],
        message=row.message,
        approval_id=approval.id if approval else None,
        digest=approval.digest if approval else None,
        expires_in=(approval.due_at or approval.expires_at) - now if approval else None,
        votes=rules_of(approval).electorate.size if approval else 1,
        held_by=list(held_by),
        settled_at=row.settled_at,
        **told_of_edit(row.edited, row.action_id),
    )


def told_of_edit(edited: Mapping[str, Any] | None, action_id: str) -> dict[str, Any]:
    """What an outcome says of an edit by a person, in a size that fits a message; nothing if there was none."""
    return {"edited_by": edited["by"]["name"], "arguments": bounded(edited["arguments"], action_id)} if edited else {}


def action_of(row: ActionRow) -> ProposedAction:
    """The action as it was admitted: what runs is this, whatever a later proposal with the same key asks for."""
    return ProposedAction(
        key=row.key, type=row.type, arguments=row.arguments, reason=row.reason, instead_of=row.instead_of or None
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system answered, in a form that can be kept.

    Attributes:
        result: The result; ``None`` if it cannot be written down.
        handed_on: The result for the workflow and the agent, or a note of where the whole one is.
        digest: SHA-256 over the result's stable JSON text, for the ledger.
        changes: Records touched; without content where that cannot be written down.
        undo_data: What undoing needs.
        fault: What could not be kept, in words; empty if everything was.
    """

    result: Json
    handed_on: Json
    digest: str
    changes: list[ResourceChange]
    undo_data: Json
    fault: str


def answer_of(performed: Performed, action_id: str) -> Answer:
    """Make what a connector reports fit to be kept: an effect that happened is recorded whatever it answered."""
    faults: list[str] = []
    result, text = _writable(performed.result, "result", faults)
    undo_data, _ = _writable(performed.undo_data, "undo data", faults)
    return Answer(
        result=result,
        handed_on=result if len(text) <= MAX_RESULT else _kept_elsewhere(len(text), action_id),
        digest=hashlib.sha256(text).hexdigest(),
        changes=[_writable_change(change, faults) for change in performed.changes],
        undo_data=undo_data,
        fault=f"The system's answer could not be kept whole: {'; '.join(faults)}." if faults else "",
    )


def bounded(result: Json, action_id: str) -> Json:
    """A result that fits a message, or a note of where the whole one is."""
    size = len(stable_text(result).encode())
    return result if size <= MAX_RESULT else _kept_elsewhere(size, action_id)


def handed_on(sentence: str) -> str:
    """A sentence in a length that fits a message beside the arguments; the row has the whole."""
    length = len(sentence)
    return sentence if length <= MAX_SENTENCE else f"{sentence[:MAX_SENTENCE]}… ({length:,} characters in all)"


def spoken(error: Exception) -> str:
    """An error's text, with half characters (lone surrogates), which nobody can store, written out."""
    return str(error).encode("utf-8", "backslashreplace").decode()


def _kept_elsewhere(size: int, action_id: str) -> Json:
    return {"too_large": size, "limit": MAX_RESULT, "kept_in": f"the action {action_id}"}


def _writable(value: Json, what: str, faults: list[str]) -> tuple[Json, bytes]:
    """A value and its text, or ``None`` and a fault."""
    try:
        return value, stable_text(value).encode()
    except (InvalidInput, ValueError) as error:
        faults.append(f"the {what}: {spoken(error)}")
        return None, b"null"


def _writable_change(change: ResourceChange, faults: list[str]) -> ResourceChange:
    before, _ = _writable(change.before, f"content of {change.resource} before", faults)
    after, _ = _writable(change.after, f"content of {change.resource} after", faults)
    return change if not faults else ResourceChange(resource=change.resource, before=before, after=after)
