"""Approving the whole plan of a run at its highest class.

Like a grant, the approval of a plan is written by the gateway at once and looked at by the transaction that claims: it
covers the steps that start later and match it exactly. Requests of the plan that wait already are approved in the names
of those who approved the plan, each bound to its own digest.
"""

from __future__ import annotations

import uuid

from pydantic import BaseModel
from sqlalchemy.orm import Session

from assent.domain.approvals import Verb
from assent.domain.errors import Conflict, NotFound
from assent.domain.people import Actor
from assent.domain.plans import PlanApprovalStatus
from assent.gateway.authority import require_word
from assent.gateway.cards import require_still
from assent.gateway.door import reason_within
from assent.gateway.granting import MAX_NOTE
from assent.gateway.many import ManyDoor, ManyResult, OneOfMany
from assent.gateway.offered_plans import Plan, PlanOffer, offer_of, waiting_requests, weighed_plan
from assent.gateway.refusing import refusals_kept
from assent.gateway.word_asking import ask_for_plan
from assent.store import grants, plan_approvals
from assent.store.consents import weigh_consents
from assent.store.queries import grants as views
from assent.store.queries.grants import PlanApprovalView
from assent.store.tables import RunRow


class PlanApproved(BaseModel):
    """What came of approving a plan.

    Attributes:
        plan_approval_id: The approval.
        status: Pending (more people are needed) or active.
        missing: Who must still approve it, in words.
        sent: For each request of the plan that waited, what came of approving it in each person's name.
    """

    plan_approval_id: str
    status: PlanApprovalStatus
    missing: str = ""
    sent: list[ManyResult] = []


class PlanDoor(ManyDoor):
    """What people come through who approve a plan as a whole."""

    async def plan_offer(self, run_id: str) -> PlanOffer | None:
        """A run's whole plan with the steps that will ask; ``None`` if it has no plan of several steps, or none asks.

        Raises:
            NotFound: There is no such run.
            Unavailable: The database is away.
        """

        def look() -> PlanOffer | None:
            with self._database.read() as session:
                plan = weighed_plan(session, run_id)
                return None if plan is None else offer_of(session, plan)

        return await self._in_thread(look)

    async def approve_plan(self, run_id: str, *, digest: str, by: Actor, reason: str = "") -> PlanApproved:
        """Approve a run's whole plan; the last person that is needed puts it in force.

        Args:
            run_id: The run.
            digest: Digest of the plan that the person was shown.
            by: The person.
            reason: Why; kept with it.

        Raises:
            NotFound: There is no such run, or it has no plan that asks.
            Conflict: The plan would be weighed otherwise by now, is approved, the run has ended, or this person has
                approved it already.
            Forbidden: This person's approval does not count for it.
            Unavailable: The database is away; nothing was approved.
        """
        reason_within(MAX_NOTE, reason)

        def write() -> tuple[Plan, PlanApprovalView]:
            with refusals_kept(self._refusals, "plan.refused", by, {"run": run_id, "digest": digest}):
                plan = self._weigh_plan(run_id, digest)
                with self._database.write() as session:
                    return plan, self._approve(session, plan, by, reason.strip())

        plan, view = await self._in_thread(write)
        sent = await self._approve_waiting(plan, view) if view.status is PlanApprovalStatus.ACTIVE else []
        return PlanApproved(plan_approval_id=view.id, status=view.status, missing=view.missing, sent=sent)

    async def revoke_plan(self, plan_approval_id: str, *, by: Actor, reason: str = "") -> PlanApprovalView:
        """Revoke the approval of a plan: when this returns, it covers nothing that is not claimed.

        Raises:
            NotFound: There is none of this id.
            Conflict: It is revoked already.
            Unavailable: The database is away; the approval stands.
        """
        reason_within(MAX_NOTE, reason)

        def write() -> PlanApprovalView:
            with self._database.write() as session:
                now = self._clock()
                row = plan_approvals.locked(session, plan_approval_id)
                plan_approvals.revoke(session, row, by=by, at=now, reason=reason.strip())
                return views.plan_approval_of(session, row, now=now)

        return await self._in_thread(write)

    def _weigh_plan(self, run_id: str, digest: str) -> Plan:
        """The plan, if it is what was shown; before the transaction that writes."""
        with self._database.read() as session:
            plan = weighed_plan(session, run_id)
        if plan is None:
            raise NotFound(f"The run {run_id} has no plan that asks for approval.", where="run")
        if plan.weighed.digest != digest:
            raise Conflict(
                "The plan, its card or who must approve it is not what you saw.",
                where="digest",
                todo="Open it again and decide on what it shows now.",
            )
        return plan

    def _approve(self, session: Session, plan: Plan, by: Actor, reason: str) -> PlanApprovalView:
        now, run_id = self._clock(), plan.weighed.run_id
        grants.lock(self._database, session, run_id)
        require_still(session, plan.found)
        run = session.get(RunRow, run_id)
        if run is None or run.ended_at is not None:
            raise Conflict("The run has ended.", where="run", todo="Nothing was approved.")
        electorate = plan.weighed.electorate
        row = plan_approvals.newest(session, run_id, plan.weighed.digest, lock=True)
        words = [] if row is None else grants.consents(session, row.id)
        if row is not None and row.status == PlanApprovalStatus.ACTIVE.value:
            raise Conflict("The plan is approved already.", where="plan", todo="Nothing was changed.")
        if any(word.by.id == by.id for word in words):
            raise Conflict("You have approved the plan already.", where="plan", todo="Somebody else must, too.")
        require_word(session, [electorate], by, now)
        active = weigh_consents(session, electorate, [*words, grants.Consent(by, now)], now).met
        if row is None:
            new_id = f"plan-{uuid.uuid4().hex[:12]}"
            plan_approvals.give(
                session, new_id, plan.weighed, agent=run.agent, active=active, by=by, at=now, note=reason
            )
            view = views.plan_approval(session, new_id, now=now)
        else:
            plan_approvals.confirm(session, row, by=by, active=active, at=now, note=reason)
            view = views.plan_approval_of(session, row, now=now)
        if not active:
            ask_for_plan(session, view, plan.weighed, self._channels, at=now)
        return view

    async def _approve_waiting(self, plan: Plan, view: PlanApprovalView) -> list[ManyResult]:
        """Approve the requests of the plan that wait, in the name of everybody who approved the plan."""

        def look() -> list[OneOfMany]:
            with self._database.read() as session:
                return waiting_requests(session, plan, view.card_version)

        items = await self._in_thread(look)
        sent: list[ManyResult] = []
        for word in view.words if items else ():
            sent += await self.decide_many(
                items,
                verb=Verb.APPROVE,
                by=word.by,
                reason="Approved with the whole plan.",
                decision_id=f"{view.id}:{word.by.id}",
            )
        return sent
