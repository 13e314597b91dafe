"""Circuit breakers: what is measured of an agent, when that is too much, and what stops then."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from assent.domain.canonical import Json
from assent.domain.pauses import Disposition, ScopeKind

MOST_EVIDENCE = 20
"""Actions that a trip names; its figures count all of them."""

MOST_RECOVER = 100
"""Passed health checks that a card can ask for; so many are counted one after the other."""


class Measure(StrEnum):
    """What a breaker looks at.

    ``errors`` are actions that were tried and failed, ``refusals`` those that rules or people refused, ``unknown``
    effects of which nobody knows whether they happened; each of those that came to an end. ``cost`` is money moved,
    ``rate`` effects begun in a minute, ``probe`` health checks of a connector that failed one after the other,
    ``drift`` how far an argument's values are from what they were before (population stability index).
    """

    ERRORS = "errors"
    REFUSALS = "refusals"
    UNKNOWN = "unknown"
    COST = "cost"
    RATE = "rate"
    PROBE = "probe"
    DRIFT = "drift"

    @property
    def counts(self) -> bool:
        """It counts cases of one kind among others, so that it may be a share of them."""
        return self in (Measure.ERRORS, Measure.REFUSALS, Measure.UNKNOWN)


class BreakerRule(BaseModel):
    """A breaker as the watch needs it, with every default filled in.

    Attributes:
        name: Its name in the card.
        measure: What it looks at.
        of: An action type, a connector, or empty for everything that the agent does.
        types: The action types that it counts.
        within: How far it looks back.
        last: The newest so many cases within that only; ``None`` for all.
        most: The most that is fine: cases, money, effects a minute, failed checks, or the index.
        share: The greatest share of the cases that is fine, 0 to 1; ``None`` if ``most`` says it.
        least: With fewer cases it stays quiet.
        currency: Whose money is counted.
        argument: Name of the argument whose drift is measured.
        baseline: How far before ``within`` the values lie that it is compared with.
        pause: What stops.
        disposition: What becomes of the work in it.
        wake: Whom it wakes: words of the card, addresses, groups, ``role:…`` or a Slack channel.
        because: What it is for, in the owner's words.
        recover: Passed health checks one after the other that end what it holds by itself; 0 leaves that to people.
        titles: Names of action types for people.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    measure: Measure
    of: str = ""
    types: tuple[str, ...] = ()
    within: timedelta = timedelta(hours=1)
    last: int | None = None
    most: float = 0.0
    share: float | None = None
    least: int = 1
    currency: str = ""
    argument: str = ""
    baseline: timedelta = timedelta(0)
    pause: ScopeKind = ScopeKind.AGENT
    disposition: Disposition = Disposition.FREEZE
    wake: tuple[str, ...] = ("escalation",)
    because: str = ""
    recover: int = 0
    titles: dict[str, str] = Field(default_factory=dict)

    @property
    def threshold(self) -> float:
        """What the measured value must not exceed."""
        return self.most if self.share is None else self.share

    @property
    def apart(self) -> bool:
        """Each run or each record is measured by itself."""
        return self.pause in (ScopeKind.RUN, ScopeKind.RECORD)


class Count(BaseModel):
    """What was counted for one breaker, of the whole or of one run or record.

    Attributes:
        scope: The run or the record; empty for the whole.
        cases: Cases looked at.
        counted: Those that count against it.
        amount: Money, effects a minute, or the index.
        evidence: Ids of actions, newest first, at most :data:`MOST_EVIDENCE`.
        said: What else people should read, the error of a health check say.
        figures: Further figures, for the record.
    """

    scope: str = ""
    cases: int = 0
    counted: int = 0
    amount: float = 0.0
    evidence: list[str] = Field(default_factory=list)
    said: str = ""
    figures: dict[str, Json] = Field(default_factory=dict)


class Gauge(BaseModel):
    """A breaker's measure held against its threshold.

    Attributes:
        scope: The run or the record; empty for the whole.
        value: The measured value.
        threshold: What it must not exceed.
        cases: Cases it is of.
        counted: Those that count against it.
        enough: There are enough cases to say something.
        over: It exceeds the threshold, with enough cases: the breaker fires.
        sentence: All of it in words.
        evidence: Ids of actions, newest first.
        figures: Further figures, for the record.
    """

    scope: str = ""
    value: float
    threshold: float
    cases: int
    counted: int
    enough: bool
    over: bool
    sentence: str
    evidence: list[str] = Field(default_factory=list)
    figures: dict[str, Json] = Field(default_factory=dict)
