"""Building what an approver is shown."""

from __future__ import annotations

import math
from collections.abc import Iterable

from assent.domain import paths
from assent.domain.actions import AdmissionEffect, ProposedAction, Verdict
from assent.domain.approvals import RequestCard
from assent.domain.approving import ApprovalRules
from assent.domain.canonical import Json
from assent.domain.card_content import content
from assent.domain.card_facts import Deciders, Reached, Received, Target, UndoFacts
from assent.domain.card_text import plain_text
from assent.domain.catalogue import ActionType, BlastUnit, changes_without_secrets
from assent.domain.effects import ResourceChange
from assent.domain.hostile_text import written_out
from assent.domain.people import Assurance
from assent.domain.revisions import Predecessor, Revised
from assent.domain.runs import RunHeader
from assent.policy.cards import AgentCard
from assent.policy.durations import write_duration
from assent.policy.sentences import currency_of_call, fill, redacted
from assent_activities.facts import Facts
from assent_activities.previews import Preview

RECEIVED = 4_000
"""Characters that a request keeps of what the agent was given; the run keeps all of it."""

_NO_FACTS = Facts()
_STOPS = {AdmissionEffect.APPROVE, AdmissionEffect.VETO}
_SURE = {
    Assurance.SLACK: "",
    Assurance.SESSION: "A click in Slack is not enough: it is decided on the web page.",
    Assurance.FRESH: "It is decided on the web page, after a fresh proof of who you are (passkey or password).",
}


def request_card(
    *,
    header: RunHeader,
    card: AgentCard,
    type: ActionType,
    action: ProposedAction,
    verdict: Verdict,
    preview: Preview,
    facts: Facts = _NO_FACTS,
    rules: ApprovalRules | None = None,
    revision: int = 1,
    revised: Revised | None = None,
    instead_of: Predecessor | None = None,
) -> RequestCard:
    """Everything an approver is shown of an action, with its plain text.

    Args:
        header: The run.
        card: The agent's card that was applied.
        type: What the catalogue declares.
        action: The action.
        verdict: Its admission.
        preview: What was seen of the records.
        facts: What the database knows.
        rules: How it is decided; its words are the card's own if left out.
        revision: Which revision of the request this is.
        revised: Who edited it, if it was.
        instead_of: What it is proposed in place of.
    """
    shown = RequestCard(
        headline=fill(type.sentence, type, action.arguments),
        agent=header.agent,
        agent_title=card.title or card.name,
        run_id=header.run_id,
        goal=header.goal,
        action_type=type.name,
        action_title=type.title,
        arguments=redacted(type, action.arguments),
        changes=changes_without_secrets(preview.changes, type.secrets),
        preview_note=preview.note,
        stopped_because=[reason for reason in verdict.reasons if reason.effect in _STOPS],
        undo=undo_sentence(type, action),
        agent_words=action.reason,
        amount=amount_moved(type, action, preview),
        on_silence=_silence(card, action, rules),
        revision=revision,
        revised=revised,
        instead_of=instead_of,
        card_version=verdict.card_version,
        currency=currency_of_call(type, action.arguments),
        money=sorted({*type.money, *([type.amount] if type.amount else [])}),
        target=_target(type, action, facts),
        reaches=list(reached_by(type, action, preview)),
        undoing=_undoing(type, action),
        received=_received(facts.received),
        looked_at=facts.looked_at,
        earlier=list(facts.earlier),
        deciders=None if rules is None else deciders_in_words(rules),
    )
    return shown.model_copy(update={"text": plain_text(content(shown))})


def with_other_arguments(
    shown: RequestCard, type: ActionType, action: ProposedAction, changes: list[ResourceChange]
) -> RequestCard:
    """A card as it would be of a call with other arguments, without a look at any system.

    Args:
        shown: The card of the call as it was.
        type: What the catalogue declares.
        action: The call with the other arguments.
        changes: The records as they would be shown.
    """
    amount = _number(action.arguments.get(type.amount)) if type.amount else None
    target = _target(type, action, Facts())
    kept = shown.target.resource if shown.target else ""
    other = shown.model_copy(
        update={
            "headline": fill(type.sentence, type, action.arguments),
            "arguments": redacted(type, action.arguments),
            "changes": changes_without_secrets(changes, type.secrets),
            "amount": shown.amount if amount is None else amount,
            "undo": undo_sentence(type, action),
            "undoing": _undoing(type, action),
            "target": target.model_copy(update={"resource": target.resource or kept}) if target else None,
            "text": "",
        }
    )
    return other.model_copy(update={"text": plain_text(content(other))})


def undo_sentence(type: ActionType, action: ProposedAction) -> str:
    """How an action is taken back, in words."""
    if type.undo is None:
        return "It cannot be undone by Assent."
    until = f" Possible for {write_duration(type.undo.within)} after it was done." if type.undo.within else ""
    return f"{fill(type.undo.sentence, type, action.arguments)} Only if: {type.undo.precondition}{until}"


def deciders_in_words(rules: ApprovalRules) -> Deciders:
    """Who decides, as a request says it."""
    of = rules.electorate
    raised = [each if each.endswith(".") else f"{each}." for each in rules.because]
    deny = f"{of.deny} rejections reject it; one alone does not." if of.deny > 1 else ""
    return Deciders(
        needs=" ".join([rules.needs_words, *raised]).strip(), deny=deny, assurance=_SURE.get(of.assurance, "")
    )


def _silence(card: AgentCard, action: ProposedAction, rules: ApprovalRules | None) -> str:
    if rules is not None:
        return rules.silence_words
    return f"If nobody decides within {write_duration(card.actions[action.type].expires)}, it is rejected."


def amount_moved(type: ActionType, action: ProposedAction, preview: Preview) -> float | None:
    """Money moved: what the arguments say, else what the connector worked out."""
    declared = action.arguments.get(type.amount) if type.amount else None
    return _number(preview.extent.amount if declared is None else declared)


def _number(value: Json) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _target(type: ActionType, action: ProposedAction, facts: Facts) -> Target | None:
    if type.target is None:
        return None
    words = fill(type.target.words, type, action.arguments)
    resource = fill(type.target.resource, type, action.arguments)
    return Target(words=words, resource=resource or (facts.resources[0] if len(facts.resources) == 1 else ""))


def reached_by(type: ActionType, action: ProposedAction, preview: Preview) -> Iterable[Reached]:
    """What an action reaches, by unit: what the connector worked out, else what the arguments say."""
    said = dict(preview.extent.reaches)
    for declared in type.blast:
        count = said.pop(declared.unit, None)
        number = _counted(declared, action) if count is None else count
        yield Reached(unit=declared.unit, one=declared.one or declared.unit[:-1], count=number)
    for unit, count in said.items():
        yield Reached(unit=unit, one=unit.removesuffix("s"), count=count)


def _counted(declared: BlastUnit, action: ProposedAction) -> float:
    """What the arguments say of a unit."""
    if not declared.argument:
        return declared.each
    values = list(paths.found(action.arguments, declared.argument))
    return math.fsum(_size(value) for value in values)


def _size(value: Json) -> float:
    number = _number(value)
    if number is not None:
        return number
    return len(value) if isinstance(value, list) else 0 if value is None else 1


def _undoing(type: ActionType, action: ProposedAction) -> UndoFacts | None:
    if type.undo is None:
        return None
    how = fill(type.undo.sentence, type, action.arguments)
    return UndoFacts(how=how, only_if=type.undo.precondition, within=type.undo.within)


def _received(received: Json) -> Received | None:
    if received is None:
        return None
    text = received if isinstance(received, str) else written_out(received)
    return Received(text=text[:RECEIVED], left_out=max(0, len(text) - RECEIVED))
