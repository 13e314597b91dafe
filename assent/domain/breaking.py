"""Judging a breaker: its count held against its threshold, and said in words with figures."""

from __future__ import annotations

from datetime import timedelta

from assent.domain.breakers import BreakerRule, Count, Gauge, Measure
from assent.domain.money import money_text
from assent.domain.pauses import ScopeKind
from assent.domain.words import counted, lasting

_MINUTE = timedelta(minutes=1)
_VERBS = {
    Measure.ERRORS: "failed",
    Measure.REFUSALS: "were refused",
    Measure.UNKNOWN: "have an effect that nobody knows of",
}


def judge(rule: BreakerRule, count: Count, *, releasing: bool = False) -> Gauge:
    """Hold a count against a breaker's threshold.

    Args:
        rule: The breaker.
        count: What was counted.
        releasing: Its own pause is being released step by step: then a few cases are enough, as the half-open state
            of a circuit breaker has it (M. Nygard, *Release It!*, Pragmatic Bookshelf, 2007).
    """
    value = _value(rule, count)
    enough = count.cases >= (1 if releasing and rule.measure is not Measure.DRIFT else rule.least)
    return Gauge(
        scope=count.scope,
        value=value,
        threshold=rule.threshold,
        cases=count.cases,
        counted=count.counted,
        enough=enough,
        over=enough and value > rule.threshold,
        sentence=_sentence(rule, count),
        evidence=count.evidence,
        figures=count.figures,
    )


def allowed(rule: BreakerRule) -> str:
    """What a breaker lets pass, for people: ``at most 2 of the last 10 may fail``."""
    match rule.measure:
        case Measure.COST:
            return f"at most {_money(rule, rule.most)} in {lasting(rule.within)}"
        case Measure.RATE:
            return f"at most {rule.most:g} a minute, over {lasting(rule.within)}"
        case Measure.PROBE:
            return f"at most {counted(int(rule.most), 'failed check')} one after the other"
        case Measure.DRIFT:
            return (
                f"an index of {rule.most:g} at most, {lasting(rule.within)} against the {lasting(rule.baseline)} before"
            )
        case _:
            most = f"{rule.share:.0%}" if rule.share is not None else f"{rule.most:g}"
            return f"at most {most} of {_window(rule)}"


def ending(rule: BreakerRule) -> str:
    """What ends what a breaker holds, one sentence."""
    if not rule.recover:
        return "It stays so until somebody lets it go on."
    return f"It ends by itself when the health check has passed {counted(rule.recover, 'time')} one after the other."


def shown(rule: BreakerRule, value: float) -> str:
    """A value of a breaker's measure with its unit."""
    match rule.measure:
        case Measure.COST:
            return _money(rule, value)
        case Measure.RATE:
            return f"{value:g} a minute"
        case Measure.DRIFT:
            return f"{value:.2f}"
        case _:
            return f"{value:.0%}" if rule.share is not None else f"{value:g}"


def subject(rule: BreakerRule, number: int = 2) -> str:
    """What a breaker is about: ``“Give store credit” actions``."""
    noun = "action" if number == 1 else "actions"
    if not rule.of:
        return noun
    return f"“{rule.titles.get(rule.of, rule.of)}” {noun}"


def _value(rule: BreakerRule, count: Count) -> float:
    if not rule.measure.counts:
        return count.amount
    if rule.share is None:
        return float(count.counted)
    return count.counted / count.cases if count.cases else 0.0


def _sentence(rule: BreakerRule, count: Count) -> str:
    where = f" of the {rule.pause.value} {count.scope}" if count.scope else ""
    match rule.measure:
        case Measure.COST:
            moved = f"{_money(rule, count.amount)} moved by {counted(count.cases, 'action')}"
            what = f" of “{rule.titles.get(rule.of, rule.of)}”" if rule.of else ""
            return f"{moved}{what}{where} in the last {lasting(rule.within)}, at most {_money(rule, rule.most)} may."
        case Measure.RATE:
            over = "minute" if rule.within == _MINUTE else lasting(rule.within)
            begun = f"{counted(count.cases, 'effect')}{_of(rule)}{where} in the last {over}"
            rate = "" if rule.within == _MINUTE else f", {count.amount:g} a minute"
            return f"{begun}{rate}; at most {rule.most:g} a minute may be."
        case Measure.PROBE:
            failed = f"failed its health check {counted(count.cases, 'time')} one after the other"
            why = f" ({count.said})" if count.said else ""
            return f"The connector {rule.of} {failed}{why}, at most {rule.most:g} may."
        case Measure.DRIFT:
            against = f"against {count.figures.get('before', 0)} of the {lasting(rule.baseline)} before"
            return (
                f"The values of {rule.argument} in {count.cases:,} {subject(rule)} of the last "
                f"{lasting(rule.within)} have a stability index of {count.amount:.2f} {against}, "
                f"at most {rule.most:g} may be."
            )
        case _:
            most = f"{rule.share:.0%}" if rule.share is not None else f"{rule.most:g}"
            share = f" ({count.counted / count.cases:.0%})" if rule.share is not None and count.cases else ""
            verb = _VERBS[rule.measure].replace("were", "was").replace("have", "has") if count.counted == 1 else ""
            return (
                f"{count.counted:,} of {_these(rule, count)}{where} {verb or _VERBS[rule.measure]}{share}, "
                f"at most {most} may."
            )


def _these(rule: BreakerRule, count: Count) -> str:
    if rule.last is not None:
        return f"the last {count.cases:,} {subject(rule, count.cases)}"
    return f"{count.cases:,} {subject(rule, count.cases)} in the last {lasting(rule.within)}"


def _window(rule: BreakerRule) -> str:
    within = lasting(rule.within)
    return (
        f"the last {rule.last:,} {subject(rule)} in {within}"
        if rule.last is not None
        else f"{subject(rule)} in {within}"
    )


def _of(rule: BreakerRule) -> str:
    return f" of “{rule.titles.get(rule.of, rule.of)}”" if rule.of else ""


def _money(rule: BreakerRule, amount: float) -> str:
    return money_text(amount, rule.currency) or f"{amount:g}"


def scope_name(rule: BreakerRule, *, agent: str, version: int, apart: str = "") -> str:
    """The name of what a breaker pauses."""
    match rule.pause:
        case ScopeKind.EVERYTHING:
            return ""
        case ScopeKind.AGENT:
            return agent
        case ScopeKind.VERSION:
            return f"{agent}@{version}"
        case ScopeKind.TYPE:
            return rule.of
        case ScopeKind.CONNECTOR:
            return rule.of.partition(".")[0]
        case _:
            return apart
