"""What goes out of the API about breakers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from assent.domain.breakers import BreakerRule, Gauge, Measure
from assent.domain.breaking import allowed
from assent.domain.pauses import Disposition, ScopeKind
from assent.gateway.breakers import BreakerView
from assent.store.queries.trips import TripView
from assent.store.trips import TripKind
from assent_ui.api.schemas import Out


class RuleOut(Out):
    """A breaker as its card says it, with every default filled in; times in seconds."""

    name: str
    measure: Measure
    of: str
    types: list[str]
    within_seconds: float
    last: int | None
    most: float | None
    share: float | None
    least: int
    currency: str
    argument: str
    baseline_seconds: float
    pause: ScopeKind
    disposition: Disposition
    wake: list[str]
    because: str
    recover: int
    allowed: str

    @classmethod
    def of_rule(cls, rule: BreakerRule) -> RuleOut:
        """A rule in words and figures."""
        kept = rule.model_dump(exclude={"within", "baseline", "titles", "most", "types", "wake"})
        return cls(
            **kept,
            types=list(rule.types),
            wake=list(rule.wake),
            most=rule.most if rule.share is None else None,
            within_seconds=rule.within.total_seconds(),
            baseline_seconds=rule.baseline.total_seconds(),
            allowed=allowed(rule),
        )


class GaugeOut(Out):
    """What a breaker measures now, of the whole or of one run or record."""

    scope: str
    value: float
    threshold: float
    cases: int
    counted: int
    enough: bool
    over: bool
    sentence: str
    evidence: list[str]
    figures: dict[str, Any]

    @classmethod
    def of(cls, gauge: Gauge) -> GaugeOut:
        """A gauge."""
        return cls.model_validate(gauge.model_dump())


class SampleOut(Out):
    """What was measured at one time."""

    at: datetime
    value: float
    threshold: float
    cases: int


class BreakerOut(Out):
    """A breaker as it stands: `state` is holding, releasing, over (about to fire), well, or quiet (too few cases)."""

    agent: str
    card_version: int
    rule: RuleOut
    state: str
    pauses: list[str]
    gauges: list[GaugeOut]
    samples: list[SampleOut]

    @classmethod
    def of(cls, view: BreakerView) -> BreakerOut:
        """A breaker."""
        return cls(
            agent=view.agent,
            card_version=view.version,
            rule=RuleOut.of_rule(view.rule),
            state=view.state,
            pauses=view.open_pauses,
            gauges=[GaugeOut.of(gauge) for gauge in view.gauges[:MOST_GAUGES]],
            samples=[SampleOut.model_validate(sample) for sample in view.samples],
        )


class BreakersOut(Out):
    """An agent's breakers, in the card's order."""

    items: list[BreakerOut]


class WokenOut(Out):
    """Somebody who was woken."""

    name: str
    email: str
    slack: str


_AS_IN_VIEW = (
    *("id", "agent", "breaker", "card_version", "kind", "disposition", "pause_id", "cause", "measured"),
    *("threshold", "cases", "counted", "since", "at", "figures"),
)


class TripOut(Out):
    """One time that a breaker fired, with its rule and figures as they were."""

    id: str
    agent: str
    breaker: str
    card_version: int
    kind: TripKind
    scope_kind: ScopeKind
    scope_name: str
    disposition: Disposition
    pause_id: str
    cause: str
    measured: float
    threshold: float
    cases: int
    counted: int
    since: datetime
    at: datetime
    rule: RuleOut
    figures: dict[str, Any]
    evidence: list[str]
    fallback: list[dict[str, Any]]
    woken: list[WokenOut]

    @classmethod
    def of(cls, trip: TripView) -> TripOut:
        """A trip."""
        return cls(
            **{name: getattr(trip, name) for name in _AS_IN_VIEW},
            scope_kind=trip.scope.kind,
            scope_name=trip.scope.name,
            rule=RuleOut.of_rule(trip.rule),
            evidence=list(trip.evidence),
            fallback=list(trip.fallback),
            woken=[WokenOut.model_validate(each) for each in trip.woken],
        )


class HealthOut(Out):
    """How a connector was when it was asked last; `failures` and `passes` count checks one after the other."""

    connector: str
    well: bool
    failures: int
    error: str
    asked_at: datetime
    since: datetime
    passes: int


class HealthsOut(Out):
    """Connectors whose health somebody asks for, by name."""

    items: list[HealthOut]


MOST_GAUGES = 20
"""Runs or records of a breaker that are told, the highest first."""
