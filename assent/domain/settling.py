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

ASK_AFTER = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""Pauses between the looks that workers take by themselves: one after each, then only people ask."""


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

    id: str
    action_id: str
    by: Actor


class Reconciled(BaseModel):
    """What is known of an effect now.

    Attributes:
        action_id: The action.
        status: What the effect is now; unknown if the connector could not say.
        settled: Whether this call settled it; false if it still is unknown, or was settled before.
        by: Who settled it, if anybody did.
        said: What the connector said, or who settled it, in words.
    """

    action_id: str
    status: EffectStatus
    settled: bool = False
    by: SettledBy | None = None
    said: str = ""


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
