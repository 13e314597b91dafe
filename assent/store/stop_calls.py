"""Which webhooks are told of stops: those of the installation of every pause that people, breakers and monitoring make.

The rows of the outbox are written by the transaction that makes it true. Who was told of a pause is told of its end;
nobody is told of what a rollback or a drill pauses for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.drills import is_scratch
from assent.domain.pauses import Scope
from assent.store.tables import OutboxRow, WebhookRow
from assent.store.webhooks import MOST, WEBHOOK


class StopEvent(StrEnum):
    """What a webhook is told of a stop; the subject in the outbox is the pause's id."""

    PAUSED = "pause.requested"
    TRIPPED = "breaker.tripped"
    FELL_BACK = "pause.fell_back"
    RESUMED = "pause.resumed"


def tell(session: Session, events: Iterable[StopEvent], pause_id: str, scope: Scope, *, at: datetime) -> None:
    """Write a call for each webhook of the installation, in the transaction that makes it true.

    Args:
        session: That transaction.
        events: What happened, in order.
        pause_id: The pause.
        scope: What it covers.
        at: When.
    """
    if is_scratch(scope.agent):
        return
    shared = select(col(WebhookRow.id)).where(col(WebhookRow.person_id) == "").order_by(col(WebhookRow.id))
    _write(session, list(session.execute(shared.limit(MOST)).scalars()), events, pause_id, at)


def follow(session: Session, event: StopEvent, pause_id: str, *, at: datetime) -> None:
    """Write a call for each webhook that was told of a pause before."""
    told = (
        select(col(OutboxRow.recipient))
        .where(col(OutboxRow.subject) == pause_id, col(OutboxRow.channel) == WEBHOOK)
        .where(col(OutboxRow.kind) == StopEvent.PAUSED.value)
        .order_by(col(OutboxRow.id))
    )
    _write(session, list(session.execute(told).scalars()), [event], pause_id, at)


def _write(session: Session, webhooks: list[str], events: Iterable[StopEvent], pause_id: str, at: datetime) -> None:
    common = {"channel": WEBHOOK, "subject": pause_id, "created_at": at, "due_at": at, "attempts": 0, "error": ""}
    rows = [
        {**common, "kind": event.value, "recipient": webhook, "sent": False} for event in events for webhook in webhooks
    ]
    if rows:
        session.execute(insert(OutboxRow), rows)
