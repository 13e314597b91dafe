"""Working out how a request is decided, when it is opened and when it is edited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.actions import AdmissionEffect, ProposedAction
from assent.domain.approving import Agenda, ApprovalRules
from assent.domain.runs import RunHeader
from assent.policy.approving import agenda, resolve
from assent.policy.cards import AgentCard
from assent.store import electorate


@dataclass(frozen=True, slots=True)
class Asking:
    """How a request is decided.

    Attributes:
        rules: Who decides, and what silence means.
        agenda: What time brings to it.
        end: When its time is up.
    """

    rules: ApprovalRules
    agenda: Agenda
    end: datetime


def asking(
    session: Session,
    header: RunHeader,
    card: AgentCard,
    action: ProposedAction,
    effect: AdmissionEffect,
    now: datetime,
) -> Asking:
    """How a request about an action is decided that admission lets people approve, or object to.

    Args:
        session: For the mailbox of a person who started the run.
        header: The run.
        card: The card that was applied.
        action: The action as people are shown it.
        effect: What admission demands: to approve, or a veto window.
        now: When it is opened, or edited.
    """
    by = header.started_by
    rules = resolve(
        card,
        action,
        run_id=header.run_id,
        requester=by.id,
        requester_mailbox="" if by.id == header.agent else electorate.mailbox(session, by.id),
        veto=effect is AdmissionEffect.VETO,
    )
    steps, end = agenda(rules, now)
    return Asking(rules, steps, end)
