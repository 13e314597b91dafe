"""Plans approved as a whole: weighing every step before it starts, and noticing when one drifts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assent.domain.actions import AdmissionEffect, ProposedAction, Reason, Verdict
from assent.domain.approving import ApprovalRules
from assent.domain.canonical import Json, stable_text
from assent.domain.catalogue import ActionType
from assent.domain.errors import InvalidInput
from assent.domain.plans import PlanStep, WeighedPlan
from assent.domain.references import referred_keys, resolve
from assent.domain.voting import Electorate, Need
from assent.policy.admission import admit, declared_limits, foreseen
from assent.policy.approving import resolve as resolve_rules
from assent.policy.cards import AgentCard
from assent.policy.sentences import fill

DRIFT = "plan-drift"
"""Rule of the reason that says why a step of an approved plan asks all the same."""


def weigh_plan(
    plan: Sequence[ProposedAction],
    *,
    card: AgentCard,
    card_version: int,
    types: Mapping[str, ActionType],
    run_id: str,
    requester: str,
    requester_mailbox: str = "",
) -> WeighedPlan:
    """Weigh every step of a plan before it starts.

    Args:
        plan: The steps, references included.
        card: The card in force.
        card_version: Its version.
        types: What the catalogue declares, by name.
        run_id: The run.
        requester: Id of the person, or name of the agent, that started the run.
        requester_mailbox: That person's mailbox.
    """
    steps = []
    for action in plan:
        verdict = _expected(action, card, card_version, types.get(action.type), run_id)
        rules = None
        if verdict.effect is AdmissionEffect.APPROVE:
            rules = _rules(action, card, run_id, requester, requester_mailbox)
        type = types.get(action.type)
        steps.append(
            PlanStep(
                key=action.key,
                type=action.type,
                arguments=action.arguments,
                sentence=fill(type.sentence, type, _known(action.arguments)) if type else f"Call {action.type}",
                effect=verdict.effect,
                reasons=verdict.reasons,
                open=bool(referred_keys(action.arguments)),
                electorate=rules.electorate if rules else None,
                because=list(rules.because) if rules else [],
            )
        )
    asked = [step.electorate for step in steps if step.electorate is not None]
    return WeighedPlan(run_id=run_id, card_version=card_version, steps=steps, electorate=strictest(asked))


def strictest(electorates: Sequence[Electorate]) -> Electorate:
    """Everything that any of them asks for: each need at its highest count, everybody who is barred, the best proof."""
    if not electorates:
        return Electorate()
    needs: dict[str, Need] = {}
    for need in (need for each in electorates for need in each.needs):
        if need.token not in needs or needs[need.token].count < need.count:
            needs[need.token] = need
    bars = {bar.token: bar for each in electorates for bar in each.never_by}
    return electorates[0].model_copy(
        update={
            "needs": tuple(needs.values()),
            "never_by": tuple(bars.values()),
            "assurance": max((each.assurance for each in electorates), key=lambda assurance: assurance.rank),
        }
    )


def drift(
    step: PlanStep | None,
    action: ProposedAction,
    *,
    approved_version: int,
    verdict: Verdict,
    rules: ApprovalRules,
    results: Mapping[str, Json],
) -> str:
    """Why the approval of a plan does not cover an action of its run, one sentence; empty if it does.

    Args:
        step: The step of the approved plan with the action's key, if there is one.
        action: What is about to run, references replaced.
        approved_version: Version of the card that the plan was approved under.
        verdict: The admission of the action.
        rules: Who decides it now.
        results: Results of earlier actions, by key.
    """
    if step is None:
        return f"The plan was approved, but {action.key} is not part of it."
    if step.type != action.type:
        return f"The plan was approved with {step.type} as {action.key}, not {action.type}."
    if approved_version != verdict.card_version:
        return "The agent's card was changed after the plan was approved."
    if not step.asks or step.electorate is None:
        return f"When the plan was approved, {action.key} was not among the steps that ask."
    if _differs(step, action, results):
        return f"The arguments of {action.key} are not those of the approved plan."
    seen = {(reason.rule, reason.sentence) for reason in step.reasons}
    for reason in verdict.reasons:
        if reason.effect is AdmissionEffect.APPROVE and (reason.rule, reason.sentence) not in seen:
            return f"Something has come up that was not known when the plan was approved: {reason.sentence}"
    if more := [sentence for sentence in rules.because if sentence not in step.because]:
        return f"It needs more than the plan was approved with: {' '.join(more)}"
    return ""


def referred(step: PlanStep) -> set[str]:
    """Keys of the actions whose results a step refers to."""
    return referred_keys(step.arguments)


def drifted(why: str) -> Reason:
    """The reason of a step that asks although its plan was approved."""
    return Reason(rule=DRIFT, effect=AdmissionEffect.APPROVE, sentence=why)


def _expected(
    action: ProposedAction, card: AgentCard, card_version: int, type: ActionType | None, run_id: str
) -> Verdict:
    """The verdict as far as it can be known now: with nothing used of any limit."""
    if referred_keys(action.arguments):
        return foreseen(card=card, card_version=card_version, type=type, action_type=action.type)
    used = [0.0] * len(declared_limits(card, action.type))
    return admit(card=card, card_version=card_version, type=type, action=action, run_id=run_id, used=used)


def _rules(
    action: ProposedAction, card: AgentCard, run_id: str, requester: str, requester_mailbox: str
) -> ApprovalRules:
    """Who decides a step; where its arguments are not known yet, with everything that the card may ask in addition."""
    if referred_keys(action.arguments):
        card = _raised_whole(card, action.type)
    return resolve_rules(card, action, run_id=run_id, requester=requester, requester_mailbox=requester_mailbox)


def _raised_whole(card: AgentCard, action_type: str) -> AgentCard:
    """The card with every raise of an action type taken as met."""
    block = card.approving(action_type)
    met = [each.model_copy(update={"when": "true"}) for each in block.raises]
    rule = card.actions[action_type].model_copy(update={"approval": block.model_copy(update={"raises": met})})
    return card.model_copy(update={"approval": None, "actions": {**card.actions, action_type: rule}})


def _known(arguments: Mapping[str, Json]) -> dict[str, Json]:
    """The arguments without those that refer to earlier results."""
    return {name: value for name, value in arguments.items() if not referred_keys(value)}


def _differs(step: PlanStep, action: ProposedAction, results: Mapping[str, Json]) -> bool:
    try:
        return stable_text(resolve(step.arguments, results)) != stable_text(action.arguments)
    except InvalidInput:
        return True
