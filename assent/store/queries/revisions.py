"""Revisions of a request, the edits of it, and what an edit starts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import RequestCard
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, without_secrets
from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.store.electorate import rules_of
from assent.store.tables import ActionRow, AgentRow, ApprovalRow, CardVersionRow, EditRow, RevisionRow

MAX_LISTED = 200
"""Revisions or edits that are read at once."""


@dataclass(frozen=True, slots=True)
class RevisionView:
    """A request as it was shown.

    Attributes:
        revision: Its number, 1 for what the agent proposed.
        digest: What a decision on it carried.
        card: Everything an approver was shown; ``card.revised`` says what differs from the revision before.
        edited_by: Who made it; ``None`` for the agent's own.
        reason: Why.
        at: When.
    """

    revision: int
    digest: str
    card: RequestCard
    edited_by: Actor | None
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EditView:
    """An edit that reached the run.

    Attributes:
        id: Its id.
        approval_id: The request.
        by: Who edited.
        reason: Why.
        at: When.
        revision: The revision it made; ``None`` if it made none.
        why_not: Why it made none.
    """

    id: str
    approval_id: str
    by: Actor
    reason: str
    at: datetime
    revision: int | None
    why_not: str


@dataclass(frozen=True, slots=True)
class Editable:
    """What an edit starts from.

    Attributes:
        approval_id: The request.
        action_id: The action behind it.
        agent: The agent that asks.
        digest: What the request shows now.
        revision: Number of the newest revision.
        type: The action type as the agent's card in force knows it; ``None`` if that does not list it any more.
        raw: The arguments as they would run, secrets included: to check against, not to show.
        allowed: The card lets approvers edit it.
    """

    approval_id: str
    action_id: str
    agent: str
    digest: str
    revision: int
    type: ActionType | None
    raw: dict[str, Json]
    allowed: bool = True

    @property
    def arguments(self) -> dict[str, Json]:
        """The arguments as people may see them."""
        return without_secrets(self.raw, self.type.secrets if self.type else ())


def of_request(session: Session, approval_id: str) -> tuple[RevisionView, ...]:
    """Every revision of a request, the agent's own first; at most :data:`MAX_LISTED`."""
    rows = session.execute(
        select(RevisionRow)
        .where(col(RevisionRow.approval_id) == approval_id)
        .order_by(col(RevisionRow.revision))
        .limit(MAX_LISTED)
    ).scalars()
    return tuple(_revision(row) for row in rows)


def one(session: Session, approval_id: str, revision: int) -> RevisionView:
    """One revision of a request.

    Raises:
        NotFound: There is no such request, or it has no such revision.
    """
    row = session.get(RevisionRow, (approval_id, revision))
    if row is None:
        raise NotFound(
            f"There is no revision {revision} of the request {approval_id!r}.",
            where="revision",
            todo="`assent approval revisions` lists them.",
        )
    return _revision(row)


def edits(session: Session, approval_id: str) -> tuple[EditView, ...]:
    """Every edit of a request that reached the run, oldest first; at most :data:`MAX_LISTED`."""
    rows = session.execute(
        select(EditRow)
        .where(col(EditRow.approval_id) == approval_id)
        .order_by(col(EditRow.at), col(EditRow.id))
        .limit(MAX_LISTED)
    ).scalars()
    return tuple(_edit(row) for row in rows)


def edit(session: Session, edit_id: str) -> EditView | None:
    """One edit, once it has reached the run."""
    row = session.get(EditRow, edit_id)
    return None if row is None else _edit(row)


def editable(session: Session, approval_id: str) -> Editable:
    """What an edit of a request starts from.

    Raises:
        NotFound: There is no such request.
    """
    found = session.execute(
        select(ApprovalRow, ActionRow)
        .join(ActionRow, col(ActionRow.action_id) == col(ApprovalRow.action_id))
        .where(col(ApprovalRow.id) == approval_id)
    ).first()
    if found is None:
        raise NotFound(f"There is no approval request {approval_id!r}.", where="approval_id")
    request, action = found
    return Editable(
        approval_id=request.id,
        action_id=request.action_id,
        agent=request.agent,
        digest=request.digest,
        revision=request.revision,
        type=type_in_force(session, request.agent, request.type),
        raw=action.arguments,
        allowed=rules_of(request).edit,
    )


def type_in_force(session: Session, agent: str, name: str) -> ActionType | None:
    """An action type as an agent's card in force knows it; ``None`` if that does not list it."""
    published = session.execute(
        select(CardVersionRow)
        .join(AgentRow, col(AgentRow.name) == col(CardVersionRow.agent))
        .where(col(AgentRow.name) == agent, col(CardVersionRow.version) == col(AgentRow.version))
    ).scalar_one_or_none()
    declared = published.catalogue.get(name) if published else None
    return ActionType.model_validate(declared) if declared else None


def _revision(row: RevisionRow) -> RevisionView:
    return RevisionView(
        revision=row.revision,
        digest=row.digest,
        card=RequestCard.model_validate(row.card),
        edited_by=None if row.edited_by is None else Actor.model_validate(row.edited_by),
        reason=row.reason,
        at=row.at,
    )


def _edit(row: EditRow) -> EditView:
    return EditView(
        id=row.id,
        approval_id=row.approval_id,
        by=Actor.model_validate(row.actor),
        reason=row.reason,
        at=row.at,
        revision=row.revision,
        why_not=row.why_not,
    )
