"""Incidents: what went wrong, what belongs to it, and how it ends."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from assent.domain.errors import Conflict
from assent.domain.people import Actor

MAX_TITLE = 200
"""Characters of an incident's title."""

MAX_WORDS = 10_000
"""Characters of a note, of a text that is sent, and of one section of a post-mortem."""


class Severity(StrEnum):
    """How bad an incident is, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class IncidentState(StrEnum):
    """The life of an incident."""

    OPEN = "open"
    STOPPED = "stopped"
    UNDONE = "undone"
    MENDED = "mended"
    CLOSED = "closed"

    @property
    def over(self) -> bool:
        """The harm was taken back, or made good by other means."""
        return self in (IncidentState.UNDONE, IncidentState.MENDED)


class PartKind(StrEnum):
    """What can belong to an incident."""

    PAUSE = "pause"
    RUN = "run"
    RECORD = "record"
    ROLLBACK = "rollback"


class Section(StrEnum):
    """A section of a post-mortem that people write; the facts stand above it."""

    WHAT_HAPPENED = "what_happened"
    CAUSE = "cause"
    NOTICED = "noticed"
    STOPPED = "stopped"
    UNDONE = "undone"
    LEFT = "left"
    CHANGES = "changes"


NEEDED = (Section.WHAT_HAPPENED, Section.CAUSE, Section.CHANGES)
"""Sections without which an incident cannot be closed: what no ledger knows."""


class FollowUpState(StrEnum):
    """The life of what was agreed after an incident."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class IncidentPart(BaseModel):
    """Something that belongs to an incident.

    Attributes:
        kind: What it is.
        ref: Its id, or a record's stable name.
        at: Since when it belongs to it.
        by: Who put it there.
    """

    model_config = ConfigDict(frozen=True)

    kind: PartKind
    ref: str = Field(min_length=1, max_length=200)
    at: datetime
    by: Actor


_NEXT = {
    IncidentState.OPEN: {IncidentState.STOPPED, IncidentState.UNDONE, IncidentState.MENDED},
    IncidentState.STOPPED: {IncidentState.OPEN, IncidentState.UNDONE, IncidentState.MENDED},
    IncidentState.UNDONE: {IncidentState.OPEN, IncidentState.STOPPED, IncidentState.MENDED, IncidentState.CLOSED},
    IncidentState.MENDED: {IncidentState.OPEN, IncidentState.STOPPED, IncidentState.UNDONE, IncidentState.CLOSED},
    IncidentState.CLOSED: {IncidentState.OPEN},
}


def following(state: IncidentState) -> frozenset[IncidentState]:
    """The states that an incident can go to from here."""
    return frozenset(_NEXT[state])


def check_move(before: IncidentState, after: IncidentState) -> None:
    """Refuse what is no way through an incident's life.

    Raises:
        Conflict: It cannot go from one to the other.
    """
    if after not in _NEXT[before]:
        ways = ", ".join(state.value for state in IncidentState if state in _NEXT[before])
        raise Conflict(
            f"An incident that is {before.value} cannot become {after.value}.",
            where="state",
            todo=f"From here it can become {ways}.",
        )
