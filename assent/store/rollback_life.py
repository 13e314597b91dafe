"""The life of a rollback: begun, checked, approved, held, let go on, ended. Every step is a ledger event."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.errors import Conflict, NotFound
from assent.domain.people import SYSTEM, Actor
from assent.domain.rollback_approval import RollbackRules, RollbackVerb, RollbackVote
from assent.domain.rollback_scopes import RollbackScope
from assent.domain.rollbacks import RollbackRequest, RollbackStatus
from assent.store import ledger, proofs, undos
from assent.store.grants import Consent
from assent.store.rollback_plans import create, request_of, scope_of, totals_of
from assent.store.tables import RollbackRow, RollbackVoteRow

BEGIN = 0x4153_524F_4C4C
"""Advisory lock on PostgreSQL of those that begin a rollback, so that two of one scope do not begin at once."""

OPEN = tuple(status.value for status in RollbackStatus if status.open)


def locked(session: Session, rollback_id: str) -> RollbackRow:
    """A rollback, not a preview, for a change of it.

    Raises:
        NotFound: There is no such rollback.
    """
    row = session.get(RollbackRow, rollback_id, with_for_update=True, populate_existing=True)
    if row is None or row.status == RollbackStatus.PREVIEW.value:
        raise NotFound(
            f"There is no rollback {rollback_id!r}.", where="rollback_id", todo="`assent rollback list` shows all."
        )
    return row


def begin(session: Session, request: RollbackRequest, *, known: bool) -> bool:
    """Write a rollback that is to be checked; false if it is there already.

    Raises:
        Conflict: Another one of the same scope has not come to an end; it is named.
    """
    if session.get(RollbackRow, request.rollback_id) is not None:
        return False
    scope = request.scope
    other = session.execute(
        select(RollbackRow)
        .where(
            col(RollbackRow.scope_id) == scope.id,
            col(RollbackRow.scope_kind) == scope.kind.value,
            col(RollbackRow.status).in_(OPEN),
        )
        .limit(1)
    ).scalar_one_or_none()
    if other is not None:
        who = Actor.model_validate(other.requested_by).name
        raise Conflict(
            f"{who} rolls back {scope_of(other).sentence} already: {other.id} is {other.status}.",
            where=other.id,
            todo=f"Look at {other.id}; nothing was started a second time.",
        )
    return create(session, request, status=RollbackStatus.CHECKING, known=known)


def is_untaken(session: Session, rollback_id: str) -> bool:
    """Whether no workflow has this round in hand yet."""
    known = select(col(RollbackRow.known)).where(col(RollbackRow.id) == rollback_id)
    return session.execute(known).scalar_one_or_none() is False


def take_up(session: Session, rollback_id: str) -> None:
    """Note that a workflow has this round in hand."""
    session.execute(
        update(RollbackRow).where(col(RollbackRow.id) == rollback_id, ~col(RollbackRow.known)).values(known=True)
    )


def start(session: Session, rollback_id: str, rules: RollbackRules, *, at: datetime) -> RollbackStatus:
    """Let a rollback run whose plan is complete, or wait for whoever must agree; gives its status."""
    row = locked(session, rollback_id)
    if row.status != RollbackStatus.CHECKING.value:
        return RollbackStatus(row.status)
    scope, by = scope_of(row), Actor.model_validate(row.requested_by)
    body: dict[str, Json] = {
        "rollback": row.id,
        "scope": scope.model_dump(mode="json"),
        "reason": row.reason,
        "effects": totals_of(row).steps,
        "to_undo": totals_of(row).to_undo,
        "digest": row.digest,
    }
    if rules.needed:
        row.status, row.rules = RollbackStatus.AWAITING.value, rules.model_dump(mode="json")
        row.expires_at = at + rules.within
        _event(session, "rollback.awaiting", by, scope, body | {"because": rules.because, "needs": rules.words}, at)
    else:
        row.status = RollbackStatus.RUNNING.value
        _event(session, "rollback.started", by, scope, body, at)
    return RollbackStatus(row.status)


def become_preview(session: Session, rollback_id: str, why: str, *, at: datetime) -> bool:
    """Keep the plan of a rollback whose world has changed as a new preview; it undoes nothing."""
    row = session.get(RollbackRow, rollback_id, with_for_update=True, populate_existing=True)
    if row is None or row.status != RollbackStatus.CHECKING.value:
        return False
    row.status, row.message, row.finished_at, row.known = RollbackStatus.PREVIEW.value, why, at, True
    body: dict[str, Json] = {"rollback": row.id, "why": why, "preview": row.preview_id}
    _event(session, "rollback.refused", Actor.model_validate(row.requested_by), scope_of(row), body, at)
    return True


def refuse(session: Session, rollback_id: str, why: str, *, by: Actor, at: datetime) -> bool:
    """End a rollback that has not begun to undo; false if it has, or has ended."""
    row = locked(session, rollback_id)
    if row.status not in (RollbackStatus.CHECKING.value, RollbackStatus.AWAITING.value):
        return False
    row.status, row.message, row.finished_at, row.known = RollbackStatus.REFUSED.value, why, at, True
    _event(session, "rollback.refused", by, scope_of(row), {"rollback": row.id, "why": why}, at)
    return True


def vote(session: Session, row: RollbackRow, said: RollbackVote, *, at: datetime) -> None:
    """Write down somebody's word on a rollback that awaits approval."""
    session.merge(
        RollbackVoteRow(
            rollback_id=row.id,
            person_id=said.by.id,
            verb=said.verb.value,
            digest=row.digest,
            by=said.by.model_dump(mode="json"),
            at=said.at,
            reason=said.reason,
        )
    )
    session.flush()
    body: dict[str, Json] = {"rollback": row.id, "verb": said.verb.value, "reason": said.reason, "digest": row.digest}
    _event(session, "rollback.decided", said.by, scope_of(row), body, at)


def approvals(session: Session, row: RollbackRow) -> list[Consent]:
    """Who agreed to what it shows, the first one first."""
    rows = session.execute(
        select(RollbackVoteRow)
        .where(
            col(RollbackVoteRow.rollback_id) == row.id,
            col(RollbackVoteRow.verb) == RollbackVerb.APPROVE.value,
            col(RollbackVoteRow.digest) == row.digest,
        )
        .order_by(col(RollbackVoteRow.at))
    ).scalars()
    return [Consent(Actor.model_validate(each.by), each.at) for each in rows]


def approved(session: Session, row: RollbackRow, *, by: Actor, at: datetime) -> None:
    """Let a rollback run on which enough people agree."""
    row.status, row.expires_at = RollbackStatus.RUNNING.value, None
    body: dict[str, Json] = {
        "rollback": row.id,
        "scope": scope_of(row).model_dump(mode="json"),
        "reason": row.reason,
        "effects": totals_of(row).steps,
        "digest": row.digest,
    }
    _event(session, "rollback.started", by, scope_of(row), body, at)


def expire(session: Session, rollback_id: str, *, at: datetime) -> RollbackStatus:
    """Refuse a rollback whose time to be approved is over; gives its status."""
    row = locked(session, rollback_id)
    if row.status == RollbackStatus.AWAITING.value and row.expires_at is not None and row.expires_at <= at:
        refuse(session, rollback_id, "Nobody who had to agree did so in time.", by=SYSTEM, at=at)
    return RollbackStatus(row.status)


def hold(session: Session, rollback_id: str, *, by: Actor, at: datetime) -> int:
    """Let no further effect be undone; those that are being undone come to their end. Gives its round.

    Raises:
        NotFound: There is no such rollback.
        Conflict: It does not run.
    """
    row = locked(session, rollback_id)
    if row.status != RollbackStatus.RUNNING.value:
        raise Conflict(f"The rollback is {_words(row)}; only one that runs can be held.", where=rollback_id)
    row.status, row.held_by, row.held_at = RollbackStatus.HELD.value, by.model_dump(mode="json"), at
    _event(session, "rollback.held", by, scope_of(row), {"rollback": row.id}, at)
    return row.round


def go_on(session: Session, rollback_id: str, *, by: Actor, at: datetime) -> int:
    """Let a held rollback go on. Gives its round.

    Raises:
        NotFound: There is no such rollback.
        Conflict: It is not held.
    """
    row = locked(session, rollback_id)
    if row.status != RollbackStatus.HELD.value:
        raise Conflict(f"The rollback is {_words(row)}; only one that is held can go on.", where=rollback_id)
    row.status, row.held_by, row.held_at = RollbackStatus.RUNNING.value, None, None
    _event(session, "rollback.continued", by, scope_of(row), {"rollback": row.id}, at)
    return row.round


def finish(session: Session, rollback_id: str, *, at: datetime) -> RollbackStatus | None:
    """End a rollback of which every step was tried; ``None`` if there are others by now, or it is held."""
    row = session.get(RollbackRow, rollback_id, with_for_update=True, populate_existing=True)
    if row is None:
        return None
    if row.status != RollbackStatus.RUNNING.value:
        return None if row.status == RollbackStatus.HELD.value else RollbackStatus(row.status)
    counts = undos.tally(session, rollback_id)
    if counts.open:
        return None
    status = RollbackStatus.NEEDS_PERSON if counts.left else RollbackStatus.DONE
    _end(session, row, status, SYSTEM, at)
    return status


def end_if_settled(session: Session, row: RollbackRow, *, by: Actor, at: datetime) -> bool:
    """End a rollback that waited for people alone, once nothing is left for them."""
    if row.status != RollbackStatus.NEEDS_PERSON.value or undos.tally(session, row.id).left:
        return False
    _end(session, row, RollbackStatus.DONE, by, at)
    return True


def untaken(session: Session, *, before: datetime, limit: int = 50) -> list[RollbackRequest]:
    """Rollbacks that no workflow has taken up, because whoever asked for them died at it or Temporal was away."""
    rows = session.execute(
        select(RollbackRow)
        .where(~col(RollbackRow.known), col(RollbackRow.requested_at) < before)
        .order_by(col(RollbackRow.requested_at))
        .limit(limit)
    ).scalars()
    return [request_of(row) for row in rows]


def again(session: Session, row: RollbackRow, *, by: Actor, steps: int, at: datetime) -> None:
    """Let a rollback run once more over steps that were left; one that runs takes them up by itself."""
    if row.status == RollbackStatus.NEEDS_PERSON.value:
        row.status, row.finished_at = RollbackStatus.RUNNING.value, None
        row.round, row.known = row.round + 1, False
    _event(session, "rollback.retried", by, scope_of(row), {"rollback": row.id, "steps": steps}, at)


def settled(session: Session, row: RollbackRow, body: dict[str, Json], *, by: Actor, at: datetime) -> None:
    """Note that a person closed a step."""
    _event(session, "rollback.settled", by, scope_of(row), {"rollback": row.id, **body}, at)


def _end(session: Session, row: RollbackRow, status: RollbackStatus, by: Actor, at: datetime) -> None:
    row.status, row.finished_at = status.value, at
    session.flush()
    counts = undos.tally(session, row.id)
    proofs.of_rollback(session, row.id)
    body: dict[str, Json] = {
        "rollback": row.id,
        "status": status.value,
        "undone": counts.undone,
        "left": counts.left,
        "settled": counts.settled,
    }
    _event(session, "rollback.ended", by, scope_of(row), body, at)


def _event(
    session: Session, kind: str, actor: Actor, scope: RollbackScope, body: dict[str, Json], at: datetime
) -> None:
    ledger.append(session, at=at, kind=kind, actor=actor, run_id=scope.run_id, agent=scope.agent, body=body)


def _words(row: RollbackRow) -> str:
    return row.status.replace("_", " ")
