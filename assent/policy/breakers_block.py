"""The ``breakers`` and ``fallback`` blocks of a card: when an agent is paused by itself, and what it is told then."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from assent.domain.breakers import MOST_RECOVER, BreakerRule, Measure
from assent.domain.catalogue import ActionType
from assent.domain.pauses import Disposition, ScopeKind
from assent.policy.approval_block import Strict, approver
from assent.policy.durations import Duration

MOST_BREAKERS = 30
"""Breakers of a card."""

MOST_LAST = 10_000
"""Newest cases that a breaker looks at by ``last``."""

_LONGEST = timedelta(days=30)
_DEFAULT_WITHIN = {Measure.RATE: timedelta(minutes=1), Measure.DRIFT: timedelta(days=1)}
_DEFAULT_LEAST = {Measure.DRIFT: 100}
_LEAST_DRIFT = 30
_CHANNEL = re.compile(r"[#CG][\w.-]{1,80}")
_OF = r"^([a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*)?$"
_APART = (ScopeKind.RUN, ScopeKind.RECORD)


def _woken(value: str) -> str:
    return value if value.startswith("#") and _CHANNEL.fullmatch(value) else approver(value)


Woken = Annotated[str, AfterValidator(_woken)]


class BreakerBlock(Strict):
    """One breaker.

    Attributes:
        name: Its name, unique in the card; lower-case words joined by hyphens.
        measure: What it looks at, see :class:`assent.domain.breakers.Measure`.
        of: An action type of the card, or a connector; everything that the agent does if left out.
        within: How far it looks back: ten seconds to 30 days. One hour if left out; a minute for ``rate``, a day for
            ``drift``.
        last: Only the newest so many cases within that.
        most: The most that is fine.
        share: The greatest share of the cases that is fine, instead of ``most``.
        least: With fewer cases it stays quiet; ten for a share, 100 for drift, else one.
        currency: Whose money ``cost`` counts; needed where the types know more than one.
        argument: Whose values ``drift`` compares.
        baseline: How far before ``within`` the values lie that ``drift`` compares with.
        pause: What stops: ``agent``, ``version``, ``type``, ``connector``, ``run``, ``record`` or ``everything``.
        disposition: What becomes of the work in it.
        wake: Whom it wakes; the card's escalation contact if left out.
        because: What it is for.
        recover: So many passed health checks one after the other, and the fallback ends by itself; only for ``probe``.
            If left out, a person lets it go on.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)
    measure: Measure
    of: str = Field(default="", pattern=_OF, max_length=80)
    within: Duration | None = Field(default=None, ge=timedelta(seconds=10), le=_LONGEST)
    last: int | None = Field(default=None, ge=1, le=MOST_LAST)
    most: float | None = Field(default=None, ge=0, le=1e15)
    share: float | None = Field(default=None, ge=0, lt=1)
    least: int | None = Field(default=None, ge=1, le=1_000_000)
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    argument: str = ""
    baseline: Duration | None = Field(default=None, ge=timedelta(minutes=1), le=timedelta(days=365))
    pause: ScopeKind | None = None
    disposition: Disposition = Disposition.FREEZE
    wake: list[Woken] = Field(default_factory=lambda: ["escalation"], min_length=1, max_length=10)
    because: str = Field(default="", max_length=500)
    recover: int | None = Field(default=None, ge=1, le=MOST_RECOVER)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for fault in self._faults():
            raise ValueError(f"the breaker {self.name} {fault}")
        return self

    def _faults(self) -> Iterable[str]:
        measure, drift = self.measure, self.measure is Measure.DRIFT
        if (self.most is None) == (self.share is None):
            yield "needs `most`, or `share` for a part of the cases, and not both"
        if self.share is not None and not measure.counts:
            yield f"measures {measure.value}, which is no share of anything; use `most`"
        if self.last is not None and not measure.counts:
            yield f"measures {measure.value}, which looks at a time and not at the last cases; use `within`"
        if drift != bool(self.argument) or drift != (self.baseline is not None):
            yield "needs `argument` and `baseline` if it measures drift, and only then"
        if self.currency and measure is not Measure.COST:
            yield "has a currency, but does not measure cost"
        if drift and self.least is not None and self.least < _LEAST_DRIFT:
            yield f"needs at least {_LEAST_DRIFT} cases for drift; fewer drift by chance"
        if drift and "." not in self.of:
            yield "measures the drift of an argument, so `of` names one action type"
        if measure is Measure.PROBE:
            yield from self._probe_faults()
        elif self.recover is not None:
            yield f"measures {measure.value}; only what a health check stopped can end by itself, leave out `recover`"
        if self.scope is ScopeKind.LABEL:
            yield "cannot pause a label"
        if self.scope in _APART and (drift or measure is Measure.PROBE):
            yield f"cannot measure {measure.value} for each {self.scope.value}"
        if self.scope is ScopeKind.TYPE and "." not in self.of:
            yield "pauses a type, so `of` names one"
        if self.scope is ScopeKind.CONNECTOR and not self.of:
            yield "pauses a connector, so `of` names it or one of its types"

    def _probe_faults(self) -> Iterable[str]:
        if not self.of or "." in self.of:
            yield "measures the health of a connector, so `of` names one"
        if self.within is not None or self.least is not None:
            yield "counts failed checks one after the other; it has no `within` and no `least`"
        if self.most is not None and self.most != int(self.most):
            yield "counts failed checks; `most` is a whole number"
        if self.recover is not None and (
            self.scope is not ScopeKind.CONNECTOR or self.disposition is not Disposition.FREEZE
        ):
            yield "has `recover`, so it holds its connector and nothing else; leave out `pause` and `disposition`"

    @property
    def scope(self) -> ScopeKind:
        """What stops: the agent if the card does not say, the connector where its health is measured."""
        return self.pause or (ScopeKind.CONNECTOR if self.measure is Measure.PROBE else ScopeKind.AGENT)

    def types_in(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of some action types that it counts."""
        return tuple(sorted(name for name in names if not self.of or self.of in (name, name.partition(".")[0])))


class Then(StrEnum):
    """What becomes of an action whose tool is down."""

    REFUSE = "refuse"
    HOLD = "hold"


class Fallback(Strict):
    """What an agent is told instead of a try while a breaker holds an action type or a connector.

    Attributes:
        say: The text.
        instead: Another action type of the card that it may propose.
        then: Refuse the action, so that the agent goes on without it, or hold it until work is resumed.
    """

    say: str = Field(min_length=1, max_length=2_000)
    instead: str = ""
    then: Then = Then.REFUSE

    @property
    def sentence(self) -> str:
        """All of it in words."""
        later = "" if self.then is Then.REFUSE else " It is held until work is resumed."
        return f"{self.say}{f' Propose {self.instead} instead.' if self.instead else ''}{later}"


def fallback_for(fallbacks: Mapping[str, Fallback], action_type: str) -> Fallback | None:
    """The fallback of an action type: its own, else its connector's."""
    return fallbacks.get(action_type) or fallbacks.get(action_type.partition(".")[0])


def card_faults(
    breakers: Iterable[BreakerBlock], fallbacks: Mapping[str, Fallback], actions: Iterable[str]
) -> Iterable[str]:
    """How breakers and fallbacks contradict the rest of their card."""
    listed = set(actions)
    named = listed | {name.partition(".")[0] for name in listed}
    names = [each.name for each in breakers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"breakers: {name} is there twice; each needs a name of its own"
    for each in breakers:
        if each.of and each.of not in named:
            yield f"breakers: {each.name} is of {each.of}, which is neither an action type of the card nor a connector"
        own = [name for name in listed if name.partition(".")[0] == each.of]
        if each.recover is not None and not all(fallback_for(fallbacks, name) for name in own):
            yield (
                f"breakers: {each.name} has `recover`, which ends a fallback, and not each action type of {each.of} "
                "has one; write it, or leave out `recover` so that a person lets work go on"
            )
    for of, fallback in fallbacks.items():
        if of not in named:
            yield f"fallback: {of} is neither an action type of the card nor the connector of one"
        if fallback.instead and fallback.instead not in listed:
            yield f"fallback: {of} names {fallback.instead}, which is not among the card's actions"
        if fallback.instead == of or (fallback.instead and fallback.then is Then.HOLD):
            yield f"fallback: {of} cannot be held, or be itself, and have something else instead"


def rule_of(block: BreakerBlock, types: Mapping[str, ActionType]) -> BreakerRule:
    """A breaker with every default filled in.

    Args:
        block: As the card says it.
        types: The card's action types as they were declared when it was published.
    """
    counted = block.types_in(types)
    default_least = 10 if block.share is not None else _DEFAULT_LEAST.get(block.measure, 1)
    return BreakerRule(
        name=block.name,
        measure=block.measure,
        of=block.of,
        types=counted,
        within=block.within or _DEFAULT_WITHIN.get(block.measure, timedelta(hours=1)),
        last=block.last,
        most=block.most or 0.0,
        share=block.share,
        least=block.least or default_least,
        currency=block.currency or next(iter(sorted(_currencies(counted, types))), ""),
        argument=block.argument,
        baseline=block.baseline or timedelta(0),
        pause=block.scope,
        disposition=block.disposition,
        wake=tuple(block.wake),
        because=block.because,
        recover=block.recover or 0,
        titles={name: types[name].title for name in counted},
    )


def catalogue_faults(
    breakers: Iterable[BreakerBlock], types: Mapping[str, ActionType], probed: Iterable[str] | None
) -> list[str]:
    """What breakers ask for that their action types and connectors do not have, one sentence each.

    Args:
        breakers: Of one card.
        types: The card's action types.
        probed: Connectors that can say how they are; ``None`` if that is not known here.
    """
    known = None if probed is None else frozenset(probed)
    return [fault for each in breakers for fault in _catalogue_faults(each, types, known)]


def _catalogue_faults(
    block: BreakerBlock, types: Mapping[str, ActionType], probed: frozenset[str] | None
) -> Iterable[str]:
    counted = block.types_in(types)
    who = f"The breaker {block.name}"
    if not counted:
        yield f"{who} is of {block.of}, which is neither an action type of the card nor the connector of one."
        return
    if block.measure is Measure.PROBE and probed is not None and block.of not in probed:
        yield f"{who} asks for the health of {block.of}, a connector that has no health check."
    if block.measure is Measure.COST:
        yield from _money_faults(block, counted, types)
    if block.measure is Measure.DRIFT and block.argument not in types[counted[0]].arguments.get("properties", {}):
        yield f"{who} compares the argument {block.argument}, which {counted[0]} does not declare."
    if block.measure is Measure.DRIFT and block.argument in types[counted[0]].secrets:
        yield f"{who} compares the argument {block.argument}, which is a secret."
    if block.scope is ScopeKind.RECORD:
        nameless = [name for name in counted if not (target := types[name].target) or not target.resource]
        if nameless:
            yield f"{who} is for each record, but {', '.join(nameless)} does not say which record it is about."


def _money_faults(block: BreakerBlock, counted: tuple[str, ...], types: Mapping[str, ActionType]) -> Iterable[str]:
    if not any(types[name].amount for name in counted):
        yield f"The breaker {block.name} counts money, but none of its action types declares an amount."
        return
    currencies = _currencies(counted, types)
    told = any(types[name].currency.startswith("{") for name in counted if types[name].amount)
    if not block.currency and (told or len(currencies) > 1):
        yield f"The breaker {block.name} needs a `currency`: its action types move money in more than one."
    if block.currency and not told and block.currency not in currencies:
        names = ", ".join(sorted(currencies)) or "no currency"
        yield f"The breaker {block.name} counts {block.currency}; its action types declare {names}."


def _currencies(counted: Iterable[str], types: Mapping[str, ActionType]) -> set[str]:
    """Codes that the types with an amount declare; where an argument says it there is none."""
    found = {types[name].currency for name in counted if types[name].amount}
    return {code for code in found if code and not code.startswith("{")}
