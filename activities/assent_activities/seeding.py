"""Making seeded checks: now and then a real request draws one, made from an earlier request of the same type.

What is made is shown to one person and can never run: it is no request, and nothing here starts or signals a run.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ProposedAction
from assent.domain.approvals import ApprovalStatus, RequestCard
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.checks import ANNOUNCED, Check, CheckStatus, check_digest, chosen, drawn, replaced
from assent.domain.effects import ResourceChange
from assent.policy.arguments import argument_faults
from assent.policy.cards import AgentCard
from assent.policy.checks_block import Variation
from assent.store import cards, checks, electorate, notices, projection, quality
from assent.store.approvals import why_in_short
from assent.store.database import Database
from assent.store.notices import SLACK, Notice, NoticeKind
from assent.store.tables import ApprovalRow, CheckRow
from assent_activities.cards_shown import with_other_arguments
from assent_activities.outcomes import action_of

READER = "checks"
"""Name of the mark in the ledger's chain."""

LOOKED_BACK = 50
"""Newest approved requests of an agent among which one to make a check from is looked for."""

LONGEST_TEXT = 8_000
"""Characters of a card that a check is made from at most, so that its page shows all of it."""

LEAST_TIME, MOST_TIME = timedelta(hours=1), timedelta(days=2)
"""How long a check waits at least and at most."""


def seed(database: Database, now: datetime, channels: Sequence[str] = ()) -> int:
    """Look at requests that are new in the ledger, show the checks that they draw, end those that nobody answered.

    Args:
        database: Assent's database.
        now: The time.
        channels: The ways of this installation. Announcements are told in the channel of Slack, once; a check is told
            of in Slack alone, to the one who is shown it.

    Returns:
        How many were shown.
    """
    ways = [SLACK] if SLACK in channels else []
    _tell_announced(database, ways)
    with database.read() as session:
        since = checks.in_force(session)
        if not since and not checks.late(session, now):
            return 0
        after, end = quality.mark(session, READER)[0], quality.end_of_chain(session)
        fresh = quality.sealed(session, after, min(end, after + quality.BATCH)) if after and end > after else []
        if after == end and not checks.late(session, now):
            return 0
    with database.write() as session:
        database.lock_alone(session, quality.LOCK)
        if quality.mark(session, READER)[0] != after:
            return 0
        # Whoever reads for the first time begins with what comes: the past draws nothing.
        quality.move(session, READER, min(end, after + quality.BATCH) if after else end, now)
        checks.expire(session, now)
        requests = [event for event in fresh if event.kind == "approval.requested"]
        return sum(_drawn_by(session, event.action_id, event.at, since, now, ways) for event in requests)


def _tell_announced(database: Database, ways: list[str]) -> None:
    """Tell the channel of announcements, each once: who decides in Slack alone would meet none of them else."""
    if not ways:
        return
    with database.read() as session:
        found = [_notice(each) for each in checks.announced(session, "")]
        new = [notice for notice in found if notices.one(session, notice.id) is None]
    if new:
        with database.write() as session:
            # Another worker tells at the same moment.
            database.lock_alone(session, quality.LOCK)
            for notice in new:
                notices.tell(session, notice, ways)


def _notice(announced: checks.Announcement) -> Notice:
    where = "Say that you have read it on the Home tab of Assent, or in your inbox; you are shown none before."
    return Notice(
        id=f"checks-{announced.agent}-{announced.announced_at:%Y%m%d%H%M%S}",
        kind=NoticeKind.ALERT,
        subject=announced.agent,
        name="approvers",
        email="",
        slack="",
        headline=f"Some requests of {announced.agent} may be checks, at most one in {announced.one_in:,}",
        text=f"{ANNOUNCED} {where}",
        path="/",
        at=announced.announced_at,
    )


def _drawn_by(
    session: Session, action_id: str, asked_at: datetime, since: Mapping[str, datetime], now: datetime, ways: list[str]
) -> bool:
    """Show a check if a request draws one and there is somebody to show it to."""
    row = projection.read_action(session, action_id)
    if row is None or asked_at < since.get(row.agent, now):
        return False
    version = cards.version_in_force(session, row.agent)
    found = cards.read_version(session, row.agent, version) if version else None
    if found is None or not found.card.get("checks"):
        return False
    block = AgentCard.model_validate(found.card).checks
    if block is None or not drawn(action_id, block.one_in):
        return False
    variations = [each for each in block.of if each.action == row.type]
    declared = found.catalogue.get(row.type)
    # Earlier requests are looked through only for somebody: else each draw would cost as much as all that wait.
    ready = checks.may_be_shown(session, row.agent, checks.readers(session, row.agent), now)
    if not variations or not declared or not ready:
        return False
    variation = variations[chosen(action_id, len(variations))]
    type = ActionType.model_validate(declared)
    for source in _sources(session, row.agent, row.type):
        check = _made(session, source, variation, type, now)
        people = [person.id for person in electorate.asked_people(session, source.id, now)] if check else []
        able = [person_id for person_id in people if person_id in ready]
        if check is not None and able:
            person_id = able[chosen(action_id, len(able))]
            checks.show(session, replace(check, person_id=person_id), channels=ways)
            return True
    return False


def _sources(session: Session, agent: str, type: str) -> list[ApprovalRow]:
    """Earlier requests that were approved as they were, and not used for a check before."""
    newest = (
        select(ApprovalRow)
        .where(col(ApprovalRow.agent) == agent, col(ApprovalRow.status) == ApprovalStatus.APPROVED.value)
        .order_by(col(ApprovalRow.expires_at).desc(), col(ApprovalRow.id).desc())
        .limit(LOOKED_BACK)
    )
    rows = [row for row in session.execute(newest).scalars().all() if row.type == type and row.revision == 1]
    used = select(col(CheckRow.source_id)).where(col(CheckRow.source_id).in_([row.id for row in rows]))
    known = set(session.execute(used).scalars()) if rows else set()
    return [row for row in rows if row.id not in known]


def _made(session: Session, source: ApprovalRow, variation: Variation, type: ActionType, now: datetime) -> Check | None:
    """A check from a request; ``None`` where the variation gives nothing that the agent could have asked for."""
    action = projection.read_action(session, source.action_id)
    before = RequestCard.model_validate(source.card)
    arguments = variation.of(action.arguments) if action is not None else None
    if action is None or arguments is None or argument_faults(type, arguments) or len(before.text) > LONGEST_TEXT:
        return None
    shown = _card(before, type, action_of(action), arguments)
    check_id = f"ap-{uuid.uuid4().hex[:16]}"
    if session.get(ApprovalRow, check_id) is not None:
        return None
    rules = electorate.rules_of(source)
    return Check(
        id=check_id,
        person_id="",
        agent=source.agent,
        type=source.type,
        source_id=source.id,
        digest=check_digest(check_id, shown),
        why=why_in_short(shown),
        card=shown,
        rules=rules,
        because=variation.because,
        status=CheckStatus.SHOWN,
        created_at=now,
        expires_at=now + min(max(rules.within, LEAST_TIME), MOST_TIME),
        ended_at=None,
        reason="",
    )


def _card(before: RequestCard, type: ActionType, action: ProposedAction, new: dict[str, Json]) -> RequestCard:
    """The card with other arguments; the records show them where they showed the old ones."""
    old = action.arguments
    swaps = [(old[name], value) for name, value in new.items() if name in old and old[name] != value]
    changes = [
        ResourceChange(resource=each.resource, before=each.before, after=replaced(each.after, swaps))
        for each in before.changes
    ]
    return with_other_arguments(before, type, action.model_copy(update={"arguments": new}), changes)
