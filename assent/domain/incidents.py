"""Incidents: what went wrong, what belongs to it, and how it ends."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from assent.domain.errors import Conflict, InvalidInput, TooLarge
from assent.domain.people import Actor, Role

WRITERS = frozenset({Role.OPERATOR, Role.OWNER, Role.ADMIN})
"""Who opens incidents and writes in them."""

READERS = WRITERS | {Role.AUDITOR}
"""Who reads them."""

MAX_TITLE = 200
"""Characters of an incident's title."""

MAX_REF = 200
"""Characters of an id or a record's name."""

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


class IncidentFacts(BaseModel):
    """What is known of an incident at a moment, for texts about it.

    Attributes:
        title: Its title.
        severity: How bad it is.
        state: Where it is in its life.
        began_at: When it began.
        noticed_at: When somebody or a breaker noticed.
        stopped_at: From when on nothing more happened; ``None`` if it was not stopped.
        mended_at: When the harm was taken back or made good.
        commander: Who leads; empty if nobody does.
        agents: Names of the agents in it.
        runs: Affected runs.
        records: Affected records.
        effects: Effects done.
        undone: How many of them were taken back.
        unknown: How many may or may not have happened.
        more: There are more than was counted.
        moved: Money moved by what was done, by currency; empty code where none is declared.
        returned: How much of it was taken back.
        holding: Pauses of the incident that are in force, in words.
    """

    title: str
    severity: Severity
    state: IncidentState
    began_at: datetime
    noticed_at: datetime
    stopped_at: datetime | None = None
    mended_at: datetime | None = None
    commander: str = ""
    agents: list[str] = Field(default_factory=list)
    runs: int = 0
    records: int = 0
    effects: int = 0
    undone: int = 0
    unknown: int = 0
    more: bool = False
    moved: dict[str, float] = Field(default_factory=dict)
    returned: dict[str, float] = Field(default_factory=dict)
    holding: list[str] = Field(default_factory=list)

    @property
    def left(self) -> int:
        """Effects that stand."""
        return self.effects - self.undone


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
    ref: str = Field(min_length=1, max_length=MAX_REF)
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


def words_of(text: str, where: str, *, most: int = MAX_WORDS, needed: bool = True) -> str:
    """What a person wrote as it is kept: with plain line ends, without blanks around it.

    Raises:
        InvalidInput: It is empty though it is needed, or holds what is no text.
        TooLarge: It is longer than ``most`` characters.
    """
    clean = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if needed and not clean:
        raise InvalidInput("There is no text.", where=where, todo="Write something.")
    if len(clean) > most:
        raise TooLarge(f"The text has {len(clean):,} characters; the limit is {most:,}.", where=where)
    if "\0" in clean or any("\ud800" <= character <= "\udfff" for character in clean):
        raise InvalidInput("The text holds what is no character.", where=where, todo="Send valid Unicode text.")
    return clean
