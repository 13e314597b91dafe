"""Writing revisions of requests, the edits that made them, and what lapses by them. Only activities call this."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from assent.domain.actions import Verdict
from assent.domain.approvals import RequestCard
from assent.domain.approving import Agenda, ApprovalRules
from assent.domain.canonical import Json
from assent.domain.people import Actor
from assent.domain.revisions import Edit
from assent.store import search, statements
from assent.store.approvals import why_in_short
from assent.store.tables import ActionRow, ApprovalRow, EditRow, RevisionRow

_revisions, _edits = statements.table_of(RevisionRow), statements.table_of(EditRow)
_WRITE = insert(_revisions)
_RECORD = insert(_edits)
_KEPT = select(_edits.c.id).where(_edits.c.id == bindparam("for_id"))


def write(
    session: Session,
    *,
    approval_id: str,
    digest: str,
    card: RequestCard,
    arguments: Mapping[str, Json],
    card_version: int,
    at: datetime,
    edited_by: Actor | None = None,
    reason: str = "",
) -> None:
    """Keep a revision as it is shown, whole.

    Args:
        session: The transaction that shows it.
        approval_id: The request.
        digest: What a decision on this revision carries.
        card: What people are shown; it knows the revision's number.
        arguments: The raw arguments, secrets included, so that the digest can be computed again.
        card_version: Version of the agent card that was applied.
        at: When.
        edited_by: Who made it; ``None`` for the first, which is the agent's.
        reason: Why it was edited.
    """
    values = {
        "approval_id": approval_id,
        "revision": card.revision,
        "digest": digest,
        "card": card.model_dump(mode="json"),
        "arguments": dict(arguments),
        "card_version": card_version,
        "edited_by": edited_by.model_dump(mode="json") if edited_by else None,
        "reason": reason,
        "at": at,
    }
    statements.run(session, _WRITE, values)


def replace(
    session: Session,
    request: ApprovalRow,
    action: ActionRow,
    edit: Edit,
    *,
    digest: str,
    card: RequestCard,
    arguments: Mapping[str, Json],
    verdict: Verdict,
    rules: ApprovalRules,
    agenda: Agenda,
    at: datetime,
    expires_at: datetime,
) -> None:
    """Let a pending request and its action stand for edited arguments, and keep that revision.

    Args:
        session: The transaction, in which the caller has checked that the edit counts.
        request: The request's row.
        action: The action's row, locked.
        edit: The edit.
        digest: What a decision on this revision carries.
        card: What people are shown; it knows the revision's number.
        arguments: The raw arguments.
        verdict: What admission says of them.
        rules: How the request is decided from now on.
        agenda: What time brings to it before it is up.
        at: When.
        expires_at: When its time is up.
    """
    request.revision, request.digest, request.headline, request.amount = (
        card.revision,
        digest,
        card.headline,
        card.amount,
    )
    request.card, request.rules = card.model_dump(mode="json"), rules.model_dump(mode="json")
    request.why = why_in_short(card)
    request.revised_at, request.expires_at, request.silent_at = at, expires_at, None
    request.due_at, request.agenda = agenda.next_look(expires_at), agenda.model_dump(mode="json")
    action.arguments, action.sentence = dict(arguments), card.headline
    action.edited = {"by": edit.by.model_dump(mode="json"), "arguments": card.arguments}
    action.tier, action.card_version = verdict.tier, verdict.card_version
    action.reasons = [reason.model_dump(mode="json") for reason in verdict.reasons]
    session.flush()
    search.add(session, request.id, card, request.created_at)
    write(
        session,
        approval_id=request.id,
        digest=digest,
        card=card,
        arguments=arguments,
        card_version=verdict.card_version,
        at=at,
        edited_by=edit.by,
        reason=edit.reason,
    )


def record_edit(session: Session, edit: Edit, *, revision: int | None = None, why_not: str = "") -> None:
    """Keep an edit that reached the run, with the revision it made or why it made none."""
    values = {
        "id": edit.id,
        "approval_id": edit.approval_id,
        "action_id": edit.action_id,
        "digest": edit.digest,
        "reason": edit.reason,
        "actor": edit.by.model_dump(mode="json"),
        "at": edit.at,
        "revision": revision,
        "why_not": why_not,
    }
    statements.run(session, _RECORD, values)


def was_recorded(session: Session, edit_id: str) -> bool:
    """Whether an edit reached the run before."""
    return statements.run(session, _KEPT, {"for_id": edit_id}).first() is not None
