"""Building what an approver is shown."""

from __future__ import annotations

from datetime import timedelta

from assent.domain.actions import AdmissionEffect, ProposedAction, Verdict
from assent.domain.approvals import RequestCard
from assent.domain.catalogue import ActionType
from assent.domain.effects import ResourceChange
from assent.domain.runs import RunHeader
from assent.policy.cards import AgentCard
from assent.policy.durations import write_duration
from assent.policy.sentences import fill, redacted


def request_card(
    *,
    header: RunHeader,
    card: AgentCard,
    type: ActionType,
    action: ProposedAction,
    verdict: Verdict,
    changes: list[ResourceChange],
    note: str,
) -> RequestCard:
    """Everything an approver is shown of an action."""
    amount = action.arguments.get(type.amount) if type.amount else None
    expires = card.actions[action.type].expires
    return RequestCard(
        headline=fill(type.sentence, type, action.arguments),
        agent=header.agent,
        agent_title=card.title or card.name,
        run_id=header.run_id,
        goal=header.goal,
        action_type=type.name,
        action_title=type.title,
        arguments=redacted(type, action.arguments),
        changes=changes,
        preview_note=note,
        stopped_because=[reason for reason in verdict.reasons if reason.effect is AdmissionEffect.APPROVE],
        undo=undo_sentence(type, action),
        agent_words=action.reason,
        amount=float(amount) if isinstance(amount, int | float) and not isinstance(amount, bool) else None,
        on_silence=f"If nobody decides within {write_duration(expires)}, it is rejected.",
    )


def undo_sentence(type: ActionType, action: ProposedAction) -> str:
    """How an action is taken back, in words."""
    if type.undo is None:
        return "It cannot be undone by Assent."
    until = f" Possible for {_words(type.undo.within)} after it was done." if type.undo.within else ""
    return f"{fill(type.undo.sentence, type, action.arguments)} Only if: {type.undo.precondition}{until}"


def _words(span: timedelta) -> str:
    return write_duration(span)
