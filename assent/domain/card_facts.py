"""Facts that a request shows besides the call itself. Data only: no wording that depends on the time of day."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, Field


class Target(BaseModel):
    """The record that an action is about.

    Attributes:
        words: As people call it.
        resource: Its stable name; empty if it is not known.
    """

    words: str
    resource: str = ""


class Reached(BaseModel):
    """How many of something an action reaches.

    Attributes:
        unit: The noun for many.
        one: The noun for one.
        count: How many.
    """

    unit: str
    one: str
    count: float


class UndoFacts(BaseModel):
    """How an effect is taken back.

    Attributes:
        how: In words.
        only_if: What must still hold.
        within: How long after the effect it can be done; ``None`` is without limit.
    """

    how: str
    only_if: str
    within: timedelta | None = None


class Received(BaseModel):
    """What an agent was given to start with, as text.

    Attributes:
        text: Its beginning, or all of it.
        left_out: Characters that are not here; the run's page has them.
    """

    text: str
    left_out: int = 0


class Reading(BaseModel):
    """One thing that the agent looked at in its run before it proposed.

    Attributes:
        key: The reading action's key in the run.
        sentence: What it did, in words.
        resource: Stable name of the record, if its type declares one.
        at: When it was proposed.
    """

    key: str
    sentence: str
    resource: str = ""
    at: datetime


class LookedAt(BaseModel):
    """What the agent looked at.

    Attributes:
        readings: The newest few, oldest of them first.
        total: How many readings there were.
        at_least: ``total`` is where counting stopped.
    """

    readings: list[Reading] = Field(default_factory=list)
    total: int = 0
    at_least: bool = False


class EarlierDecision(BaseModel):
    """What became of an earlier request for the same kind of action on the same record.

    Attributes:
        approval_id: That request.
        headline: What would have happened, or did.
        verdict: Approved, rejected, expired, withdrawn.
        by: Who decided; empty if nobody did.
        reason: Their reason.
        at: When it was closed.
    """

    approval_id: str
    headline: str
    verdict: str
    by: str = ""
    reason: str = ""
    at: datetime


class Deciders(BaseModel):
    """Who decides a request, in words.

    Attributes:
        needs: Who must approve, one sentence.
        not_by: Who must not, one sentence; empty if nobody is kept from it.
        deny: What rejects it, one sentence; empty for the usual: one rejection.
        assurance: How sure it must be who decides, one sentence; empty if any way of deciding will do.
    """

    needs: str
    not_by: str = ""
    deny: str = ""
    assurance: str = ""
