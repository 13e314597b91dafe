"""Breakers that fired: each with its pause in one transaction, and at most once for all who watch.

Whoever watches measures again in the transaction that pauses, under a lock of its own; the newest trip of the same
scope says whether its pause still holds, is being released, or has ended.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.breakers import BreakerRule, Gauge
from assent.domain.breaking import ending
from assent.domain.canonical import Json
from assent.domain.pauses import PausePhase, Scope
from assent.domain.people import SYSTEM
from assent.store import ledger, pauses, stop_calls, waking
from assent.store.database import Database
from assent.store.stop_calls import StopEvent
from assent.store.tables import PauseReleaseRow, PauseRow, TripRow
from assent.store.waking import Woken

LOCK = 0x4153_4252_4B52
"""Advisory lock of those who watch on PostgreSQL."""

MOST_STANDINGS = 1_000
"""Trips of one breaker that are looked through for pauses that hold or ended lately."""

_NOTED = (
    *("breaker", "measure", "cause", "measured", "threshold", "cases", "counted", "window_seconds"),
    *("evidence", "figures", "disposition", "card_version"),
)


class TripKind(StrEnum):
    """What a breaker did when it fired."""

    PAUSED = "paused"
    FELL_BACK = "fell_back"
    """It took a pause that was being released back to a full hold."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a scope stands that a breaker paused before.

    Attributes:
        pause_id: The pause.
        holding: It holds, so that the breaker stays quiet.
        releasing: Its runs are let go step by step.
        since: From when on things count again; ``None`` while it holds.
    """

    pause_id: str
    holding: bool
    releasing: bool
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a trip needs to know beside its figures.

    Attributes:
        agent: The agent.
        version: Version of its card.
        rule: The breaker.
        scope: What it pauses.
        since: From when on it counted.
        known: Who stands for each word of the card.
        fallback: What the agent is told meanwhile, with the names it is for.
        channels: The ways that people are told by.
    """

    agent: str
    version: int
    rule: BreakerRule
    scope: Scope
    since: datetime
    known: Mapping[str, Sequence[Woken]]
    fallback: Sequence[Mapping[str, Json]]
    channels: Sequence[str]


def standings(session: Session, agent: str, rule: BreakerRule, *, after: datetime, whole: str) -> dict[str, Standing]:
    """How the scopes of a breaker stand, by run or record; by nothing for the whole.

    Args:
        session: To read with.
        agent: The agent.
        rule: The breaker.
        after: Pauses that ended before this are of no interest.
        whole: Name of the scope of a breaker that measures the whole.
    """
    released = (
        select(func.min(col(PauseReleaseRow.released_at)))
        .where(col(PauseReleaseRow.pause_id) == col(PauseRow.id), col(PauseReleaseRow.taken_back_at).is_(None))
        .scalar_subquery()
    )
    wanted = (
        select(
            col(TripRow.scope_name),
            col(PauseRow.id),
            col(PauseRow.active),
            col(PauseRow.phase),
            col(PauseRow.resumed_at),
            released,
        )
        .join(PauseRow, col(PauseRow.id) == col(TripRow.pause_id))
        .where(
            col(TripRow.agent) == agent,
            col(TripRow.breaker) == rule.name,
            col(TripRow.scope_kind) == rule.pause.value,
            or_(col(PauseRow.active), col(PauseRow.resumed_at) > after),
        )
        .order_by(col(TripRow.at).desc(), col(TripRow.id).desc())
        .limit(MOST_STANDINGS)
    )
    if not rule.apart:
        wanted = wanted.where(col(TripRow.scope_name) == whole)
    found: dict[str, Standing] = {}
    for name, pause_id, active, phase, resumed_at, let_go in session.execute(wanted).all():
        releasing = active and phase == PausePhase.RELEASING.value
        ends = [moment for moment in (let_go, resumed_at) if moment is not None]
        since = min(ends, default=None)
        standing = Standing(pause_id, active and not releasing, releasing, since)
        found.setdefault(name if rule.apart else "", standing)
    return found


def any_of(session: Session, pause_ids: Sequence[str]) -> bool:
    """Whether one of these pauses is a breaker's."""
    wanted = select(col(TripRow.id)).where(col(TripRow.pause_id).in_(pause_ids)).limit(1)
    return bool(pause_ids) and session.execute(wanted).first() is not None


def fire(
    database: Database, session: Session, setting: Setting, gauge: Gauge, standing: Standing | None, *, at: datetime
) -> str:
    """Pause, write the trip, tell the ledger and wake people; all of it or nothing, in the caller's transaction.

    The caller holds :data:`LOCK` and has measured and looked how the scope stands since.

    Returns:
        The trip's id.
    """
    trip_id, rule, scope = f"trip-{uuid.uuid4().hex[:12]}", setting.rule, setting.scope
    falls_back = standing is not None and standing.releasing
    if standing is not None and falls_back:
        pause_id = standing.pause_id
        pauses.fall_back(session, pause_id, f"The breaker {rule.name} fired again: {gauge.sentence}", at)
    else:
        pause_id = f"pause-{uuid.uuid4().hex[:12]}"
        cause = f"The breaker {rule.name} of {setting.agent}: {gauge.sentence}"
        pauses.begin(
            database,
            session,
            pause_id=pause_id,
            scope=scope,
            cause=cause,
            by=SYSTEM,
            at=at,
            disposition=rule.disposition,
        )
    woken = waking.people_behind(session, rule.wake, setting.known)
    row = {
        "id": trip_id,
        "agent": setting.agent,
        "breaker": rule.name,
        "card_version": setting.version,
        "kind": (TripKind.FELL_BACK if falls_back else TripKind.PAUSED).value,
        "measure": rule.measure.value,
        "scope_kind": scope.kind.value,
        "scope_name": scope.name,
        "disposition": rule.disposition.value,
        "pause_id": pause_id,
        "cause": gauge.sentence,
        "measured": gauge.value,
        "threshold": gauge.threshold,
        "cases": gauge.cases,
        "counted": gauge.counted,
        "window_seconds": int(rule.within.total_seconds()),
        "since": setting.since,
        "rule": rule.model_dump(mode="json"),
        "figures": gauge.figures,
        "evidence": gauge.evidence,
        "fallback": [dict(each) for each in setting.fallback],
        "woken": [{"name": each.name, "email": each.email, "slack": each.slack} for each in woken],
        "at": at,
    }
    session.execute(insert(TripRow).values(**row))
    _note(session, row, at)
    if falls_back:
        stop_calls.follow(session, StopEvent.TRIPPED, pause_id, at=at)
    else:
        stop_calls.tell(session, (StopEvent.PAUSED, StopEvent.TRIPPED), pause_id, scope, at=at)
    waking.wake(
        session,
        woken,
        setting.channels,
        id=trip_id,
        subject=trip_id,
        headline=_headline(setting, falls_back=falls_back),
        text=_text(setting, gauge),
        path=f"/stop#{pause_id}",
        at=at,
    )
    return trip_id


def _note(session: Session, trip: Mapping[str, Any], at: datetime) -> None:
    body = {name: trip[name] for name in _NOTED} | {"trip": trip["id"], "pause": trip["pause_id"]}
    body["scope"] = f"{trip['scope_kind']} {trip['scope_name']}".strip()
    kind = "breaker.fell_back" if trip["kind"] == TripKind.FELL_BACK.value else "breaker.tripped"
    ledger.append(session, at=at, kind=kind, actor=SYSTEM, agent=trip["agent"], body=body)


def _headline(setting: Setting, *, falls_back: bool) -> str:
    did = "is held again" if falls_back else "is paused"
    sentence = setting.scope.sentence
    return f"{sentence[0].upper()}{sentence[1:]} {did}: the breaker {setting.rule.name} fired"


def _text(setting: Setting, gauge: Gauge) -> str:
    rule = setting.rule
    parts = [gauge.sentence]
    if rule.because:
        parts.append(rule.because)
    parts += [f"Meanwhile, {each['of']}: {each['say']}" for each in setting.fallback]
    parts.append(ending(rule))
    return "\n".join(parts)
