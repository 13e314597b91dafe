"""The watch over circuit breakers: it runs in workers, one of them at a time, and never where an action runs.

Every second it looks which agents did anything (by the newest ledger event), measures their breakers from indexed
tables, and pauses what is over its threshold. A measure that takes long is taken less often. Several watches at once
do no harm: what fires is measured again in the transaction that pauses, under a lock.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.breakers import BreakerRule, Gauge, Measure
from assent.domain.clock import Clock
from assent.domain.errors import AssentError
from assent.gateway import stop_rights
from assent.gateway.breakers import Armed, armed
from assent.runtime.probing import Prober
from assent.runtime.settings import Settings
from assent.store import recovering, samples, trips, watches
from assent.store.breaking import LONG_AGO
from assent.store.database import Database
from assent.store.samples import Sample
from assent.store.tables import AgentRow, LedgerEventRow
from assent_activities.connectors import Operation, probes_of

LOOK_EVERY = timedelta(seconds=1)
"""How often the watch looks whether anything happened."""

IDLE_EVERY = timedelta(seconds=10)
"""How often an agent that did nothing is measured: as time passes, a share of its cases can rise by itself."""

REST = 20
"""After a measure that took so long the same one is not taken for so many times as long."""

AT_ONCE = 20
"""Runs or records that one look pauses at most for one breaker; the next look goes on."""

_NAME = "breakers"

log = logging.getLogger(__name__)


@dataclass
class _Pace:
    """When a breaker is measured next, and what was kept of it last."""

    next: float = 0.0
    idle: float = 0.0
    sampled: datetime = LONG_AGO
    value: float | None = None


class Watch:
    """Measures breakers and lets them fire.

    Args:
        database: Assent's database.
        channels: The ways that people are told by.
        clock: The time.
    """

    def __init__(self, database: Database, *, channels: Sequence[str], clock: Clock) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._holder = uuid.uuid4().hex
        self._armed: dict[str, tuple[int, Armed]] = {}
        self._read: dict[str, int] = {}
        self._paces: dict[tuple[str, str], _Pace] = {}
        self._seen = -1

    @property
    def probed(self) -> frozenset[str]:
        """Connectors whose health is asked for by a card in force, as of the last look."""
        found = (rule for _, each in self._armed.values() for rule in each.rules)
        return frozenset(rule.of for rule in found if rule.measure is Measure.PROBE)

    def turn(self) -> list[str]:
        """Look once.

        Returns:
            Ids of the trips that it brought.

        Raises:
            Unavailable: The database is away.
        """
        with self._database.read() as session:
            self._arm(session)
        now = self._clock()
        if not any(each.rules for _, each in self._armed.values()):
            return []
        if not watches.hold(self._database, _NAME, holder=self._holder, at=now):
            self._seen = -1
            return []
        with self._database.read() as session:
            over = self._look(session, now, self._touched(session))
            well = [
                (each, rule)
                for _, each in self._armed.values()
                for rule in each.rules
                if self._due(session, each, rule)
            ]
        for each, rule in well:
            self._end(each, rule)
        return [trip for each, rule in over for trip in self._fire(each, rule)]

    def let_go(self) -> None:
        """Let another process watch at once, because this one ends."""
        watches.let_go(self._database, _NAME, holder=self._holder, at=self._clock())

    def _arm(self, session: Session) -> None:
        """Read the cards that changed."""
        in_force = {row[0]: row[1] for row in session.execute(select(col(AgentRow.name), col(AgentRow.version))).all()}
        for agent in set(self._read) - set(in_force):
            del self._read[agent]
            self._armed.pop(agent, None)
        for agent, version in in_force.items():
            if self._read.get(agent) != version:
                self._read[agent] = version
                self._armed.pop(agent, None)
                try:
                    self._armed[agent] = (version, armed(session, agent))
                except ValidationError as error:
                    # One card that cannot be read takes the breakers of no other agent away.
                    log.error("The breakers of %s, card %d, cannot be read: %s", agent, version, error)

    def _touched(self, session: Session) -> frozenset[str] | None:
        """Agents that did something since the last look; ``None`` if that is not known, and all are looked at."""
        newest = session.execute(select(func.max(col(LedgerEventRow.id)))).scalar() or 0
        seen, self._seen = self._seen, newest
        if seen < 0:
            return None
        since = select(col(LedgerEventRow.agent)).distinct().where(col(LedgerEventRow.id) > seen)
        return frozenset(session.execute(since).scalars()) if newest > seen else frozenset()

    def _look(self, session: Session, now: datetime, touched: frozenset[str] | None) -> list[tuple[Armed, BreakerRule]]:
        over, taken = [], list[tuple[str, str, timedelta, Sample]]()
        for agent, (_, each) in self._armed.items():
            for rule in each.rules:
                pace = self._paces.setdefault((agent, rule.name), _Pace())
                moment = time.monotonic()
                stirred = touched is None or agent in touched or rule.measure is Measure.PROBE
                if moment < pace.next or not (stirred or moment >= pace.idle):
                    continue
                standings = each.standings(session, rule, now)
                gauges = each.gauges(session, rule, standings, now)
                took = time.monotonic() - moment
                pace.next, pace.idle = moment + REST * took, moment + IDLE_EVERY.total_seconds()
                quiet = {name for name, standing in standings.items() if standing.holding}
                if any(gauge.over and gauge.scope not in quiet for gauge in gauges):
                    over.append((each, rule))
                if (sample := _sample(pace, rule, gauges, now)) is not None:
                    taken.append((agent, rule.name, samples.apart(rule.within), sample))
        self._keep(taken)
        return over

    def _keep(self, taken: Sequence[tuple[str, str, timedelta, Sample]]) -> None:
        if taken:
            with self._database.write() as session:
                for agent, breaker, every, sample in taken:
                    samples.keep(session, agent, [(breaker, every, sample)])

    def _fire(self, each: Armed, rule: BreakerRule) -> list[str]:
        """Measure again under the lock, and pause what is over; another watch may have done it meanwhile."""
        fired = []
        with self._database.write() as session:
            self._database.lock_alone(session, trips.LOCK)
            now = self._clock()
            standings = each.standings(session, rule, now)
            for gauge in each.gauges(session, rule, standings, now)[:AT_ONCE]:
                standing = standings.get(gauge.scope)
                if not gauge.over or (standing is not None and standing.holding):
                    continue
                since = max(now - rule.within, (standing.since if standing else None) or LONG_AGO)
                setting = each.setting(rule, gauge, since, self._channels)
                fired.append(trips.fire(self._database, session, setting, gauge, standing, at=now))
                sample = Sample(now, gauge.value, gauge.threshold, gauge.cases)
                samples.keep(session, each.card.name, [(rule.name, samples.apart(rule.within), sample)])
                log.warning("The breaker %s of %s fired: %s", rule.name, each.card.name, gauge.sentence)
        return fired

    def _due(self, session: Session, each: Armed, rule: BreakerRule) -> recovering.Recovery | None:
        """What a breaker holds that ends by itself now."""
        if not rule.recover:
            return None
        for standing in each.standings(session, rule, self._clock()).values():
            if standing.holding and (found := recovering.look(session, standing.pause_id, rule.recover)) and found.due:
                return found
        return None

    def _end(self, each: Armed, rule: BreakerRule) -> None:
        """Look again under the lock, and let go on what is well."""
        with self._database.write() as session:
            self._database.lock_alone(session, trips.LOCK)
            if (found := self._due(session, each, rule)) is not None:
                ramp = stop_rights.rules_for(session, each.scope(rule)).ramp
                now, ways = self._clock(), self._channels
                recovering.end(self._database, session, found, channels=ways, step_time=ramp, at=now)
                log.warning("What the breaker %s of %s held goes on: %s", rule.name, each.card.name, found.sentence)


def _sample(pace: _Pace, rule: BreakerRule, gauges: Sequence[Gauge], now: datetime) -> Sample | None:
    """A sample if it is time for one and the value is another one, or has been the same for long."""
    highest = max(gauges, key=lambda gauge: gauge.value, default=None)
    value, every = highest.value if highest else 0.0, samples.apart(rule.within)
    since = now - pace.sampled
    if since < every or (value == pace.value and since < 10 * every):
        return None
    pace.sampled, pace.value = now, value
    return Sample(now, value, rule.threshold, highest.cases if highest else 0)


def chores(
    database: Database,
    registry: Mapping[str, Operation],
    settings: Settings,
    *,
    channels: Sequence[str],
    clock: Clock,
    announce: Callable[[], Awaitable[None]],
) -> tuple[Coroutine[object, object, None], ...]:
    """What a worker does for breakers beside its work: watching, and asking connectors how they are."""
    watch = Watch(database, channels=channels, clock=clock)
    probes = probes_of(registry)
    if not probes:
        return (watch_forever(watch, announce),)
    prober = Prober(database, probes, every=settings.probe_seconds, timeout=settings.probe_timeout_seconds, clock=clock)
    return watch_forever(watch, announce), prober.run(lambda: watch.probed)


async def watch_forever(watch: Watch, announce: Callable[[], Awaitable[None]]) -> None:
    """Watch until cancelled.

    Args:
        watch: The watch.
        announce: Makes new pauses known; called after something fired.
    """
    try:
        while True:
            try:
                if await asyncio.to_thread(watch.turn):
                    await announce()
            except AssentError as error:
                log.warning("The breakers were not looked at this time: %s", error)
            except Exception:
                log.exception("The breakers could not be looked at")
            await asyncio.sleep(LOOK_EVERY.total_seconds())
    finally:
        try:
            watch.let_go()
        except AssentError as error:
            log.info("The watch over breakers was not given back: %s", error)
