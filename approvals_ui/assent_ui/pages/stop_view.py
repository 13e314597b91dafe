"""What the page of what is stopped shows of one pause: its picture, what it holds, and what the viewer may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from assent.domain.effects import EffectStatus
from assent.domain.pauses import Disposition, PausePhase
from assent.domain.people import Actor
from assent.domain.words import counted, lasting
from assent.gateway import breakers, stop_rights
from assent.store.queries.pause_details import PauseDetails, details
from assent.store.queries.pauses import PauseView
from assent.store.queries.trips import TripView, of_pauses
from assent.store.recovering import Recovery

DISPOSITIONS = {
    Disposition.FREEZE: ("Freeze", "every action waits"),
    Disposition.DRAIN: ("Drain", "what was approved before goes on, the rest waits"),
    Disposition.COMPENSATE: ("Compensate", "every action waits, and open runs are rolled back"),
}
"""What each disposition is called, and what it does."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One moment of a pause in its picture.

    Attributes:
        word: What happened.
        at: When; ``None`` if it has not happened.
        took: How long it took since the moment before, in words.
        state: ``done``, ``now`` (it is under way) or ``later``.
    """

    word: str
    at: datetime | None
    took: str
    state: str


@dataclass(frozen=True, slots=True)
class PauseCard:
    """A pause in force, as the page shows it.

    Attributes:
        pause: The pause.
        phases: From the request to rest, and to the rollback where it compensates.
        ramp: How it lets runs go; empty if it does not.
        details: What it found under way, holds and let go.
        under_way: How many of what it found under way still is.
        second: A second person has to agree to a resume.
        may_pause: The viewer may change it.
        may_resume: The viewer may let it go on.
        own_resume: The viewer asked for the resume that waits for a second person.
        trips: The times that breakers fired for it, newest first; empty if people made it.
        recovery: How the tool is whose health check made it; ``None`` if none did.
    """

    pause: PauseView
    phases: tuple[Phase, ...]
    ramp: tuple[Phase, ...]
    details: PauseDetails
    under_way: int
    second: bool
    may_pause: bool
    may_resume: bool
    own_resume: bool
    trips: tuple[TripView, ...] = ()
    recovery: Recovery | None = None

    @property
    def face(self) -> tuple[str, str, str]:
        """Its status: a word, a tone and a shape."""
        match self.pause.phase:
            case PausePhase.SECOND_WANTED:
                return "Waits for a second person", "amber", "person"
            case PausePhase.RELEASING:
                return "Letting runs go", "blue", "arrow"
            case _:
                return ("At rest", "violet", "pause") if self.pause.quiesced_at else ("Fenced", "violet", "pause")

    @property
    def how(self) -> tuple[str, str]:
        """Its disposition: a word, and what it does."""
        return DISPOSITIONS[self.pause.disposition]


def card(session: Session, pause: PauseView, viewer: Actor, now: datetime) -> PauseCard:
    """A pause as somebody sees it."""
    rules = stop_rights.rules_for(session, pause.scope)
    found = details(session, pause.id)
    asked = pause.resume_asked_by
    trips = tuple(of_pauses(session, [pause.id]).get(pause.id, ()))
    return PauseCard(
        pause=pause,
        phases=_phases(pause, now),
        ramp=_ramp(pause) if pause.phase is PausePhase.RELEASING else (),
        details=found,
        under_way=sum(claim.status is EffectStatus.CLAIMED for claim in found.claims),
        second=rules.second,
        may_pause=stop_rights.may_pause(session, viewer, rules, now),
        may_resume=stop_rights.may_resume(session, viewer, rules, now),
        own_resume=asked is not None and stop_rights.is_same_person(session, asked, viewer, now),
        trips=trips,
        recovery=breakers.recovery(session, trips[0]) if trips else None,
    )


def _phases(pause: PauseView, now: datetime) -> tuple[Phase, ...]:
    refenced = pause.fenced_at > pause.requested_at and pause.fell_back_at is not None
    phases = [
        Phase("Requested", pause.requested_at, "", "done"),
        Phase(
            "Fenced again" if refenced else "Fenced",
            pause.fenced_at,
            span(pause.fenced_at - pause.requested_at),
            "done",
        ),
    ]
    if pause.quiesced_at is not None:
        phases.append(Phase("At rest", pause.quiesced_at, span(pause.quiesced_at - pause.fenced_at), "done"))
    else:
        waits = f"{counted(pause.in_flight, 'effect')} under way" if pause.in_flight else "Coming to rest"
        phases.append(Phase(waits, None, span(max(now - pause.fenced_at, timedelta(0))), "now"))
    if pause.disposition is Disposition.COMPENSATE:
        began = pause.compensated_at
        since = pause.quiesced_at or pause.fenced_at
        phases.append(
            Phase("Rolling back", began, span(began - since), "done")
            if began
            else Phase("Rolling back", None, "", "later")
        )
    return tuple(phases)


def _ramp(pause: PauseView) -> tuple[Phase, ...]:
    words = ("First run", "A few runs", "All runs")
    return tuple(
        Phase(
            word,
            pause.stage_at if step == pause.stage else None,
            "",
            "done" if step < pause.stage else "now" if step == pause.stage else "later",
        )
        for step, word in enumerate(words, start=1)
    )


def span(time: timedelta) -> str:
    """How long something took, as short as it is said: ``4 ms``, ``3 min 5 s``; no time at all is a commit."""
    seconds = time.total_seconds()
    if not seconds:
        return "one commit"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 10 else lasting(time)
