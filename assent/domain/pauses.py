"""Pauses: the kill switch, its scopes and its life."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.people import Actor


class ScopeKind(StrEnum):
    """What a pause covers."""

    EVERYTHING = "everything"
    AGENT = "agent"
    RUN = "run"


class Scope(BaseModel):
    """A scope: its kind, and the name of the agent or the run's id (empty for everything)."""

    kind: ScopeKind
    name: str = Field(default="", max_length=200)

    def covers(self, *, agent: str, run_id: str) -> bool:
        """Whether a run of this agent is in scope."""
        match self.kind:
            case ScopeKind.EVERYTHING:
                return True
            case ScopeKind.AGENT:
                return self.name == agent
            case ScopeKind.RUN:
                return self.name == run_id

    @property
    def sentence(self) -> str:
        """The scope in words."""
        return "everything" if self.kind is ScopeKind.EVERYTHING else f"{self.kind.value} {self.name}"


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


class ResumePause(BaseModel):
    """Signal to the workflow ``Pause``: the row was resumed; tell the runs."""

    id: str
    by: Actor
