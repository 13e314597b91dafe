"""Seeded checks in the place of requests: the views that lists, pages, messages and the command line show of both.

Only whoever is shown a check gets one of these; ask :mod:`assent.store.checks` whose it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus
from assent.domain.checks import Check, check_digest
from assent.domain.errors import InvalidInput
from assent.domain.revisions import with_kept_secrets
from assent.domain.search_words import words_of
from assent.domain.voting import in_words
from assent.store import checks
from assent.store.queries import approvals
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.inbox import LINE, Group, InboxRow, Wanted
from assent.store.queries.inbox_walk import ANYTHING, Bounds, Sort
from assent.store.queries.paging import Page, PageRequest
from assent.store.queries.revisions import Editable, RevisionView, type_in_force
from assent.store.queries.shown import Shown
from assent.store.queries.standing import MayDo, Standing
from assent.store.tables import ActionRow, ApprovalRow


class _Listed(Protocol):
    """What an order of a list goes by."""

    @property
    def id(self) -> str: ...
    @property
    def amount(self) -> float | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime: ...


_L = TypeVar("_L", bound=_Listed)


def as_request(session: Session, check: Check) -> ApprovalView:
    """A check in the place of a request; its run and action are those of the request it was made from."""
    source = select(col(ApprovalRow.action_id)).where(col(ApprovalRow.id) == check.source_id)
    return ApprovalView(
        id=check.id,
        action_id=session.execute(source).scalar_one_or_none() or "",
        run_id=check.card.run_id,
        agent=check.agent,
        type=check.type,
        digest=check.digest,
        headline=check.card.headline,
        amount=check.card.amount,
        card=check.card,
        status=check.status.seen_as,
        created_at=check.created_at,
        expires_at=check.expires_at,
        decided_at=check.ended_at,
        decided_by=None,
        decision_reason=check.reason,
    )


def as_shown(check: Check) -> Shown:
    """What its person was shown, with the proof that it is that."""
    sound = check_digest(check.id, check.card) == check.digest
    return Shown(check.id, 1, check.digest, check.card, check.created_at, sound, kept=bool(check.card.text))


def first_revision(check: Check) -> RevisionView:
    """The only revision it has, like that of a request that nobody edited."""
    return RevisionView(1, check.digest, check.card, None, "", check.created_at)


def as_row(check: Check) -> InboxRow:
    """A check on a line."""
    return InboxRow(
        id=check.id,
        agent=check.agent,
        type=check.type,
        digest=check.digest,
        headline=check.card.headline[:LINE],
        size=len(check.card.headline),
        why=check.why,
        amount=check.card.amount,
        status=check.status.seen_as,
        created_at=check.created_at,
        expires_at=check.expires_at,
        changed_at=None,
        decided_at=check.ended_at,
        decided_by=None,
    )


def standing_of(check: Check) -> Standing:
    """How the vote on a request like it would stand: nobody gave theirs."""
    rules = check.rules
    return Standing(
        needed=rules.electorate.size,
        given=0,
        needs=rules.needs_words,
        missing="" if check.over else in_words(rules.electorate.needs),
        deny=rules.electorate.deny,
        against=0,
        votes=(),
        because=rules.because,
        veto=rules.electorate.veto,
        silence=rules.silence,
        silence_words=rules.silence_words,
        ends_at=check.expires_at,
        silent_at=None,
        next=None,
        assurance=rules.electorate.assurance,
        edit=rules.edit,
        opened=rules.opened,
    )


def may_do_with(why_not: str) -> MayDo:
    """What its person may do about it; empty words mean that they may decide it."""
    return MayDo(why_not, why_not, None, may_take_back=False, in_the_name_of="")


def editable(session: Session, check: Check) -> Editable:
    """What an edit of a request like it would start from: the arguments that are shown, with the source's secrets."""
    type = type_in_force(session, check.agent, check.type)
    raw = check.card.arguments
    of_source = session.execute(
        select(col(ActionRow.arguments))
        .join(ApprovalRow, col(ApprovalRow.action_id) == col(ActionRow.action_id))
        .where(col(ApprovalRow.id) == check.source_id)
    ).scalar_one_or_none()
    if type is not None and of_source is not None:
        with contextlib.suppress(InvalidInput):
            raw = with_kept_secrets(raw, of_source, type.secrets)
    return Editable(
        approval_id=check.id,
        action_id="",
        agent=check.agent,
        digest=check.digest,
        revision=1,
        type=type,
        raw=raw,
        allowed=check.rules.edit,
    )


def waiting(
    session: Session, person_id: str, wanted: Wanted, at: datetime, *, request: PageRequest
) -> Page[ApprovalView]:
    """Requests that wait, with somebody's own checks at their places on the first page.

    Args:
        session: Open.
        person_id: Who looks; empty for nobody in particular.
        wanted: What they want to see.
        at: Now.
        request: The page. One request at least has room on it, so that there is a next one to go on from.
    """
    own = [] if request.cursor is not None else _own(session, person_id, wanted, "", at)
    views = sorted((as_request(session, each) for each in own), key=lambda each: _place(each, wanted.sort))
    mine = views[: request.limit - 1]
    page = approvals.waiting(session, wanted, request=PageRequest(request.limit - len(mine), request.cursor))
    return Page(among(page.items, mine, wanted.sort, last=page.next_cursor is None), page.next_cursor)


def found(
    session: Session,
    person_id: str,
    question: str,
    at: datetime,
    *,
    status: ApprovalStatus | None = None,
    bounds: Bounds = ANYTHING,
    request: PageRequest,
) -> Page[ApprovalView]:
    """Requests that have all words of a question, newest first, likewise with somebody's own checks among them.

    Args:
        session: Open.
        person_id: Who looks; empty for nobody in particular.
        question: The words.
        at: Now.
        status: In this status alone.
        bounds: What they must also be.
        request: The page, which may hold fewer than asked for.
    """
    page = approvals.found(session, question, status=status, bounds=bounds, request=request)
    if request.cursor is not None or status not in (None, ApprovalStatus.PENDING) or not words_of(question):
        return page
    mine = [as_request(session, each) for each in _own(session, person_id, Wanted(), question, at)]
    fitting = [each for each in mine if bounds.hold(each)]
    return Page(among(page.items, fitting, Sort.NEWEST, last=page.next_cursor is None), page.next_cursor)


def rows_for(session: Session, person_id: str, wanted: Wanted, question: str, at: datetime) -> list[InboxRow]:
    """Somebody's checks that fit what a list is asked for, as lines."""
    return [as_row(check) for check in _own(session, person_id, wanted, question, at)]


def among(rows: Sequence[_L], more: Sequence[_L], sort: Sort, *, last: bool) -> tuple[_L, ...]:
    """Rows of the first page with others at their places; what belongs on a later page is left out."""
    places = {row.id: at for at, row in enumerate(rows)}
    found = list(rows)
    # The last first: those that belong behind the same row then end up in their order.
    for row in sorted(more, key=lambda each: _place(each, sort), reverse=True):
        before = [other for other in rows if _place(other, sort) <= _place(row, sort)]
        if before and not last and places[before[-1].id] == len(rows) - 1:
            continue
        found.insert(found.index(before[-1]) + 1 if before else 0, row)
    return tuple(found)


def grouped(groups: list[Group], more: list[InboxRow]) -> list[Group]:
    """Kinds of requests with checks among them."""
    found = {(group.agent, group.type): group for group in groups}
    for row in more:
        group = found.get((row.agent, row.type), Group(row.agent, row.type, 0, ()))
        found[row.agent, row.type] = replace(group, count=group.count + 1, items=(row, *group.items))
    return list(found.values())


def _own(session: Session, person_id: str, wanted: Wanted, question: str, at: datetime) -> list[Check]:
    if not person_id:
        return []
    return [check for check in checks.waiting(session, person_id, at) if _fits(check, wanted, question)]


def _place(row: _Listed, sort: Sort) -> tuple[float, str]:
    """Where a row stands in an order, so that smaller comes first."""
    match sort:
        case Sort.DUE:
            return row.expires_at.timestamp(), row.id
        case Sort.LAST_DUE:
            return -row.expires_at.timestamp(), row.id
        case Sort.OLDEST:
            return row.created_at.timestamp(), row.id
        case Sort.NEWEST:
            return -row.created_at.timestamp(), row.id
        case Sort.AMOUNT:
            return -(row.amount or 0), row.id


def _fits(check: Check, wanted: Wanted, question: str) -> bool:
    bounds, amount = wanted.bounds, check.card.amount or 0
    if question:
        there = " ".join([check.card.text, check.agent, check.type]).casefold()
        return all(word in there for word in words_of(question))
    return (
        bounds.agent in (None, check.agent)
        and bounds.type in (None, check.type)
        and (bounds.least is None or amount >= bounds.least)
        and (bounds.most is None or amount <= bounds.most)
        and (bounds.asked_before is None or check.created_at < bounds.asked_before)
        and (bounds.due_before is None or check.expires_at < bounds.due_before)
    )
