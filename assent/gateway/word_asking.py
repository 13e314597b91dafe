"""What whoever must still give their word for a grant or for a whole plan is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from sqlalchemy.orm import Session

from assent.domain.card_text import exact
from assent.domain.plans import WeighedPlan
from assent.domain.voting import Electorate
from assent.domain.words import counted
from assent.store import words_asked
from assent.store.queries.grants import GrantView, PlanApprovalView
from assent.store.words_asked import WordAsked

_MOST = 400
"""Characters of one line that are told; the page has all of it."""

_STEPS = 10
"""Steps of a plan that are told, likewise."""


def ask_for_grant(
    session: Session, view: GrantView, electorates: Sequence[Electorate], channels: Sequence[str], *, at: datetime
) -> None:
    """Tell those who can confirm a pending grant, in the transaction that left it pending."""
    terms = view.terms
    told = [
        f"{view.given_by.name} wants {terms.action_type} by {terms.agent} to run without asking: "
        f"{counted(terms.uses, 'time')} at most, until {exact(terms.expires_at)}.",
        *(f"• {_short(sentence)}" for sentence in terms.sentences),
        *([f"Note: {_short(view.note)}"] if view.note else []),
        f"It covers nothing before {view.missing} confirmed it.",
    ]
    path = f"/grants/{quote(view.id, safe='')}"
    asked = WordAsked(f"word-{view.id}", view.id, "A standing grant waits to be confirmed", "\n".join(told), path)
    words_asked.tell(session, asked, electorates, channels, at=at)


def ask_for_plan(
    session: Session, view: PlanApprovalView, plan: WeighedPlan, channels: Sequence[str], *, at: datetime
) -> None:
    """Tell those who can approve a pending plan, in the transaction that left it pending."""
    by = view.words[-1].by.name if view.words else view.given_by.name
    steps = [f"• {_short(step.sentence)}" for step in plan.steps[:_STEPS]]
    if more := len(plan.steps) - len(steps):
        steps.append(f"• and {counted(more, 'more step')}")
    told = [
        f"{by} approved the whole plan of {counted(len(plan.steps), 'step')} of {view.agent}, run {view.run_id}.",
        *steps,
        *([f"Reason: {_short(view.note)}"] if view.note else []),
        f"It covers nothing before {view.missing} approved it, too.",
    ]
    path = f"/plans/{quote(view.id, safe='')}"
    asked = WordAsked(f"word-{view.id}", view.id, "A whole plan waits for more approvals", "\n".join(told), path)
    words_asked.tell(session, asked, [plan.electorate], channels, at=at)


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]}… ({len(text):,} characters in all)"
