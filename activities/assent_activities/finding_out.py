"""Asking people what became of an effect: who is told, and everything they need to find out."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from urllib.parse import quote

from sqlalchemy.orm import Session

from assent.policy.cards import AgentCard
from assent.policy.sentences import fill
from assent.store import cards, notices
from assent.store.notices import Notice, NoticeKind
from assent.store.tables import ActionRow, UnknownEffectRow
from assent_activities.dependencies import Dependencies

_MOST = 600
"""Characters of an agent's sentence in a notice; the page has the whole."""


def ask_people(session: Session, dependencies: Dependencies, row: ActionRow, *, said: str, at: datetime) -> bool:
    """Tell the card's escalation contact that somebody must find out; once for each time that it is unknown.

    Returns:
        Whether they are told now; false if they were before, or if there is no card to name them.
    """
    question = session.get(UnknownEffectRow, row.action_id)
    version = cards.version_in_force(session, row.agent)
    found = None if version is None else cards.read_version(session, row.agent, version)
    if question is None or found is None:
        return False
    contact = AgentCard.model_validate(found.card).escalation
    operation = dependencies.registry.get(row.type)
    look_for = fill(operation.type.how_to_find_out, operation.type, row.arguments) if operation else ""
    parts = [
        f"{row.agent} tried this, and nobody knows whether it happened: {_short(row.sentence)}",
        f"It was tried {question.tried_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, attempt {question.attempts}, "
        f"with the key {row.action_id}.",
        said,
        f"How to find out: {_short(look_for)}" if look_for else "",
        "Nothing is repeated or undone until somebody says what happened.",
    ]
    notice = Notice(
        id=_id(row.action_id, question.found_at),
        kind=NoticeKind.ALERT,
        subject=row.action_id,
        name=contact.name,
        email=contact.email,
        slack=contact.slack,
        headline="Did it happen? An effect is unknown",
        text="\n".join(part for part in parts if part),
        path=f"/effects/{quote(row.action_id, safe='', errors='replace')}",
        at=at,
    )
    return notices.tell(session, notice, dependencies.channels)


def _id(action_id: str, found_at: datetime) -> str:
    digest = hashlib.sha256(f"{action_id}\0{found_at.isoformat()}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"unknown-{digest[:16]}"


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]}… ({len(text):,} characters in all)"
