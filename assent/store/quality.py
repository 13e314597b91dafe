"""Counting decisions, a little at a time: the sealed ledger is read once, in its order, and added to figures by day.

The chain gives every event one place for good, so a mark in it says exactly what was counted. A batch moves the mark
in the transaction that adds to the figures: nothing is counted twice, whoever dies when. Nothing is written where
people decide.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.quality import COUNTS, Figures, bucket_of, reading_seconds
from assent.store import statements
from assent.store.database import Database
from assent.store.tables import (
    ActionRow,
    ApprovalRow,
    DecisionRow,
    LedgerEventRow,
    LedgerLinkRow,
    OpeningRow,
    QualityDayRow,
    QualityKindRow,
    QualityMarkRow,
)

BATCH = 2_000
"""Links of the chain that one transaction reads at most."""

_READER = "figures"
LOCK = 0x4153_5155_414C
"""Advisory lock of those who count on PostgreSQL."""

_ONE = {
    "approval.requested": Figures(asked=1),
    "approval.reopened": Figures(asked=1),
    "approval.expired": Figures(expired=1),
    "approval.unopposed": Figures(unopposed=1),
    "effect.done": Figures(ran=1),
    "effect.unknown": Figures(unknown=1),
    "undo.done": Figures(undone=1),
}
_WITH_BODY = ("approval.decided", "approval.revised")
_KINDS = (*_ONE, *_WITH_BODY, "action.withdrawn")

_events, _links = statements.table_of(LedgerEventRow), statements.table_of(LedgerLinkRow)
_SEALED = (
    select(_links.c.event_id)
    .where(_links.c.seq > bindparam("after"), _links.c.seq <= bindparam("until"))
    .order_by(_links.c.seq)
)
_SHORT = select(_events.c.id, _events.c.at, _events.c.kind, _events.c.action_id).where(
    _events.c.id.in_(bindparam("ids", expanding=True))
)
_BODIES = select(_events.c.id, _events.c.body).where(_events.c.id.in_(bindparam("ids", expanding=True)))
_END = select(func.max(_links.c.seq))
_days, _kinds = statements.table_of(QualityDayRow), statements.table_of(QualityKindRow)
_ADD_DAY, _ADD_KIND = insert(_days), insert(_kinds)
_SET_DAY = (
    update(_days)
    .where(
        _days.c.agent == bindparam("for_agent"),
        _days.c.type == bindparam("for_type"),
        _days.c.day == bindparam("for_day"),
    )
    .values({name: bindparam(name) for name in (*COUNTS, "decide", "look")})
)

Key = tuple[str, str, str]
"""Agent, action type and day."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is read of an event; ``body`` only where it is needed."""

    at: datetime
    kind: str
    action_id: str
    body: str


def count(database: Database, now: datetime) -> bool:
    """Add the next batch of sealed events to the figures.

    Returns:
        Whether there was anything to read: call again while it is true.
    """
    with database.read() as session:
        if mark(session)[0] >= end_of_chain(session):
            return False
    with database.write() as session:
        database.lock_alone(session, LOCK)
        after, _ = mark(session)
        until = min(after + BATCH, end_of_chain(session))
        if until <= after:
            return False
        events = sealed(session, after, until)
        for key, figures in _figures(session, events).items():
            _add(session, key, figures)
        move(session, _READER, until, now)
    return True


def sealed(session: Session, after: int, until: int) -> list[Event]:
    """What is counted among the links of the chain after one up to another, in their order."""
    order = list(statements.run(session, _SEALED, {"after": after, "until": until}).scalars())
    # What is not counted is passed over without its body; asked for together, a planner would read every event of
    # these kinds instead.
    short = {row.id: row for row in statements.run(session, _SHORT, {"ids": order}) if row.kind in _KINDS}
    told = [id for id, row in short.items() if row.kind in _WITH_BODY]
    bodies = {row.id: row.body for row in statements.run(session, _BODIES, {"ids": told})}
    found = (short[id] for id in order if id in short)
    return [Event(row.at, row.kind, row.action_id, bodies.get(row.id, "{}")) for row in found]


def mark(session: Session, reader: str = _READER) -> tuple[int, datetime | None]:
    """How far the chain was counted, or read by another reader, and when that was."""
    row = session.get(QualityMarkRow, reader, populate_existing=True)
    return (0, None) if row is None else (row.seq, row.at)


def move(session: Session, reader: str, seq: int, at: datetime) -> None:
    """A reader of the chain came so far."""
    session.merge(QualityMarkRow(reader=reader, seq=seq, at=at))


def end_of_chain(session: Session) -> int:
    """Place of the newest link."""
    return session.execute(_END).scalar() or 0


def figures_of(row: QualityDayRow) -> Figures:
    """A day's figures."""
    counts: dict[str, Any] = {name: getattr(row, name) for name in COUNTS}
    return Figures(**counts, decide=_times(row.decide), look=_times(row.look))


def _times(written: dict[str, int]) -> dict[int, int]:
    return {int(bucket): number for bucket, number in written.items()}


def _figures(session: Session, events: Sequence[Event]) -> dict[Key, Figures]:
    ids = list({event.action_id for event in events})
    kinds = {row.action_id: (row.agent, row.type) for row in _actions(session, ids)}
    asked = {row.action_id: row for row in _requests(session, ids)}
    decided = [
        asked[each.action_id].id for each in events if each.kind == "approval.decided" if each.action_id in asked
    ]
    votes, openings = _votes(session, decided), _openings(session, decided)
    found: dict[Key, Figures] = defaultdict(Figures)
    for event in events:
        if event.action_id not in kinds:
            continue
        key = (*kinds[event.action_id], event.at.date().isoformat())
        request = asked.get(event.action_id)
        if event.kind in _ONE:
            found[key] += _ONE[event.kind]
        elif request is None:
            continue
        elif event.kind == "approval.decided":
            found[key] += _decision(event, request, votes[request.id], openings)
        elif event.kind == "approval.revised":
            found[key] += Figures(edited=int(json.loads(event.body).get("shown", {}).get("revision") == 2))
        elif request.status == ApprovalStatus.WITHDRAWN.value:
            found[key] += Figures(withdrawn=1)
    return found


def _decision(
    event: Event, request: ApprovalRow, votes: Iterable[DecisionRow], openings: dict[tuple[str, str, str], float | None]
) -> Figures:
    """What one closing of a request by people adds."""
    body = json.loads(event.body)
    refused = body.get("verb") == Verb.REJECT.value
    took = {bucket_of((event.at - request.created_at).total_seconds()): 1}
    changed = int(refused or request.revision > 1)
    if refused:
        return Figures(refused=1, changed=changed, decide=took)
    figures = Figures(approved=1, changed=changed, decide=took)
    needed = reading_seconds(request.card.get("text") or request.headline)
    for vote in votes:
        key = (request.id, vote.digest, vote.person)
        if vote.digest != body.get("digest"):
            continue
        seconds = openings.get(key)
        figures += Figures(votes=1, opened=int(key in openings))
        if seconds is not None:
            figures += Figures(timed=1, hasty=int(seconds < needed), look={bucket_of(seconds): 1})
    return figures


def _add(session: Session, key: Key, figures: Figures) -> None:
    agent, type, day = key
    before = session.get(QualityDayRow, key)
    if before is None:
        statements.run(session, _ADD_DAY, {"agent": agent, "type": type, "day": day, **_columns(figures)})
        if session.get(QualityKindRow, (agent, type)) is None:
            statements.run(session, _ADD_KIND, {"agent": agent, "type": type})
        return
    values = _columns(figures_of(before) + figures)
    statements.run(session, _SET_DAY, {"for_agent": agent, "for_type": type, "for_day": day, **values})


def _columns(figures: Figures) -> dict[str, Any]:
    times = {
        "decide": {str(bucket): n for bucket, n in figures.decide.items()},
        "look": {str(bucket): n for bucket, n in figures.look.items()},
    }
    return {name: getattr(figures, name) for name in COUNTS} | times


def _actions(session: Session, ids: list[str]) -> Sequence[Any]:
    wanted = select(col(ActionRow.action_id), col(ActionRow.agent), col(ActionRow.type))
    return session.execute(wanted.where(col(ActionRow.action_id).in_(ids))).all() if ids else ()


def _requests(session: Session, ids: list[str]) -> Sequence[ApprovalRow]:
    wanted = select(ApprovalRow).where(col(ApprovalRow.action_id).in_(ids))
    return session.execute(wanted).scalars().all() if ids else ()


def _votes(session: Session, ids: list[str]) -> dict[str, list[DecisionRow]]:
    """Approvals that count, by request."""
    found: dict[str, list[DecisionRow]] = defaultdict(list)
    if ids:
        wanted = select(DecisionRow).where(
            col(DecisionRow.approval_id).in_(ids),
            col(DecisionRow.counted),
            ~col(DecisionRow.lapsed),
            col(DecisionRow.verb) == Verb.APPROVE.value,
        )
        for vote in session.execute(wanted).scalars():
            found[vote.approval_id].append(vote)
    return found


def _openings(session: Session, ids: list[str]) -> dict[tuple[str, str, str], float | None]:
    """Seconds on the card by request, digest and person."""
    if not ids:
        return {}
    rows = session.execute(select(OpeningRow).where(col(OpeningRow.approval_id).in_(ids))).scalars()
    return {(row.approval_id, row.digest, row.person_id): row.seconds for row in rows}
