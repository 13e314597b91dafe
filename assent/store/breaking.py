"""Counting for breakers, from the tables of actions and effects, by their indexes.

Nothing here is called where an action runs: a watch asks, every second or so, and pages do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, not_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.breakers import MOST_EVIDENCE, BreakerRule, Count, Measure
from assent.domain.canonical import Json
from assent.domain.drift import expected_by_chance, stability_index
from assent.domain.effects import EffectStatus
from assent.domain.pauses import ScopeKind
from assent.store import health
from assent.store.tables import ActionRow, EffectRow

MOST_APART = 5_000
"""Newest cases that are looked at where each run or record is measured by itself."""

NEWEST_DRIFT, BEFORE_DRIFT = 1_000, 5_000
"""Newest actions whose arguments are compared, and newest of those before that they are compared with."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)

_S = ActionStatus
_TRIED = (_S.DONE, _S.UNDONE, _S.FAILED, _S.UNKNOWN)
_ENDED = (*_TRIED, _S.REFUSED, _S.REJECTED, _S.SUGGESTED, _S.EXPIRED, _S.WITHDRAWN)
_CASES = {Measure.ERRORS: _TRIED, Measure.UNKNOWN: _TRIED, Measure.REFUSALS: _ENDED}
_AGAINST = {
    Measure.ERRORS: (_S.FAILED,),
    Measure.UNKNOWN: (_S.UNKNOWN,),
    Measure.REFUSALS: (_S.REFUSED, _S.REJECTED),
}
_BY_FALLBACK = '%"rule": "fallback"%'
"""In the reasons of an action that was refused because its tool was down, which says nothing against the agent."""

RecordOf = Callable[[str, Mapping[str, Json]], str]
"""The record that an action of a type with these arguments is about; empty if they do not say it."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at.

    Attributes:
        agent: Whose actions.
        now: The end of the time looked back over.
        released: When what it paused was let go, by run or record, empty for the whole: nothing before that counts.
        amounts: The argument with the money, and the currency or the argument that says it, by action type.
        record_of: Says which record an action is about.
    """

    agent: str
    now: datetime
    released: Mapping[str, datetime] = field(default_factory=dict)
    amounts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    record_of: RecordOf = lambda type, arguments: ""

    def begin(self, rule: BreakerRule) -> datetime:
        """Since when a breaker counts."""
        return max(self.now - rule.within, self.released.get("", LONG_AGO))


def measured(session: Session, rule: BreakerRule, window: Window) -> list[Count]:
    """What a breaker counts: one count of the whole, or one for each run or record that has any."""
    if rule.measure is Measure.PROBE:
        return [_health(session, rule)]
    if rule.measure is Measure.DRIFT:
        return [_drift(session, rule, window)]
    if rule.apart:
        return _apart(session, rule, window)
    if rule.measure is Measure.COST:
        return [_cost(session, rule, window)]
    if rule.measure is Measure.RATE:
        return [_rate(session, rule, window)]
    return [_cases(session, rule, window)]


def _cases(session: Session, rule: BreakerRule, window: Window) -> Count:
    against = _against(rule)
    ended = select(against.label("against"), col(ActionRow.action_id), col(ActionRow.settled_at)).where(
        _settled(rule, window), col(ActionRow.status).in_([status.value for status in _CASES[rule.measure]])
    )
    if rule.last is not None:
        ended = ended.order_by(col(ActionRow.settled_at).desc(), col(ActionRow.action_id).desc()).limit(rule.last)
    found = ended.subquery()
    cases, counted = session.execute(
        select(func.count(), func.coalesce(func.sum(found.c.against), 0)).select_from(found)
    ).one()
    counted = int(counted)
    newest = select(found.c.action_id).where(found.c.against == 1).order_by(found.c.settled_at.desc())
    evidence = session.execute(newest.limit(MOST_EVIDENCE)).scalars() if counted else ()
    return Count(cases=cases, counted=counted, evidence=list(evidence))


def _rate(session: Session, rule: BreakerRule, window: Window) -> Count:
    number, evidence = 0, list[str]()
    for which in _begun(rule, window):
        begun = select(col(EffectRow.action_id)).where(which)
        number += session.execute(select(func.count()).select_from(begun.subquery())).scalar_one()
        newest = begun.order_by(col(EffectRow.finished_at).desc()).limit(MOST_EVIDENCE)
        evidence += session.execute(newest).scalars() if number else ()
    amount = _per_minute(rule, number)
    return Count(cases=number, counted=number, amount=amount, evidence=evidence[:MOST_EVIDENCE])


def _cost(session: Session, rule: BreakerRule, window: Window) -> Count:
    amounts = _amounts(rule, window)
    cases, total = 0, 0.0
    for type, wanted in amounts.items():
        # Money that goes the other way is money moved as well; it must not make room for more.
        amount = func.abs(_number(session, wanted[0]))
        paid = select(func.count(amount), func.coalesce(func.sum(amount), 0.0)).where(
            _paid(rule, window, type, wanted[1])
        )
        number, moved = session.execute(paid).one()
        cases, total = cases + number, total + float(moved)
    newest = (
        select(col(ActionRow.action_id))
        .where(_settled(rule, window), col(ActionRow.status) == _S.DONE.value, col(ActionRow.type).in_(list(amounts)))
        .order_by(col(ActionRow.settled_at).desc())
        .limit(MOST_EVIDENCE)
    )
    evidence = list(session.execute(newest).scalars()) if cases else []
    return Count(cases=cases, counted=cases, amount=round(total, 6), evidence=evidence)


def _drift(session: Session, rule: BreakerRule, window: Window) -> Count:
    start = window.begin(rule)

    def newest(after: datetime, before: datetime, limit: int) -> list[tuple[str, Json]]:
        wanted = (
            select(col(ActionRow.action_id), col(ActionRow.arguments))
            .where(
                col(ActionRow.agent) == window.agent,
                col(ActionRow.type) == rule.of,
                col(ActionRow.proposed_at) > after,
                col(ActionRow.proposed_at) <= before,
            )
            .order_by(col(ActionRow.proposed_at).desc())
            .limit(limit)
        )
        return [(row[0], row[1].get(rule.argument)) for row in session.execute(wanted).all()]

    now = newest(start, window.now, NEWEST_DRIFT)
    # With too few cases there is nothing to compare, so that what went before need not be read.
    reference = window.now - rule.within
    before = newest(reference - rule.baseline, reference, BEFORE_DRIFT) if len(now) >= rule.least else []
    enough = len(before) >= rule.least
    index = stability_index([value for _, value in before], [value for _, value in now]) if enough else 0.0
    chance = round(expected_by_chance(len(before), len(now)), 4)
    return Count(
        cases=len(now) if enough else min(len(now), rule.least - 1),
        counted=len(now),
        amount=index,
        evidence=[action_id for action_id, _ in now[:MOST_EVIDENCE]],
        figures={"before": len(before), "now": len(now), "expected_by_chance": chance},
    )


def _health(session: Session, rule: BreakerRule) -> Count:
    found = health.of_connector(session, rule.of)
    if found is None:
        return Count()
    figures: dict[str, Json] = {"asked_at": found.asked_at.isoformat(), "since": found.since.isoformat()}
    return Count(cases=found.failures, counted=found.failures, amount=found.failures, said=found.error, figures=figures)


@dataclass(frozen=True, slots=True)
class _Case:
    """One action where each run or record is measured by itself."""

    action_id: str
    scope: str
    at: datetime
    against: bool
    amount: float


def _apart(session: Session, rule: BreakerRule, window: Window) -> list[Count]:
    groups: dict[str, list[_Case]] = defaultdict(list)
    for each in _newest(session, rule, window):
        counts = each.scope and each.at > window.released.get(each.scope, LONG_AGO)
        if counts and (rule.last is None or len(groups[each.scope]) < rule.last):
            groups[each.scope].append(each)
    return [_together(rule, scope, found) for scope, found in groups.items()]


def _together(rule: BreakerRule, scope: str, found: Sequence[_Case]) -> Count:
    bad = [each.action_id for each in found if each.against]
    amount = sum(each.amount for each in found)
    if rule.measure is Measure.RATE:
        amount = _per_minute(rule, len(found))
    return Count(scope=scope, cases=len(found), counted=len(bad), amount=amount, evidence=bad[:MOST_EVIDENCE])


def _newest(session: Session, rule: BreakerRule, window: Window) -> Iterable[_Case]:
    """The newest cases, newest first, with the run or record that each is about."""
    columns = (col(ActionRow.action_id), col(ActionRow.run_id), col(ActionRow.type), col(ActionRow.arguments))
    found: list[Select[Any]]
    if rule.measure is Measure.RATE:
        found = [
            select(*columns, col(EffectRow.status), col(EffectRow.claimed_at))
            .join(EffectRow, col(EffectRow.action_id) == col(ActionRow.action_id))
            .where(begun)
            .order_by(col(EffectRow.finished_at).desc())
            for begun in _begun(rule, window)
        ]
    else:
        statuses = (_S.DONE,) if rule.measure is Measure.COST else _CASES[rule.measure]
        against = _against(rule) if rule.measure.counts else col(ActionRow.status)
        found = [
            select(*columns, against, col(ActionRow.settled_at))
            .where(_settled(rule, window), col(ActionRow.status).in_([status.value for status in statuses]))
            .order_by(col(ActionRow.settled_at).desc())
        ]
    amounts = _amounts(rule, window) if rule.measure is Measure.COST else {}
    rows = [row for wanted in found for row in session.execute(wanted.limit(MOST_APART)).all()]
    for action_id, run_id, type, arguments, against_it, at in rows:
        scope = run_id if rule.pause is ScopeKind.RUN else window.record_of(type, arguments)
        amount = _amount(arguments, *amounts[type], rule.currency) if type in amounts else 0.0
        yield _Case(action_id, scope, at or window.now, not rule.measure.counts or bool(against_it), amount)


def _settled(rule: BreakerRule, window: Window) -> ColumnElement[bool]:
    return and_(
        col(ActionRow.agent) == window.agent,
        col(ActionRow.type).in_(list(rule.types)),
        col(ActionRow.settled_at) > window.begin(rule),
        col(ActionRow.settled_at) <= window.now,
    )


def _begun(rule: BreakerRule, window: Window) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Effects that are under way, and those that ended in the time looked back over: each has its index."""
    start, agent = window.begin(rule), col(EffectRow.agent) == window.agent
    claimed = col(EffectRow.status) == EffectStatus.CLAIMED.value
    under_way = and_(claimed, agent, col(EffectRow.claimed_at) > start)
    ended = and_(agent, col(EffectRow.finished_at) > start, col(EffectRow.finished_at) <= window.now)
    if not rule.of:
        return under_way, ended
    types = col(EffectRow.type).in_(list(rule.types))
    return and_(under_way, types), and_(ended, types)


def _against(rule: BreakerRule) -> ColumnElement[int]:
    bad: ColumnElement[bool] = col(ActionRow.status).in_([status.value for status in _AGAINST[rule.measure]])
    if rule.measure is Measure.REFUSALS:
        bad = and_(bad, not_(cast(col(ActionRow.reasons), String).like(_BY_FALLBACK)))
    return case((bad, 1), else_=0)


def _amounts(rule: BreakerRule, window: Window) -> dict[str, tuple[str, str]]:
    """The argument with the money, and who says its currency, of the types that move the breaker's currency."""
    found = {type: each for type, each in window.amounts.items() if type in rule.types}
    return {type: each for type, each in found.items() if each[1].startswith("{") or each[1] in ("", rule.currency)}


def _paid(rule: BreakerRule, window: Window, type: str, currency: str) -> ColumnElement[bool]:
    paid: ColumnElement[bool] = and_(
        _settled(rule, window), col(ActionRow.type) == type, col(ActionRow.status) == _S.DONE.value
    )
    if currency.startswith("{"):
        paid = and_(paid, col(ActionRow.arguments)[currency.strip("{}")].as_string() == rule.currency)
    return paid


def _number(session: Session, argument: str) -> ColumnElement[float]:
    """An argument of an action where it is a number, else nothing."""
    value = col(ActionRow.arguments)[argument]
    if session.get_bind().dialect.name == "sqlite":
        kind = func.json_type(col(ActionRow.arguments), f'$."{argument}"')
        return case((kind.in_(["integer", "real"]), value.as_float()))
    return case((func.json_typeof(value) == "number", value.as_float()))


def _amount(arguments: Mapping[str, Json], argument: str, currency: str, wanted: str) -> float:
    value = arguments.get(argument)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    said = arguments.get(currency.strip("{}")) if currency.startswith("{") else wanted
    return abs(float(value)) if said == wanted else 0.0


def _per_minute(rule: BreakerRule, number: int) -> float:
    return round(number / (rule.within.total_seconds() / 60), 4)
