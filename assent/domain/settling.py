"""Settling: finding out what became of an effect that nobody knows about.

The connector is asked first (*reconciling*); what it cannot say, a person finds out and answers. Either way the effect
becomes done or failed, once, and the run is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.actions import ActionStatus
from assent.domain.effects import EffectStatus, ResourceChange
from assent.domain.people import Actor

MAX_NOTE = 4_000
"""Characters of the note that a person gives with an answer."""

MAX_REFERENCE = 200
"""Characters of a reference: what the other system calls it."""

MAX_CHANGES = 200
"""Records that a person may name as changed."""

ASK_AFTER = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Pauses before the looks that workers take by themselves: one after each, then only people ask."""


class SettledBy(StrEnum):
    """Who said what became of an effect."""

    CONNECTOR = "connector"
    PERSON = "person"


class Settlement(BaseModel):
    """A person's answer to what became of an effect.

    Attributes:
        id: Unique id of the answer.
        action_id: The action.
        by: Who answers.
        happened: Whether it happened.
        note: How they found out; at most :data:`MAX_NOTE` characters.
        reference: What the other system calls it, if it happened; at most :data:`MAX_REFERENCE` characters.
        changes: Records it changed, as far as known; empty leaves those that were foreseen.
    """

    id: str
    action_id: str
    by: Actor
    happened: bool
    note: str = Field(min_length=1, max_length=MAX_NOTE)
    reference: str = Field(default="", max_length=MAX_REFERENCE)
    changes: list[ResourceChange] = Field(default_factory=list, max_length=MAX_CHANGES)


class Reconcile(BaseModel):
    """Ask the connector what became of an effect."""

    action_id: str
    by: Actor


class RetryEffect(BaseModel):
    """Try an action again of which it is settled that it did not happen."""

    action_id: str
    by: Actor


class SettlingRequest(BaseModel):
    """Input of the workflow ``Settling``: exactly one of its parts is given."""

    reconcile: Reconcile | None = None
    settlement: Settlement | None = None
    retry: RetryEffect | None = None

    @property
    def action_id(self) -> str:
        """The action."""
        part = self.reconcile or self.settlement or self.retry
        return part.action_id if part else ""


class Reconciled(BaseModel):
    """What is known of an effect now.

    Attributes:
        action_id: The action.
        status: What the effect is now; unknown if the connector could not say, ``None`` if there is no effect.
        settled: Whether this call settled it; false if it still is unknown, or was settled before.
        by: Who said it, if it is settled.
        said: What the connector said, or who settled it and when, in words.
        refused: Why nothing was done; empty if it was.
    """

    action_id: str
    status: EffectStatus | None
    settled: bool = False
    by: SettledBy | None = None
    said: str = ""
    refused: str = ""


class EffectSettled(BaseModel):
    """Signal to a run: an effect that it took for unknown has an outcome, or an action is tried again.

    Attributes:
        id: Unique id of the message.
        key: The action's key within the run.
        was: What the run was told of the action before.
        now: What it is.
        at: When.
    """

    id: str
    key: str
    was: ActionStatus
    now: ActionStatus
    at: datetime
