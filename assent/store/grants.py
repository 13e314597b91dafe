"""Standing grants: giving, confirming, revoking and using them. Every change is a ledger event.

Uses are counted by one conditional update, so that no number of workers can use a grant more often than it allows,
and so that a grant that is revoked covers nothing that is claimed later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.errors import Conflict, NotFound
from assent.domain.grants import GrantStatus, GrantTerms, standing
from assent.domain.people import SYSTEM, Actor
from assent.domain.voting import Electorate
from assent.store import ledger, statements
from assent.store.database import Database
from assent.store.tables import ActionRow, ConsentRow, GrantRow, GrantUseRow

MOST_AT_ONCE = 100
"""Grants of one agent and action type that are in force or pending at once."""

_grants, _uses = statements.table_of(GrantRow), statements.table_of(GrantUseRow)
_IN_FORCE = (
    select(_grants.c.id, _grants.c.terms, _grants.c.given_by)
    .where(
        _grants.c.agent == bindparam("agent"),
        _grants.c.type == bindparam("type"),
        _grants.c.status == GrantStatus.ACTIVE.value,
        _grants.c.expires_at > bindparam("now"),
        _grants.c.used < _grants.c.uses,
    )
    .order_by(_grants.c.expires_at)
    .limit(MOST_AT_ONCE)
)
_TAKE = (
    update(_grants)
    .where(
        _grants.c.id == bindparam("for_id"),
        _grants.c.status == GrantStatus.ACTIVE.value,
        _grants.c.expires_at > bindparam("now"),
        _grants.c.used < _grants.c.uses,
    )
    .values(used=_grants.c.used + 1)
    .returning(_grants.c.used, _grants.c.uses)
)
_USE = insert(_uses)
_BACK = (
    update(_uses)
    .where(_uses.c.action_id == bindparam("for_action"), _uses.c.given_back_at.is_(None))
    .values(given_back_at=bindparam("returned_at"))
    .returning(_uses.c.grant_id)
)
_RETURN = (
    update(_grants)
    .where(_grants.c.id.in_(bindparam("ids", expanding=True)), _grants.c.used > 0)
    .values(used=_grants.c.used - 1)
)


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's word for a grant or for the approval of a plan."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class InForce:
    """A grant that covers actions now."""

    id: str
    terms: GrantTerms
    given_by: Actor


def lock(database: Database, session: Session, *names: str) -> None:
    """Let nobody else give what is about the same, an agent and action type or a run, until the transaction ends."""
    text = "\0".join(("grant", *names))
    database.lock_alone(session, int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True))


def give(
    session: Session,
    grant_id: str,
    terms: GrantTerms,
    *,
    electorates: Sequence[Electorate],
    active: bool,
    by: Actor,
    at: datetime,
    note: str = "",
    approval_id: str = "",
) -> bool:
    """Write a grant, in force or pending until others confirm it.

    Returns:
        False if it was written before: the same click sent twice.

    Raises:
        Conflict: The id belongs to another grant, or there are too many for this agent and action type.
    """
    earlier = session.get(GrantRow, grant_id)
    if earlier is not None:
        if earlier.digest != terms.digest or earlier.given_by.get("id") != by.id:
            raise Conflict(f"The id {grant_id} belongs to another grant.", where="grant", todo="Send it again.")
        return False
    open_ones = select(col(GrantRow.id)).where(
        col(GrantRow.agent) == terms.agent,
        col(GrantRow.type) == terms.action_type,
        col(GrantRow.status).in_([GrantStatus.ACTIVE.value, GrantStatus.PENDING.value]),
        col(GrantRow.expires_at) > at,
    )
    if len(session.execute(open_ones.limit(MOST_AT_ONCE)).all()) >= MOST_AT_ONCE:
        raise Conflict(
            f"{terms.agent} has {MOST_AT_ONCE} grants for {terms.action_type} already.",
            where="grant",
            todo="Revoke some, or change the card: that is what a card is for.",
        )
    session.execute(
        insert(GrantRow).values(
            id=grant_id,
            agent=terms.agent,
            type=terms.action_type,
            terms=terms.model_dump(mode="json"),
            digest=terms.digest,
            electorates=[each.model_dump(mode="json") for each in electorates],
            status=(GrantStatus.ACTIVE if active else GrantStatus.PENDING).value,
            uses=terms.uses,
            used=0,
            expires_at=terms.expires_at,
            note=note,
            approval_id=approval_id,
            given_by=by.model_dump(mode="json"),
            given_at=at,
            active_at=at if active else None,
            revoke_reason="",
        )
    )
    consent(session, grant_id, by=by, at=at)
    body: dict[str, Json] = {
        "grant": grant_id,
        "terms": terms.model_dump(mode="json"),
        "digest": terms.digest,
        "needs": [each.model_dump(mode="json") for each in electorates],
        "note": note,
        "active": active,
    }
    if approval_id:
        body["approval"] = approval_id
    ledger.append(session, at=at, kind="grant.given", actor=by, agent=terms.agent, body=body)
    return True


def locked(session: Session, grant_id: str) -> GrantRow:
    """A grant's row, which nobody else changes until the transaction ends.

    Raises:
        NotFound: There is no such grant.
    """
    wanted = select(GrantRow).where(col(GrantRow.id) == grant_id).with_for_update()
    row = session.execute(wanted).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no grant {grant_id!r}.", where="grant", todo="`assent grant list` shows all.")
    return row


def confirm(session: Session, row: GrantRow, *, by: Actor, active: bool, at: datetime) -> None:
    """Write a person's word for a pending grant; ``active`` says that it was the last that was needed."""
    consent(session, row.id, by=by, at=at)
    if active:
        row.status, row.active_at = GrantStatus.ACTIVE.value, at
        session.flush()
    body: dict[str, Json] = {"grant": row.id, "digest": row.digest, "active": active}
    ledger.append(session, at=at, kind="grant.confirmed", actor=by, agent=row.agent, body=body)


def revoke(session: Session, row: GrantRow, *, by: Actor, at: datetime, reason: str = "") -> None:
    """Revoke a grant: from the commit on it covers nothing that is not claimed.

    Raises:
        Conflict: It is not in force and not pending.
    """
    now = standing(GrantStatus(row.status), used=row.used, uses=row.uses, expires_at=row.expires_at, now=at)
    if now in (GrantStatus.REVOKED, GrantStatus.EXPIRED):
        raise Conflict(f"The grant is {now.value} already.", where="grant", todo="Nothing was changed.")
    row.status, row.revoked_at, row.revoke_reason = GrantStatus.REVOKED.value, at, reason
    row.revoked_by = by.model_dump(mode="json")
    session.flush()
    body: dict[str, Json] = {"grant": row.id, "reason": reason, "used": row.used}
    ledger.append(session, at=at, kind="grant.revoked", actor=by, agent=row.agent, body=body)


def consent(session: Session, subject: str, *, by: Actor, at: datetime) -> None:
    """Write a person's word; the caller has checked that they have not given it."""
    values = {"subject": subject, "person_id": by.id, "actor": by.model_dump(mode="json"), "at": at}
    session.execute(insert(ConsentRow).values(**values))


def consents(session: Session, subject: str) -> list[Consent]:
    """Who has given their word, oldest first."""
    found = select(ConsentRow).where(col(ConsentRow.subject) == subject)
    rows = sorted(session.execute(found).scalars(), key=lambda row: (row.at, row.person_id))
    return [Consent(Actor.model_validate(row.actor), row.at) for row in rows]


def in_force(session: Session, *, agent: str, action_type: str, now: datetime) -> list[InForce]:
    """Grants that may cover an action, those that end first in front."""
    rows = statements.run(session, _IN_FORCE, {"agent": agent, "type": action_type, "now": now}).all()
    return [InForce(row.id, GrantTerms.model_validate(row.terms), Actor.model_validate(row.given_by)) for row in rows]


def take(session: Session, grant_id: str, *, now: datetime) -> tuple[int, int] | None:
    """Use a grant once more.

    Returns:
        How often it is used now, and how often it may be; ``None`` if it was revoked, has ended or is used up.
    """
    row = statements.run(session, _TAKE, {"for_id": grant_id, "now": now}).mappings().one_or_none()
    return (int(row["used"]), int(row["uses"])) if row else None


def note_use(session: Session, cover_id: str, *, action_id: str, run_id: str, at: datetime) -> None:
    """Record that a grant or an approved plan covers an action."""
    values = {"grant_id": cover_id, "action_id": action_id, "run_id": run_id, "at": at, "given_back_at": None}
    statements.run(session, _USE, values)


def give_back(session: Session, action_id: str, *, at: datetime, told: bool = True) -> list[str]:
    """Let an action that had no effect count for no grant any more.

    Args:
        session: The transaction.
        action_id: The action.
        at: When.
        told: Write it into the ledger; else the caller does, with :func:`tell_return`.

    Returns:
        The grants and approved plans that covered it.
    """
    covers = list(statements.run(session, _BACK, {"for_action": action_id, "returned_at": at}).scalars())
    if covers:
        statements.run(session, _RETURN, {"ids": covers})
        if told:
            tell_return(session, action_id, covers, at=at)
    return covers


def tell_return(session: Session, action_id: str, covers: Sequence[str], *, at: datetime) -> None:
    """Write into the ledger that an action counts for these grants and plans no more."""
    action = session.get(ActionRow, action_id) if covers else None
    if action is None:
        return
    ledger.append(
        session,
        at=at,
        kind="grant.returned",
        actor=SYSTEM,
        run_id=action.run_id,
        action_id=action_id,
        agent=action.agent,
        body={"grants": list(covers)},
    )


def cover_of(session: Session, action_id: str) -> str | None:
    """The grant or the approved plan that covers an action now, if one does."""
    found = select(col(GrantUseRow.grant_id)).where(
        col(GrantUseRow.action_id) == action_id, col(GrantUseRow.given_back_at).is_(None)
    )
    return session.execute(found.limit(1)).scalar_one_or_none()
