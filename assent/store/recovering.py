"""Fallbacks that end by themselves: the tool that was down is well again, for as many checks as the card says.

Only a hold that is as the breaker left it ends so. Where people changed it, asked to resume it, or where letting it go
failed although the check passes, it waits for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.breakers import BreakerRule
from assent.domain.pauses import Disposition, PausePhase, ResumeAnswers, ResumeState
from assent.domain.people import SYSTEM
from assent.domain.words import counted
from assent.store import health, ledger, ramps, waking
from assent.store.database import Database
from assent.store.health import Health
from assent.store.tables import PauseRow, TripRow
from assent.store.waking import Woken


@dataclass(frozen=True, slots=True)
class Recovery:
    """A hold of a breaker, and how the tool is that it is about.

    Attributes:
        pause_id: The hold.
        trip_id: The newest time that the breaker fired for it.
        health: The tool, as it was when it was asked last.
        wanted: Passed checks that end it; 0 if people have to.
    """

    pause_id: str
    trip_id: str
    health: Health
    wanted: int

    @property
    def due(self) -> bool:
        """It ends now."""
        return self.health.passes >= self.wanted > 0

    @property
    def sentence(self) -> str:
        """How the tool is and what ends the hold, for people."""
        if not self.health.well:
            ends = f" It ends by itself after {counted(self.wanted, 'passed check')}." if self.wanted else ""
            failed = counted(self.health.failures, "time")
            return f"It failed its health check {failed} one after the other: {self.health.error}{ends}"
        passed = f"It passed its health check {counted(self.health.passes, 'time')} one after the other"
        if not self.wanted:
            return f"{passed}. Nothing goes on by itself: a person resumes."
        return f"{passed}; after {counted(self.wanted, 'time')} the fallback ends by itself."


def look(session: Session, pause_id: str, recover: int) -> Recovery | None:
    """How it stands with a hold that a health check made; ``None`` if it made none of this id that is in force.

    Args:
        session: To read with.
        pause_id: The hold.
        recover: Passed checks that end it, as the card in force says; 0 if it does not.
    """
    pause = session.get(PauseRow, pause_id, populate_existing=True)
    newest = select(TripRow).where(col(TripRow.pause_id) == pause_id).order_by(col(TripRow.at).desc()).limit(1)
    trip = session.execute(newest).scalar_one_or_none()
    if pause is None or trip is None or not pause.active:
        return None
    rule = BreakerRule.model_validate(trip.rule)
    found = health.of_connector(session, rule.of)
    if found is None:
        return None
    untouched = pause.phase == PausePhase.HOLDING.value and pause.disposition == Disposition.FREEZE.value
    again = pause.fell_back_at is None or pause.fell_back_at <= trip.at
    wanted = recover if rule.recover and untouched and again else 0
    return Recovery(pause_id, trip.id, found, wanted)


def end(
    database: Database,
    session: Session,
    recovery: Recovery,
    *,
    channels: Sequence[str],
    step_time: timedelta,
    at: datetime,
) -> ResumeState:
    """Let go on what a health check held, in steps, and tell those who were woken; the caller has looked since.

    Args:
        database: The database.
        session: The transaction; the caller holds :data:`assent.store.trips.LOCK`.
        recovery: What is due.
        channels: The ways that people are told by.
        step_time: How long each step waits at most.
        at: When.
    """
    trip = session.get_one(TripRow, recovery.trip_id)
    connector, passes = recovery.health.connector, counted(recovery.health.passes, "time")
    said = f"The connector {connector} passed its health check {passes} one after the other"
    answers = ResumeAnswers(cause=trip.cause, changed="Nothing by people: it is well again by itself.", checks=[said])
    state = ramps.start(
        database,
        session,
        pause_id=recovery.pause_id,
        answers=answers,
        by=SYSTEM,
        at=at,
        step_time=step_time,
    )
    body = {"breaker": trip.breaker, "trip": trip.id, "pause": recovery.pause_id, "connector": connector}
    figures = {"passes": recovery.health.passes, "since": recovery.health.since.isoformat()}
    ledger.append(session, at=at, kind="breaker.recovered", actor=SYSTEM, agent=trip.agent, body={**body, **figures})
    steps = "Its runs are let go in steps." if state is ResumeState.RELEASING else "Agents use it again."
    waking.wake(
        session,
        [Woken(**each) for each in trip.woken],
        channels,
        id=f"{trip.id}-well",
        subject=trip.id,
        headline=f"Connector {connector} goes on: it is well again",
        text=f"{said}, so the fallback of the breaker {trip.breaker} ended by itself. {steps}",
        path=f"/trips/{trip.id}",
        at=at,
    )
    return state
