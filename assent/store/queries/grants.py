"""Standing grants and approved plans as lists and pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.errors import NotFound
from assent.domain.grants import GrantStatus, GrantTerms, standing
from assent.domain.people import Actor
from assent.domain.plans import PlanApprovalStatus
from assent.domain.voting import Electorate, Need, in_words
from assent.store.consents import weigh_consents
from assent.store.grants import Consent, consents
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.tables import ActionRow, GrantRow, GrantUseRow, PlanApprovalRow


@dataclass(frozen=True, slots=True)
class GrantView:
    """A standing grant.

    Attributes:
        id: Its id.
        terms: What it covers, how often and until when.
        digest: What a confirmation must carry.
        status: Where it is in its life, at the time it was looked at.
        used: How often it was used, without what was given back.
        note: What its giver wrote.
        approval_id: The request on which it was given; empty if on none.
        given_by: Who gave it.
        given_at: When.
        active_at: When enough people had given their word.
        revoked_at: When it was revoked.
        revoked_by: Who revoked it.
        revoke_reason: Why.
        words: Who gave their word, oldest first; only filled by :func:`one`.
        missing: Who must still confirm it, in words; only filled by :func:`one`.
    """

    id: str
    terms: GrantTerms
    digest: str
    status: GrantStatus
    used: int
    note: str
    approval_id: str
    given_by: Actor
    given_at: datetime
    active_at: datetime | None
    revoked_at: datetime | None
    revoked_by: Actor | None
    revoke_reason: str
    words: tuple[Consent, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class UseView:
    """An action that a grant or an approved plan covered.

    Attributes:
        id: Its number, in order.
        action_id: The action.
        run_id: Its run.
        sentence: What it did, in words.
        status: Where the action is in its life; ``None`` if it is not known any more.
        at: When it was covered.
        given_back_at: When its use was given back, because it had no effect.
    """

    id: int
    action_id: str
    run_id: str
    sentence: str
    status: ActionStatus | None
    at: datetime
    given_back_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlanApprovalView:
    """The approval of a run's whole plan.

    Attributes:
        id: Its id.
        run_id: The run.
        agent: Its agent.
        card_version: Version of the card it was given under.
        digest: What it is bound to.
        status: Pending, active or revoked.
        note: What its giver wrote.
        given_by: Who gave it first.
        given_at: When.
        active_at: When enough people had given their word.
        revoked_at: When it was revoked.
        revoked_by: Who revoked it.
        revoke_reason: Why.
        words: Who gave their word, oldest first.
        missing: Who must still approve it, in words.
    """

    id: str
    run_id: str
    agent: str
    card_version: int
    digest: str
    status: PlanApprovalStatus
    note: str
    given_by: Actor
    given_at: datetime
    active_at: datetime | None
    revoked_at: datetime | None
    revoked_by: Actor | None
    revoke_reason: str
    words: tuple[Consent, ...] = ()
    missing: str = ""


_TIME = Order("grants", [col(GrantRow.given_at), col(GrantRow.id)])
_USES = Order("grant-uses", [col(GrantUseRow.id)])


def page(
    session: Session,
    *,
    now: datetime,
    agent: str | None = None,
    status: GrantStatus | None = None,
    request: PageRequest = FIRST,
) -> Page[GrantView]:
    """Grants, newest first; of one agent, or in one status at this time."""
    statement = select(GrantRow)
    if agent is not None:
        statement = statement.where(col(GrantRow.agent) == agent)
    if status is not None:
        statement = statement.where(*_in(status, now))
    rows = session.execute(_TIME.window(statement, request)).scalars().all()
    return _TIME.page(rows, request, lambda row: _view(row, now))


def newest_pending(session: Session, *, now: datetime, most: int) -> list[tuple[GrantView, list[Electorate]]]:
    """Of the newest so many grants that were never confirmed, those that can be, each with who decides what it covers.

    Those whose time is over are among the ones looked at, so that it costs the same however many there are.
    """
    wanted = select(GrantRow).where(col(GrantRow.status) == GrantStatus.PENDING.value)
    newest = wanted.order_by(col(GrantRow.given_at).desc(), col(GrantRow.id).desc()).limit(most)
    rows = [row for row in session.execute(newest).scalars() if row.expires_at > now]
    return [(_view(row, now), [Electorate.model_validate(each) for each in row.electorates]) for row in rows]


def one(session: Session, grant_id: str, *, now: datetime) -> GrantView:
    """One grant, with who gave their word.

    Raises:
        NotFound: There is no such grant.
    """
    row = session.get(GrantRow, grant_id)
    if row is None:
        raise NotFound(f"There is no grant {grant_id!r}.", where="grant", todo="`assent grant list` shows all.")
    words = consents(session, grant_id)
    missing: list[Need] = []
    if row.status == GrantStatus.PENDING.value:
        for each in row.electorates:
            tally = weigh_consents(session, Electorate.model_validate(each), words, now)
            missing += [need for need in tally.missing if need not in missing]
    return _view(row, now, tuple(words), in_words(missing) if missing else "")


def uses(session: Session, grant_id: str, *, request: PageRequest = FIRST) -> Page[UseView]:
    """What a grant or an approved plan covered, newest first."""
    statement = select(GrantUseRow).where(col(GrantUseRow.grant_id) == grant_id)
    rows = session.execute(_USES.window(statement, request)).scalars().all()
    wanted = select(ActionRow).where(col(ActionRow.action_id).in_([row.action_id for row in rows]))
    actions = {row.action_id: row for row in session.execute(wanted).scalars()}
    return _USES.page(rows, request, lambda row: _use(row, actions.get(row.action_id)))


def plan_approval(session: Session, plan_approval_id: str, *, now: datetime) -> PlanApprovalView:
    """The approval of a plan.

    Raises:
        NotFound: There is none of this id.
    """
    row = session.get(PlanApprovalRow, plan_approval_id)
    if row is None:
        raise NotFound(f"There is no approval of a plan {plan_approval_id!r}.", where="plan")
    return plan_approval_of(session, row, now=now)


def plan_approvals(session: Session, run_id: str, *, now: datetime, limit: int = 20) -> tuple[PlanApprovalView, ...]:
    """Approvals of a run's plan, newest first."""
    wanted = (
        select(PlanApprovalRow)
        .where(col(PlanApprovalRow.run_id) == run_id)
        .order_by(col(PlanApprovalRow.given_at).desc())
        .limit(limit)
    )
    return tuple(plan_approval_of(session, row, now=now) for row in session.execute(wanted).scalars())


def plan_approval_of(session: Session, row: PlanApprovalRow, *, now: datetime) -> PlanApprovalView:
    """A row as a view, with who gave their word."""
    words = consents(session, row.id)
    missing = ""
    if row.status == PlanApprovalStatus.PENDING.value:
        tally = weigh_consents(session, Electorate.model_validate(row.electorate), words, now)
        missing = in_words(tally.missing)
    return PlanApprovalView(
        id=row.id,
        run_id=row.run_id,
        agent=row.agent,
        card_version=row.card_version,
        digest=row.digest,
        status=PlanApprovalStatus(row.status),
        note=row.note,
        given_by=Actor.model_validate(row.given_by),
        given_at=row.given_at,
        active_at=row.active_at,
        revoked_at=row.revoked_at,
        revoked_by=None if row.revoked_by is None else Actor.model_validate(row.revoked_by),
        revoke_reason=row.revoke_reason,
        words=tuple(words),
        missing=missing,
    )


def _in(status: GrantStatus, now: datetime) -> list[ColumnElement[bool]]:
    stored, ends = col(GrantRow.status), col(GrantRow.expires_at)
    spent = col(GrantRow.used) >= col(GrantRow.uses)
    match status:
        case GrantStatus.REVOKED:
            return [stored == status.value]
        case GrantStatus.EXPIRED:
            return [stored != GrantStatus.REVOKED.value, ends <= now]
        case GrantStatus.SPENT:
            return [stored == GrantStatus.ACTIVE.value, ends > now, spent]
        case GrantStatus.ACTIVE:
            return [stored == status.value, ends > now, ~spent]
    return [stored == status.value, ends > now]


def _view(row: GrantRow, now: datetime, words: tuple[Consent, ...] = (), missing: str = "") -> GrantView:
    status = standing(GrantStatus(row.status), used=row.used, uses=row.uses, expires_at=row.expires_at, now=now)
    return GrantView(
        id=row.id,
        terms=GrantTerms.model_validate(row.terms),
        digest=row.digest,
        status=status,
        used=row.used,
        note=row.note,
        approval_id=row.approval_id,
        given_by=Actor.model_validate(row.given_by),
        given_at=row.given_at,
        active_at=row.active_at,
        revoked_at=row.revoked_at,
        revoked_by=None if row.revoked_by is None else Actor.model_validate(row.revoked_by),
        revoke_reason=row.revoke_reason,
        words=words,
        missing=missing,
    )


def _use(row: GrantUseRow, action: ActionRow | None) -> UseView:
    assert row.id is not None
    return UseView(
        id=row.id,
        action_id=row.action_id,
        run_id=row.run_id,
        sentence=action.sentence if action else "",
        status=ActionStatus(action.status) if action else None,
        at=row.at,
        given_back_at=row.given_back_at,
    )
