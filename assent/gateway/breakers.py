"""The breakers of cards in force: what they are, how they stand, and how they are made ready to fire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pydantic import ValidationError
from sqlalchemy.orm import Session

from assent.domain.breakers import BreakerRule, Gauge, Measure
from assent.domain.breaking import judge, scope_name
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.errors import NotFound
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.targets import resource_named
from assent.gateway.cards import card_in_force
from assent.policy.approval_block import ON_CALL
from assent.policy.breakers_block import rule_of
from assent.policy.cards import AgentCard, Contact
from assent.store import recovering, samples, trips
from assent.store.breaking import Window, measured
from assent.store.queries.trips import TripView
from assent.store.samples import Sample
from assent.store.trips import Setting, Standing
from assent.store.waking import Woken


@dataclass(frozen=True)
class Armed:
    """An agent's breakers, as its card in force has them.

    Attributes:
        card: The card.
        version: Its version.
        types: The action types that it lists, as they were declared.
    """

    card: AgentCard
    version: int
    types: dict[str, ActionType]

    @cached_property
    def rules(self) -> tuple[BreakerRule, ...]:
        """The breakers, in the card's order."""
        return tuple(rule_of(block, self.types) for block in self.card.breakers)

    def scope(self, rule: BreakerRule, apart: str = "") -> Scope:
        """What a breaker pauses."""
        name = scope_name(rule, agent=self.card.name, version=self.version, apart=apart)
        return Scope(kind=rule.pause, name=name)

    def standings(self, session: Session, rule: BreakerRule, now: datetime) -> dict[str, Standing]:
        """How what a breaker paused stands, by run or record; by nothing for the whole."""
        whole = "" if rule.apart else self.scope(rule).name
        return trips.standings(session, self.card.name, rule, after=now - rule.within, whole=whole)

    def gauges(self, session: Session, rule: BreakerRule, standings: dict[str, Standing], now: datetime) -> list[Gauge]:
        """What a breaker measures now, the highest first; nothing counts from before its pause was let go."""
        released = {name: each.since for name, each in standings.items() if each.since is not None}
        window = Window(self.card.name, now, released, self._amounts, self._record)
        found = [
            judge(rule, count, releasing=count.scope in standings and standings[count.scope].releasing)
            for count in measured(session, rule, window)
        ]
        return sorted(found, key=lambda gauge: (-gauge.over, -gauge.value, gauge.scope))

    def setting(self, rule: BreakerRule, gauge: Gauge, since: datetime, channels: Sequence[str]) -> Setting:
        """What a trip needs to know."""
        scope = self.scope(rule, gauge.scope)
        return Setting(
            agent=self.card.name,
            version=self.version,
            rule=rule,
            scope=scope,
            since=since,
            known=self._known,
            fallback=self.fallbacks(scope),
            channels=channels,
        )

    def fallbacks(self, scope: Scope) -> list[dict[str, Json]]:
        """What the agent is told while a scope is paused, with the names it is for."""
        return [
            {"of": of, "say": each.sentence, "instead": each.instead, "then": each.then.value}
            for of, each in self.card.fallback.items()
            if _within(of, scope)
        ]

    @cached_property
    def _amounts(self) -> dict[str, tuple[str, str]]:
        return {name: (type.amount, type.currency) for name, type in self.types.items() if type.amount}

    @cached_property
    def _known(self) -> dict[str, tuple[Woken, ...]]:
        card = self.card
        contacts = {
            "business-owner": card.business_owner,
            "technical-owner": card.technical_owner,
            "model-steward": card.model_steward,
            "escalation": card.escalation,
        }
        known = {word: (_woken(contact),) for word, contact in contacts.items()}
        return known | {ON_CALL: tuple(Woken(email, email=email) for email in card.on_call)}

    def _record(self, type: str, arguments: Mapping[str, Json]) -> str:
        declared = self.types.get(type)
        target = declared.target if declared else None
        return resource_named(target.resource, arguments) if target and target.resource else ""


@dataclass(frozen=True, slots=True)
class BreakerView:
    """A breaker as people see it.

    Attributes:
        agent: Whose it is.
        version: Version of the card.
        rule: What it says.
        gauges: What it measures now, the highest first; each run or record by itself where it pauses those. Empty where
            it was not measured now.
        standings: What it paused that still holds, is being released or was let go lately.
        samples: What it measured before, oldest first.
    """

    agent: str
    version: int
    rule: BreakerRule
    gauges: tuple[Gauge, ...]
    standings: dict[str, Standing]
    samples: tuple[Sample, ...]

    @property
    def open_pauses(self) -> list[str]:
        """Pauses of it that are in force."""
        return [each.pause_id for each in self.standings.values() if each.holding or each.releasing]

    @property
    def state(self) -> str:
        """``holding``, ``releasing``, ``over`` (about to fire), ``quiet`` (too few cases) or ``well``."""
        if any(each.holding for each in self.standings.values()):
            return "holding"
        if any(each.releasing for each in self.standings.values()):
            return "releasing"
        if self.gauges:
            over = any(gauge.over for gauge in self.gauges)
            return "over" if over else "well" if any(gauge.enough for gauge in self.gauges) else "quiet"
        last = self.samples[-1] if self.samples else None
        if last is None or last.cases < self.rule.least:
            return "quiet"
        return "over" if last.value > last.threshold else "well"


def armed(session: Session, agent: str) -> Armed:
    """An agent's breakers.

    Raises:
        NotFound: There is no such agent.
    """
    found = card_in_force(session, agent)
    return Armed(found.card, found.version, found.types)


def views(session: Session, agent: str, now: datetime) -> list[BreakerView]:
    """An agent's breakers as they stand now, in the card's order.

    Raises:
        NotFound: There is no such agent.
    """
    found = armed(session, agent)
    return [_view(session, found, rule, now) for rule in found.rules]


def pictures(session: Session, agent: str, now: datetime) -> list[BreakerView]:
    """An agent's breakers with what was measured before, and nothing measured now: it costs the same for any agent.

    Raises:
        NotFound: There is no such agent.
    """
    found = armed(session, agent)
    return [_view(session, found, rule, now, live=False, pictured=True) for rule in found.rules]


def one(session: Session, agent: str, name: str, now: datetime) -> BreakerView:
    """One breaker with what it measured before.

    Raises:
        NotFound: There is no such agent, or its card has no such breaker.
    """
    found = armed(session, agent)
    for rule in found.rules:
        if rule.name == name:
            return _view(session, found, rule, now, pictured=True)
    raise NotFound(
        f"The card of {agent} has no breaker {name}.",
        where="breaker",
        todo=f"`assent breaker list {agent}` shows those it has.",
    )


def recovery(session: Session, trip: TripView) -> recovering.Recovery | None:
    """How the tool is whose health check made a hold that is in force, and what ends it; ``None`` for all others."""
    if trip.rule.measure is not Measure.PROBE:
        return None
    return recovering.look(session, trip.pause_id, _recover(session, trip))


def _recover(session: Session, trip: TripView) -> int:
    """Passed checks that end what a breaker holds, as the card in force has it; 0 where people have to."""
    try:
        rules = armed(session, trip.agent).rules
    except (NotFound, ValidationError):
        return 0
    return next((rule.recover for rule in rules if rule.name == trip.breaker), 0)


def _view(
    session: Session, found: Armed, rule: BreakerRule, now: datetime, *, live: bool = True, pictured: bool = False
) -> BreakerView:
    standings = found.standings(session, rule, now)
    return BreakerView(
        agent=found.card.name,
        version=found.version,
        rule=rule,
        gauges=tuple(found.gauges(session, rule, standings, now)) if live else (),
        standings=standings,
        samples=tuple(samples.of_breaker(session, found.card.name, rule.name)) if pictured else (),
    )


def _within(of: str, scope: Scope) -> bool:
    """Whether a fallback for a type or a connector can be met in a scope."""
    match scope.kind:
        case ScopeKind.TYPE:
            return of in (scope.name, scope.name.partition(".")[0])
        case ScopeKind.CONNECTOR:
            return of.partition(".")[0] == scope.name
        case _:
            return True


def _woken(contact: Contact) -> Woken:
    return Woken(contact.name, contact.email, contact.slack)
