"""What people were shown: the card of any revision, or of any decision, with the proof that it is that one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import RequestCard, approval_digest
from assent.domain.canonical import Json
from assent.domain.card_content import content
from assent.domain.card_text import plain_text
from assent.domain.errors import AssentError, Conflict, NotFound
from assent.store.tables import ActionRow, ApprovalRow, DecisionRow, RevisionRow


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as it was shown.

    Attributes:
        approval_id: The request.
        revision: Which revision of it.
        digest: What a decision on it carries.
        card: Everything that was shown.
        at: When it was first shown.
        sound: The digest, taken again over card and raw arguments, is the same.
        kept: The text was kept when it was shown; a request from before that has its text made now.
    """

    approval_id: str
    revision: int
    digest: str
    card: RequestCard
    at: datetime
    sound: bool
    kept: bool

    @property
    def text(self) -> str:
        """What was shown, as plain text."""
        return self.card.text if self.kept else plain_text(content(self.card))


def of_revision(session: Session, approval_id: str, revision: int | None = None) -> Shown:
    """A revision of a request, the newest if none is named.

    Raises:
        NotFound: There is no such request, or it has no such revision.
    """
    request = session.get(ApprovalRow, approval_id)
    if request is None:
        raise NotFound(
            f"There is no approval request {approval_id!r}.",
            where="approval_id",
            todo="`assent approval list` shows the requests that wait.",
        )
    number = request.revision if revision is None else revision
    found = session.get(RevisionRow, (approval_id, number))
    if found is not None:
        return _of_row(request, found)
    if number != request.revision:
        raise NotFound(
            f"The request {approval_id} has no revision {number}.",
            where="revision",
            todo=f"Its newest revision is {request.revision}.",
        )
    action = session.get(ActionRow, request.action_id)
    arguments, version = (action.arguments, action.card_version) if action else ({}, 0)
    return _shown(request, number, request.digest, request.card, arguments, version, request.created_at)


def of_decision(session: Session, approval_id: str, decision_id: str) -> Shown:
    """What somebody saw when they decided: the revision that their decision is bound to.

    Raises:
        NotFound: There is no such request, or no such decision on it.
        Conflict: The decision was bound to something that this request never showed.
    """
    decision = session.get(DecisionRow, decision_id)
    if decision is None or decision.approval_id != approval_id:
        raise NotFound(
            f"The request {approval_id} has no decision {decision_id!r}.",
            where="decision",
            todo=f"`assent approval show {approval_id} --json` lists its decisions.",
        )
    if not decision.digest:
        return of_revision(session, approval_id, decision.revision)
    request = session.get(ApprovalRow, approval_id)
    found = session.execute(
        select(RevisionRow)
        .where(col(RevisionRow.approval_id) == approval_id, col(RevisionRow.digest) == decision.digest)
        .order_by(col(RevisionRow.revision).desc())
        .limit(1)
    ).scalar_one_or_none()
    if request is not None and found is not None:
        return _of_row(request, found)
    if request is not None and request.digest == decision.digest:
        return of_revision(session, approval_id)
    raise Conflict(
        f"The decision {decision_id} is bound to {decision.digest[:12]}, which the request {approval_id} never showed.",
        where="digest",
        todo="It did not count; the ledger says why.",
    )


def _of_row(request: ApprovalRow, row: RevisionRow) -> Shown:
    return _shown(request, row.revision, row.digest, row.card, row.arguments, row.card_version, row.at)


def _shown(
    request: ApprovalRow,
    revision: int,
    digest: str,
    stored: dict[str, Json],
    arguments: dict[str, Json],
    card_version: int,
    at: datetime,
) -> Shown:
    card = RequestCard.model_validate(stored)
    try:
        again = approval_digest(
            run_id=request.run_id,
            action_id=request.action_id,
            action_type=request.type,
            arguments=arguments,
            card_version=card_version,
            shown=card,
        )
    except AssentError:
        again = ""
    return Shown(request.id, revision, digest, card, at, again == digest, bool(card.text))
