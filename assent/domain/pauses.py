"""Pauses: the kill switch, its scopes, its dispositions and its life."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from assent.domain.people import MAX_REASON, Actor

MAX_CHECKS = 20
"""Checks that somebody names when resuming."""


class ScopeKind(StrEnum):
    """What a pause covers, the widest first."""

    EVERYTHING = "everything"
    AGENT = "agent"
    VERSION = "version"
    CONNECTOR = "connector"
    TYPE = "type"
    LABEL = "label"
    RECORD = "record"
    RUN = "run"


class Disposition(StrEnum):
    """What a pause does with the work in its scope.

    ``freeze`` holds every action. ``drain`` lets those go on that were cleared before the pause, and holds the rest.
    ``compensate`` holds every action and, once nothing is under way any more, rolls back the open runs in scope.
    """

    FREEZE = "freeze"
    DRAIN = "drain"
    COMPENSATE = "compensate"


class PausePhase(StrEnum):
    """Where a pause is in its life."""

    HOLDING = "holding"
    SECOND_WANTED = "second_wanted"
    RELEASING = "releasing"
    ENDED = "ended"


class Subject(BaseModel):
    """An action as scopes see it.

    Attributes:
        agent: The agent.
        version: Version of the card that admits it; 0 if that is not known.
        type: Its action type; empty for a run as a whole.
        run_id: The run.
        labels: The run's labels.
        records: Stable names of the records that it is about, as far as they are known.
    """

    model_config = ConfigDict(frozen=True)

    agent: str
    run_id: str
    version: int = 0
    type: str = ""
    labels: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()


class Scope(BaseModel):
    """A scope: its kind, and a name.

    The name of an agent, of a version (``refunds@3``), of an action type (``shop.refund``), of a connector (``shop``,
    the first part of its types' names), a run's id, the stable name of a record (``shop/orders/W1``) or a label. Empty
    for everything.
    """

    kind: ScopeKind
    name: str = Field(default="", max_length=200)

    def covers(self, subject: Subject) -> bool:
        """Whether an action is in scope."""
        match self.kind:
            case ScopeKind.EVERYTHING:
                return True
            case ScopeKind.AGENT:
                return self.name == subject.agent
            case ScopeKind.VERSION:
                return self.name == f"{subject.agent}@{subject.version}"
            case ScopeKind.CONNECTOR:
                return bool(subject.type) and self.name == subject.type.partition(".")[0]
            case ScopeKind.TYPE:
                return self.name == subject.type
            case ScopeKind.LABEL:
                return self.name in subject.labels
            case ScopeKind.RECORD:
                return self.name in subject.records
            case ScopeKind.RUN:
                return self.name == subject.run_id

    @property
    def sentence(self) -> str:
        """The scope in words."""
        match self.kind:
            case ScopeKind.EVERYTHING:
                return "everything"
            case ScopeKind.VERSION:
                return f"agent version {self.name}"
            case ScopeKind.TYPE:
                return f"action type {self.name}"
            case _:
                return f"{self.kind.value} {self.name}"

    @property
    def agent(self) -> str:
        """The one agent that it is about; empty if it is not about one by its name."""
        if self.kind is ScopeKind.VERSION:
            return self.name.rpartition("@")[0]
        return self.name if self.kind is ScopeKind.AGENT else ""


def cause_kept(text: str, most: int = MAX_REASON) -> str:
    """A cause as it is kept: no pause fails because of the words that somebody typed or that an alarm brought.

    Half characters (lone surrogates) and NUL, which no database keeps, are replaced; what is too long is cut, and says
    so.

    Args:
        text: The words.
        most: Characters at most.
    """
    clean = text.encode("utf-8", "replace").decode().replace("\0", "␀")
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


class ResumeAnswers(BaseModel):
    """What somebody says who lets work go on.

    Attributes:
        cause: What the trouble was.
        changed: What was changed.
        checks: Which checks passed.
        at_once: All runs go at the same moment.
    """

    cause: str = Field(default="", max_length=MAX_REASON)
    changed: str = Field(default="", max_length=MAX_REASON)
    checks: list[str] = Field(default_factory=list, max_length=MAX_CHECKS)
    at_once: bool = False

    @property
    def sentence(self) -> str:
        """The answers on one line."""
        checks = f"Checked: {'; '.join(each.strip().rstrip('.') for each in self.checks)}" if self.checks else ""
        return " ".join(_sentence(part) for part in (self.cause, self.changed, checks) if part.strip())


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


class ResumeState(StrEnum):
    """What came of asking for a resume."""

    SECOND_WANTED = "second_wanted"
    RELEASING = "releasing"
    ENDED = "ended"


class PauseInput(BaseModel):
    """Input of the workflow ``Pause``: the row already exists and fences; the workflow makes it known and measured."""

    pause_id: str
    scope: Scope
    cause: str = ""
    by: Actor
    requested_at: datetime


class PauseProgress(BaseModel):
    """What an activity saw of a pause."""

    in_flight: int = 0
    """Claims in scope without an outcome."""
    resumed: bool = False
    told: int = 0
    """Runs that were woken."""
    quiesced: bool = False
    """At some moment nothing was under way."""
    disposition: Disposition = Disposition.FREEZE
    releasing: bool = False
    """It lets runs go on step by step."""
    compensating: int = 0
    """Runs whose rollback has not ended."""
    compensated: bool = False
    """The rollbacks of its runs were begun."""
    stage: str = ""
    """Step of letting runs go whose runs were woken."""


class RampLook(BaseModel):
    """A look at a pause that lets its runs go; ``told`` is the step whose runs were woken before."""

    pause: PauseInput
    told: str = ""


class ResumePause(BaseModel):
    """Signal to the workflow ``Pause``: the row was changed; look at once, and tell the runs."""

    id: str
    by: Actor
