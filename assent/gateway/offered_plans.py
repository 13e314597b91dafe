"""A run's plan as people are shown it, and which of its requests wait."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus, AdmissionEffect, ProposedAction, Reason, Verdict
from assent.domain.approvals import ApprovalStatus
from assent.domain.canonical import Json
from assent.domain.catalogue import without_secrets
from assent.domain.errors import NotFound
from assent.domain.people import Actor, Assurance, mailbox_of
from assent.domain.plans import PlanStep, WeighedPlan
from assent.domain.voting import in_words
from assent.gateway.cards import CardInForce, card_in_force
from assent.gateway.many import MAX_ITEMS, OneOfMany
from assent.policy.approving import needs_words
from assent.policy.plans import drift, referred, weigh_plan
from assent.store import people, plan_approvals
from assent.store.electorate import rules_of
from assent.store.tables import ActionRow, ApprovalRow, RunRow


class OfferedStep(BaseModel):
    """One step of a plan, as people are shown it.

    Attributes:
        key: The action's name within its run.
        type: The action type.
        title: Its short name.
        sentence: What it does, in words; what is not known yet is an ellipsis.
        arguments: Arguments with references as they are written, declared secrets replaced.
        effect: What admission demands of it as far as that can be known.
        asks: Whether people are asked before it runs.
        open: It refers to earlier results, so that more can come up when it starts.
        reasons: Every reason found.
        needs: Who must approve it by itself, in words; empty if it does not ask.
        status: Where the action is; ``None`` if it has not begun.
    """

    key: str
    type: str
    title: str
    sentence: str
    arguments: dict[str, Json]
    effect: AdmissionEffect
    asks: bool
    open: bool
    reasons: list[Reason]
    needs: str
    status: ActionStatus | None


class PlanOffer(BaseModel):
    """A run's plan, as it could be approved as a whole.

    Attributes:
        run_id: The run.
        steps: Every step, in the order of the plan.
        needs: Who must approve it as a whole, one sentence.
        assurance: How sure it must be who they are.
        digest: What an approval of the whole plan must carry.
        ahead: How many steps that ask have not begun.
        approval_id: The approval of exactly this plan that is pending or in force; empty if there is none.
    """

    run_id: str
    steps: list[OfferedStep]
    needs: str
    assurance: Assurance
    digest: str
    ahead: int
    approval_id: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run's plan with what it was weighed by."""

    weighed: WeighedPlan
    found: CardInForce


def weighed_plan(session: Session, run_id: str) -> Plan | None:
    """A run's plan, weighed by the card in force; ``None`` if it has none of several steps, or none asks.

    Raises:
        NotFound: There is no such run.
    """
    run = session.get(RunRow, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id}.", where="run", todo="`assent run list` shows the newest.")
    steps = plan_approvals.plan_of(session, run_id)
    if not steps:
        return None
    found = card_in_force(session, run.agent)
    requester = Actor.model_validate(run.started_by)
    person = people.one(session, requester.id)
    weighed = weigh_plan(
        steps,
        card=found.card,
        card_version=found.version,
        types=found.types,
        run_id=run_id,
        requester=requester.id,
        requester_mailbox=mailbox_of(person.email) if person else "",
    )
    return Plan(weighed, found) if weighed.asking else None


def offer_of(session: Session, plan: Plan) -> PlanOffer:
    """The plan as people are shown it."""
    weighed = plan.weighed
    begun = plan_approvals.statuses(session, weighed.run_id, [step.key for step in weighed.steps])
    digest = weighed.digest
    row = plan_approvals.newest(session, weighed.run_id, digest)
    return PlanOffer(
        run_id=weighed.run_id,
        steps=[_step(step, plan.found, begun.get(step.key)) for step in weighed.steps],
        needs=needs_words(weighed.electorate),
        assurance=weighed.electorate.assurance,
        digest=digest,
        ahead=sum(1 for step in weighed.asking if step.key not in begun),
        approval_id=row.id if row else "",
    )


def _step(step: PlanStep, found: CardInForce, status: ActionStatus | None) -> OfferedStep:
    type = found.types.get(step.type)
    return OfferedStep(
        key=step.key,
        type=step.type,
        title=type.title if type else step.type,
        sentence=step.sentence,
        arguments=without_secrets(step.arguments, type.secrets) if type else step.arguments,
        effect=step.effect,
        asks=step.asks,
        open=step.open,
        reasons=step.reasons,
        needs=in_words(step.electorate.needs) if step.electorate else "",
        status=status,
    )


def waiting_requests(session: Session, plan: Plan, approved_version: int) -> list[OneOfMany]:
    """Requests of the plan that wait and show exactly what its steps say, at most so many as are decided at once."""
    steps = {step.key: step for step in plan.weighed.asking}
    wanted = (
        select(ApprovalRow, ActionRow)
        .join(ActionRow, col(ActionRow.action_id) == col(ApprovalRow.action_id))
        .where(col(ApprovalRow.run_id) == plan.weighed.run_id, col(ApprovalRow.status) == ApprovalStatus.PENDING.value)
        .order_by(col(ApprovalRow.created_at), col(ApprovalRow.id))
    )
    items = []
    for asked, action in session.execute(wanted).all():
        step = steps.get(action.key)
        if step is not None and not _drifted(session, step, asked, action, approved_version):
            items.append(OneOfMany(approval_id=asked.id, digest=asked.digest))
    return items[:MAX_ITEMS]


def _drifted(session: Session, step: PlanStep, asked: ApprovalRow, row: ActionRow, approved_version: int) -> bool:
    reasons = [Reason.model_validate(reason) for reason in row.reasons]
    verdict = Verdict(effect=AdmissionEffect.APPROVE, tier=None, reasons=reasons, card_version=row.card_version)
    why = drift(
        step,
        ProposedAction(key=row.key, type=row.type, arguments=row.arguments),
        approved_version=approved_version,
        verdict=verdict,
        rules=rules_of(asked),
        results=plan_approvals.results(session, row.run_id, sorted(referred(step))),
    )
    return bool(why)
