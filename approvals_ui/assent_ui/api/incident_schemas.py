"""What goes in and out of the API about incidents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import AwareDatetime, Field

from assent.domain.effects import EffectStatus, UndoStatus
from assent.domain.incidents import (
    MAX_TITLE,
    MAX_WORDS,
    FollowUpState,
    IncidentFacts,
    IncidentState,
    PartKind,
    Section,
    Severity,
)
from assent.domain.pauses import Disposition, ScopeKind
from assent.domain.people import Actor
from assent.store.queries.affected import SoughtBy
from assent_ui.api.schemas import In, Json, Out

Words = Field(max_length=MAX_WORDS, description=f"Plain text, at most {MAX_WORDS:,} characters.")
Refs: Any = Field(default_factory=list, max_length=1_000)


class IncidentIn(In):
    """An incident to open. Without a title it is named after its first pause, run or record."""

    title: str = Field(default="", max_length=MAX_TITLE)
    severity: Severity = Severity.HIGH
    commander: str = Field(default="", max_length=80, description="Id of the person who leads; you, if left out.")
    began_at: AwareDatetime | None = Field(
        default=None, description="Now, or when the first of its pauses and runs began, if left out."
    )
    pauses: list[str] = Refs
    runs: list[str] = Refs
    records: list[str] = Refs
    rollbacks: list[str] = Refs


class IncidentChangeIn(In):
    """What is said of an incident; what is left out stays."""

    title: str | None = Field(default=None, max_length=MAX_TITLE)
    severity: Severity | None = None
    commander: str | None = Field(default=None, max_length=80, description="Id of a person; empty for nobody.")
    began_at: AwareDatetime | None = None
    noticed_at: AwareDatetime | None = None


class IncidentMoveIn(In):
    """Where an incident goes: open, stopped, undone, mended or closed."""

    state: IncidentState
    why: str = Field(default="", max_length=1_000, description="Needed to open it again.")


class IncidentOut(Out):
    """An incident."""

    id: str
    title: str
    severity: Severity
    state: IncidentState
    commander_id: str
    commander: str
    opened_by: Actor
    opened_at: datetime
    began_at: datetime
    noticed_at: datetime
    stopped_at: datetime | None
    mended_at: datetime | None
    closed_at: datetime | None


class IncidentInFull(IncidentOut):
    """An incident with what is counted of it now, and the text that people could be told."""

    facts: IncidentFacts
    draft: str
    pauses: list[str]
    rollbacks: list[str]


class PartsIn(In):
    """Ids of pauses, runs or rollbacks, or stable names of records."""

    kind: PartKind
    refs: list[str] = Field(min_length=1, max_length=10_000)


class PartsAdded(Out):
    """How many of them were new to the incident."""

    added: int


class PartOut(Out):
    """Something that belongs to an incident."""

    kind: PartKind
    ref: str
    at: datetime
    by: Actor


class FoundIn(In):
    """A search whose records or runs shall belong to the incident."""

    by: SoughtBy
    name: str = Field(min_length=1, max_length=200)
    since: AwareDatetime | None = None
    agent: str = Field(default="", max_length=200)
    kind: PartKind = PartKind.RECORD


class AffectedOut(Out):
    """One effect on one record; `before` and `after` have declared secrets replaced."""

    record: str
    at: datetime
    action_id: str
    run_id: str
    agent: str
    type: str
    sentence: str
    status: EffectStatus
    undo: UndoStatus | None
    undone_at: datetime | None
    before: Json
    after: Json


class IncidentNoteIn(In):
    """Something to write down on the timeline."""

    text: str = Words


class Noted(Out):
    """The id of what was kept."""

    id: str


class TellingIn(In):
    """A text to send by `channel`; an empty channel keeps it without sending."""

    text: str = Words
    channel: str = Field(default="", max_length=40, examples=["slack"])


class TellingOut(Out):
    """A text as it was sent. `sent_at` is null until it is delivered."""

    id: str
    at: datetime
    by: Actor
    channel: str
    text: str
    edited: bool
    sent_at: datetime | None
    error: str


class TimelineEntry(Out):
    """A ledger event of an incident, in words."""

    event: int
    at: datetime
    kind: str
    by: Actor
    title: str
    text: str


class IncidentPauseIn(In):
    """What to pause because of the incident."""

    kind: ScopeKind
    name: str = Field(default="", max_length=200)
    disposition: Disposition = Disposition.FREEZE


class IncidentPaused(Out):
    """The pause, fenced."""

    pause: str


class SectionIn(In):
    """People's words in a section of the post-mortem. `after` is the version they were written on, 0 for none."""

    text: str = Words
    after: int = Field(ge=0)


class SectionKept(Out):
    """The section's new version."""

    version: int


class SectionOut(Out):
    """A section of a post-mortem: what the ledger knows, and every version of people's words, the newest first."""

    section: Section
    title: str
    needed: bool
    facts: list[str]
    versions: list[SectionVersion]


class SectionVersion(Out):
    """One version of people's words."""

    version: int
    text: str
    at: datetime
    by: Actor


class ReportOut(Out):
    """The post-mortem of an incident."""

    incident: IncidentOut
    sections: list[SectionOut]


class FollowUpIn(In):
    """What shall be done, whose it is, and until when."""

    text: str = Field(min_length=1, max_length=1_000)
    owner: str = Field(max_length=80, description="Id of a person.")
    due: date


class FollowUpChangeIn(In):
    """What became of an action (`state`, with a `note`), or whose it is now (`owner`, `due`)."""

    state: FollowUpState | None = None
    note: str = Field(default="", max_length=MAX_WORDS)
    owner: str | None = Field(default=None, max_length=80)
    due: date | None = None


class FollowUpOut(Out):
    """What was agreed after an incident."""

    id: str
    incident_id: str
    title: str
    text: str
    owner_id: str
    owner: str
    due: date
    state: FollowUpState
    note: str
    overdue: bool
    created_at: datetime
    settled_at: datetime | None


SectionOut.model_rebuild()
