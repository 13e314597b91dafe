"""An agent with breakers, and what it did, written as its rows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.catalogue import ActionType, TargetDeclaration
from assent.domain.people import SYSTEM
from assent.runtime.breaking import Watch
from assent.runtime.cards import publish_card
from assent.store import ledger
from assent.store.database import Database
from assent.store.tables import ActionRow, EffectRow, PauseRow, TripRow
from assent_activities.connectors import Registry
from tests.desk import Desk

NOW = datetime(2030, 3, 31, 12, 0, tzinfo=UTC)
CARD = """
name: clerk
purpose: Pays small sums.
business_owner: &owner {name: Bo Owner, email: bo@example.com}
technical_owner: *owner
model_steward: *owner
escalation: {name: Duty desk, email: duty@example.com, slack: "#duty"}
on_call: [ann@example.com]
actions:
  desk.tip: {tier: auto}
  desk.note: {tier: auto}
"""
_numbers = itertools.count()


class Probed(Desk):
    """A desk with a health check."""

    def probe(self) -> None:
        """It is well."""


def catalogue() -> Registry:
    """The desk's operations; tips are given to a named person, in dollars."""
    registry = Registry()
    desk = Probed()
    for operation in desk.desk_operations():
        if operation.type.name == "desk.tip":
            operation.type = operation.type.model_copy(
                update={
                    "amount": "amount",
                    "currency": "USD",
                    "target": TargetDeclaration(words="{to}", resource="desk/{to}"),
                }
            )
        registry[operation.type.name] = operation
    registry.probes["desk"] = desk
    return registry


def types() -> dict[str, ActionType]:
    """What they declare."""
    return {name: operation.type for name, operation in catalogue().items()}


@dataclass
class Clerk:
    """The agent, its past, and a clock."""

    database: Database
    now: datetime = NOW
    channels: Sequence[str] = ()
    _watches: dict[str, Watch] = field(default_factory=dict)

    def publish(self, breakers: str, more: str = "") -> None:
        """Put a card with these breakers in force."""
        publish_card(self.database, catalogue(), f"{CARD}breakers:\n{breakers}\n{more}", where="test card", by=SYSTEM)

    def did(
        self,
        status: ActionStatus,
        times: int = 1,
        *,
        ago: float = 10,
        type: str = "desk.tip",
        run: str = "run-1",
        reasons: Sequence[dict[str, Any]] = (),
        **arguments: Any,
    ) -> list[str]:
        """Actions that ended so many seconds ago, each a millisecond after the one before."""
        made = []
        given = {"to": "ann", "amount": 1, **arguments}
        with self.database.write() as session:
            for place in range(times):
                at = self.now - timedelta(seconds=ago) + timedelta(milliseconds=place)
                made.append(f"{run}:a{next(_numbers)}")
                common = {"action_id": made[-1], "run_id": run, "agent": "clerk", "type": type, "message": ""}
                session.execute(
                    insert(ActionRow).values(
                        **common,
                        key=made[-1].partition(":")[2],
                        arguments=given,
                        reason="",
                        sentence="Tip",
                        status=status.value,
                        reasons=list(reasons),
                        card_version=1,
                        proposed_at=at,
                        settled_at=at if status.settled else None,
                    )
                )
                tried = (ActionStatus.DONE, ActionStatus.FAILED, ActionStatus.UNKNOWN, ActionStatus.CLAIMED)
                if status in tried:
                    effect = {"holder": "w", "lease_until": at, "claimed_at": at, "changes": []}
                    ended = at if status.settled else None
                    session.execute(
                        insert(EffectRow).values(**common, **effect, status=status.value, finished_at=ended)
                    )
            ledger.append(session, at=self.now, kind="effect.done", actor=SYSTEM, agent="clerk")
        return made

    def look(self, which: str = "one") -> list[TripRow]:
        """Let a worker's watch look once, and give what fired."""
        watch = self._watches.get(which)
        if watch is None:
            watch = Watch(self.database, channels=self.channels, clock=lambda: self.now)
            self._watches[which] = watch
        fired = watch.turn()
        for pace in watch._paces.values():
            pace.next = pace.idle = 0.0  # This clock does not go by itself.
        with self.database.read() as session:
            return list(session.execute(select(TripRow).where(col(TripRow.id).in_(fired))).scalars())

    def trips(self) -> list[TripRow]:
        """Every trip there was, oldest first."""
        with self.database.read() as session:
            return list(session.execute(select(TripRow).order_by(col(TripRow.at), col(TripRow.id))).scalars())

    def pauses(self) -> list[PauseRow]:
        """Every pause there was, oldest first."""
        with self.database.read() as session:
            return list(session.execute(select(PauseRow).order_by(col(PauseRow.requested_at))).scalars())

    def later(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)
