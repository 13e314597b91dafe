"""A stage whose card lets people grant, with a gateway that needs no Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from assent.domain.actions import ActionOutcome, ProposedAction
from assent.domain.grants import GrantTerms, Pattern
from assent.domain.people import SYSTEM, Actor, Assurance, Role, Via
from assent.domain.ports import SubmitAction
from assent.gateway import Gateway, PlanApproved, PlanOffer
from assent.store import groups, people
from assent.store.database import Database
from assent.store.queries.grants import GrantView
from assent.store.tables import PersonRow
from tests.activities.stage import Stage
from tests.desk import CARD
from tests.world import AGENT, action

_T = TypeVar("_T")


def _actor(name: str, assurance: Assurance | None = None) -> Actor:
    return Actor(id=name, name=name.title(), via=Via.WEB, assurance=assurance)


FAY, LEO, SAM, SUE = _actor("fay"), _actor("leo"), _actor("sam"), _actor("sue")
"""Fay is in finance, Leo leads it, Sam and Sue are in sre."""

GRANTS = "grants: {by: [finance, sre], uses: 5, lasts: 10d}"
PAY = f"""
  desk.pay:
    tier: approve
    expires: 1h
    approval:
      need: [{{of: finance}}]
      raise:
        - {{when: args.amount > 500.0, need: [{{of: finance-leads}}], because: Over 500 a finance lead decides.}}
      {GRANTS}
"""
TWO_GROUPS = f"""
  desk.pay:
    tier: approve
    approval:
      need: [{{of: finance}}, {{of: sre, count: 2}}]
      {GRANTS}
"""


def card(pay: str = PAY, *, more: str = "") -> str:
    """The desk's card with other rules for paying."""
    start, end = CARD.index("  desk.pay:"), CARD.index("  desk.tip:")
    return CARD[:start] + pay.strip("\n") + "\n" + more + CARD[end:]


class Bureau(Stage):
    """A stage with people in groups."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.gateway = Gateway(None, database, clock=self.clock)
        members = {"fay": ["finance"], "leo": ["finance", "finance-leads"], "sam": ["sre"], "sue": ["sre"]}
        with database.write() as session:
            for name in ("finance", "finance-leads", "sre"):
                groups.create(session, name, at=self.clock(), by=SYSTEM)
            for person, names in members.items():
                self._hire(session, person)
                for name in names:
                    groups.add(session, name, person, at=self.clock(), by=SYSTEM)
        self.publish(card())

    def do(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Wait for the gateway."""
        return asyncio.run(coroutine)

    def terms(self, *, uses: int = 2, days: float = 1, condition: str = "", **patterns: Any) -> GrantTerms:
        """Terms for paying Bob up to 50, unless other patterns are given."""
        given = patterns or {"to": {"kind": "is", "values": ["bob"]}, "amount": {"kind": "range", "min": 0, "max": 50}}
        return GrantTerms(
            agent="desk-clerk",
            action_type="desk.pay",
            arguments={name: Pattern.model_validate(each) for name, each in given.items()},
            condition=condition,
            uses=uses,
            expires_at=self.clock.now + timedelta(days=days),
        )

    def grant(self, by: Actor = FAY, terms: GrantTerms | None = None, **options: Any) -> GrantView:
        """Have somebody grant."""
        return self.do(self.gateway.grant(terms or self.terms(), by=by, **options))

    def pay(self, key: str = "a", amount: float = 5, to: str = "bob", *, run_id: str = "run-1") -> ActionOutcome:
        """Let the agent propose to pay."""
        return self.submit(self.paying(key, amount, to), run_id=run_id)

    def paying(self, key: str = "a", amount: float = 5, to: str = "bob") -> ProposedAction:
        """The proposal."""
        return action(key, "desk.pay", to=to, amount=amount)

    def step(
        self, step: ProposedAction, *, plan: Sequence[ProposedAction] = (), run_id: str = "run-1", by: Actor = AGENT
    ) -> ActionOutcome:
        """Submit a step as the run's workflow does, the first one with the plan."""
        header = self.header(run_id).model_copy(update={"plan": list(plan), "started_by": by})
        return self.admission.submit(SubmitAction(header=header, action=step))

    def offer(self, run_id: str = "run-1") -> PlanOffer:
        """The plan as people are shown it."""
        found = self.do(self.gateway.plan_offer(run_id))
        assert found is not None
        return found

    def approve_plan(self, by: Actor = FAY, *, run_id: str = "run-1", digest: str | None = None) -> PlanApproved:
        """Have somebody approve the whole plan."""
        digest = digest or self.offer(run_id).digest
        return self.do(self.gateway.approve_plan(run_id, digest=digest, by=by, reason="Looks right"))

    def reassign(self, person: Actor, *, leaves: str = "", disabled: bool = False) -> None:
        """Take somebody out of a group, or disable them."""
        with self.database.write() as session:
            if leaves:
                groups.remove(session, leaves, person.id, at=self.clock(), by=SYSTEM)
            if disabled:
                people.change(session, person.id, at=self.clock(), by=SYSTEM, disabled=True)

    def _hire(self, session: Any, name: str) -> None:
        session.merge(
            PersonRow(
                id=name,
                email=f"{name}@example.com",
                mailbox=f"{name}@example.com",
                name=name.title(),
                roles=[Role.APPROVER.value],
                created_at=datetime.now(UTC),
            )
        )
