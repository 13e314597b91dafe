"""Admission: whether an action may run, and how freely. All rules are weighed, all reasons kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from jsonschema import Draft202012Validator
from jsonschema import ValidationError as JsonSchemaFault

from assent.domain import paths
from assent.domain.actions import STRICTNESS, AdmissionEffect, ProposedAction, Reason, Verdict
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.tiers import Tier
from assent.policy.cards import ActionRule, AgentCard, Limit, Over, Per
from assent.policy.conditions import ConditionError, holds

_TIER_EFFECT = {
    Tier.SUGGEST: AdmissionEffect.SUGGEST,
    Tier.APPROVE: AdmissionEffect.APPROVE,
    Tier.VETO: AdmissionEffect.VETO,
    Tier.AUTO: AdmissionEffect.AUTO,
}
_EFFECT_TIER = {effect: tier for tier, effect in _TIER_EFFECT.items()}
_TIER_SENTENCE = {
    Tier.SUGGEST: "The card only lets this agent suggest it.",
    Tier.APPROVE: "The card asks a person to approve it.",
    Tier.VETO: "The card lets people object for a while, then it runs.",
    Tier.AUTO: "The card lets this agent do it automatically.",
}
_QUOTES_NAMES = {"required", "additionalProperties"}
"""Rules whose message names arguments without their values."""
_PER_WORDS = {Per.ACTION: "for one action", Per.RUN: "for one run", Per.HOUR: "within an hour"}


def admit(
    *,
    card: AgentCard,
    card_version: int,
    type: ActionType | None,
    action: ProposedAction,
    run_id: str,
    used: Sequence[float],
) -> Verdict:
    """Weigh an action against the agent's card.

    Args:
        card: The card in force.
        card_version: Its version.
        type: What the catalogue declares of the action's type; ``None`` if no connector offers it.
        action: What the agent asks for, references already replaced.
        run_id: The run.
        used: For each limit of the action's rule, in order, how much is already used.

    Returns:
        The strictest demand and every reason, strictest first.
    """
    rule = card.actions.get(action.type)
    if rule is None:
        return _verdict([_refuse("not-listed", f"The card of {card.name} does not list {action.type}.")], card_version)
    if type is None:
        return _verdict([_refuse("no-connector", f"No connector offers {action.type}.")], card_version)
    faults = schema_faults(type, action.arguments)
    if faults:
        return _verdict([_refuse("schema", fault) for fault in faults], card_version)
    reasons = [Reason(rule="tier", effect=_TIER_EFFECT[rule.tier], sentence=_TIER_SENTENCE[rule.tier])]
    reasons += _never(card, action, run_id)
    reasons += _stop_rules(rule, card, action, run_id)
    reasons += _risks(rule, type)
    reasons += _limits(rule, action, used)
    return _verdict(reasons, card_version)


def foreseen(*, card: AgentCard, card_version: int, type: ActionType | None, action_type: str) -> Verdict:
    """The verdict on a planned action as far as it can be known before its arguments are: its tier and its risks."""
    rule = card.actions.get(action_type)
    if rule is None:
        return _verdict([_refuse("not-listed", f"The card of {card.name} does not list {action_type}.")], card_version)
    if type is None:
        return _verdict([_refuse("no-connector", f"No connector offers {action_type}.")], card_version)
    tier = Reason(rule="tier", effect=_TIER_EFFECT[rule.tier], sentence=_TIER_SENTENCE[rule.tier])
    return _verdict([tier, *_risks(rule, type)], card_version)


def schema_faults(type: ActionType, arguments: Mapping[str, Json]) -> list[str]:
    """What is wrong with arguments, one sentence each; empty if nothing is."""
    faults = []
    for error in Draft202012Validator(type.arguments).iter_errors(dict(arguments)):
        place = ".".join(str(part) for part in error.absolute_path)
        what = _short(error.message) if _quotable(type, error) else f"the rule {error.validator} is not met"
        faults.append(f"{f'The argument {place}' if place else 'The arguments'} do not fit: {what}.")
    return faults


def _quotable(type: ActionType, error: JsonSchemaFault) -> bool:
    """Whether a fault's message, which quotes the value, may be shown: it must not quote a secret."""
    if not type.secrets or error.validator in _QUOTES_NAMES:
        return True
    place = [str(part + 1) if isinstance(part, int) else part for part in error.absolute_path]
    return bool(place) and not paths.touches(place, type.secrets)


def declared_limits(card: AgentCard, type_name: str) -> list[Limit]:
    """The limits whose use must be known before an action of this type is admitted."""
    rule = card.actions.get(type_name)
    return list(rule.limits) if rule else []


def measured(limit: Limit, arguments: Mapping[str, Json]) -> float | None:
    """What one action counts towards a limit: one, or its argument's value; ``None`` if that is no number."""
    if not limit.argument:
        return 1.0
    value = arguments.get(limit.argument)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _verdict(reasons: list[Reason], card_version: int) -> Verdict:
    ordered = sorted(reasons, key=lambda reason: STRICTNESS.index(reason.effect))
    effect = ordered[0].effect
    return Verdict(effect=effect, tier=_EFFECT_TIER.get(effect), reasons=ordered, card_version=card_version)


def _refuse(rule: str, sentence: str) -> Reason:
    return Reason(rule=rule, effect=AdmissionEffect.REFUSE, sentence=sentence)


def _never(card: AgentCard, action: ProposedAction, run_id: str) -> list[Reason]:
    reasons = []
    for never in card.never:
        if never.action not in (action.type, "*"):
            continue
        matches, doubt = _matches(never.when, card, action, run_id)
        if matches:
            reasons.append(_refuse("never-do", f"The card says never: {never.because}{doubt}"))
    return reasons


def _stop_rules(rule: ActionRule, card: AgentCard, action: ProposedAction, run_id: str) -> list[Reason]:
    reasons = []
    for stop in rule.stop:
        matches, doubt = _matches(stop.when, card, action, run_id)
        if matches:
            reasons.append(Reason(rule="stop-rule", effect=stop.then, sentence=f"{stop.because}{doubt}"))
    return reasons


def _matches(condition: str, card: AgentCard, action: ProposedAction, run_id: str) -> tuple[bool, str]:
    """A condition that cannot be evaluated counts as met: the careful side."""
    try:
        met = holds(condition, arguments=action.arguments, agent=card.name, run_id=run_id, reason=action.reason)
    except ConditionError:
        return True, " (The rule could not be checked for these arguments, so it is taken to apply.)"
    return met, ""


def _risks(rule: ActionRule, type: ActionType) -> list[Reason]:
    """Risk flags force approval unless the card lets it run by itself with limits and the type can be undone."""
    if rule.tier not in (Tier.AUTO, Tier.VETO):
        return [
            Reason(rule=f"risk:{risk}", effect=_TIER_EFFECT[rule.tier], sentence=risk.sentence)
            for risk in sorted(type.risks)
        ]
    if type.undo is None or not type.undo.works:
        lack = "It cannot be undone, so a person must approve it."
    elif not rule.limits:
        lack = "The card sets no limits for it, so a person must approve it."
    else:
        return []
    return [
        Reason(rule=f"risk:{risk}", effect=AdmissionEffect.APPROVE, sentence=f"{risk.sentence} {lack}")
        for risk in sorted(type.risks)
    ]


def _limits(rule: ActionRule, action: ProposedAction, used: Sequence[float]) -> list[Reason]:
    reasons = []
    for limit, already in zip(rule.limits, used, strict=True):
        effect = AdmissionEffect.REFUSE if limit.over is Over.REFUSE else AdmissionEffect.APPROVE
        amount = measured(limit, action.arguments)
        if amount is None:
            sentence = f"The card limits {limit.argument}, which is missing here or is not a number."
            reasons.append(Reason(rule="limit", effect=effect, sentence=sentence))
        elif not (amount >= 0 and already + amount <= limit.max):  # so that no comparison lets "not a number" through
            reasons.append(Reason(rule="limit", effect=effect, sentence=_limit_sentence(limit, amount, already)))
    return reasons


def _limit_sentence(limit: Limit, amount: float, already: float) -> str:
    period = _PER_WORDS[limit.per]
    if not limit.argument:
        return f"The card allows {limit.max:g} of these {period} automatically, and {already:g} were already done."
    before = f" after {already:g} already used" if already else ""
    return f"The {limit.argument} of {amount:g}{before} is over the card's automatic limit of {limit.max:g} {period}."


def _short(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:300]}… ({len(message)} characters)"
