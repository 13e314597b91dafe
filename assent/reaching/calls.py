"""What a webhook is called for (a request, a stop, a word that is asked for), and what the call says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import quote

from sqlalchemy.orm import Session

from assent.reaching import said
from assent.reaching.stop_calls import StopCall, is_about_stop, stop_body, stop_call
from assent.reaching.word_calls import WordCall, is_about_word, word_body, word_call
from assent.store import webhooks
from assent.store.outbox import Notification
from assent.store.webhooks import Call

MOST_BYTES = 256 * 1024
"""Bytes of a body at most; a larger card is left out and says so."""

AnyCall: TypeAlias = Call | StopCall | WordCall
"""A call about any of them."""

Look: TypeAlias = Callable[[Session, Notification, datetime], AnyCall | datetime | None]
"""Reads the call of a row of the outbox, when it may be made, or that nobody needs it any more."""


def look_of(notification: Notification) -> Look:
    """What reads the call of a row of the outbox."""
    if is_about_word(notification):
        return word_call
    return stop_call if is_about_stop(notification) else webhooks.call


def about_of(notification: Notification) -> str:
    """What the ledger calls the subject of a row of the outbox."""
    if is_about_word(notification):
        return "notice"
    return "pause" if is_about_stop(notification) else "approval"


def body_of(call: AnyCall, *, public_url: str) -> bytes:
    """What a call says."""
    if isinstance(call, WordCall):
        return word_body(call, public_url=public_url)
    if isinstance(call, StopCall):
        return stop_body(call, public_url=public_url)
    return request_body(call, public_url=public_url)


def request_body(call: Call, *, public_url: str) -> bytes:
    """What a call says: the request as it stands, with everything that people are shown and no secret."""
    approval = call.approval
    data: dict[str, Any] = {
        "approval_id": approval.id,
        "status": approval.status.value,
        "headline": approval.headline,
        "agent": approval.agent,
        "action_type": approval.type,
        "run_id": approval.run_id,
        "revision": approval.revision,
        "digest": approval.digest,
        "amount": approval.amount,
        "currency": approval.card.currency,
        "created_at": said.moment(approval.created_at),
        "expires_at": said.moment(approval.expires_at),
        "decided_at": said.moment(approval.decided_at),
        "decided_by": approval.decided_by.name if approval.decided_by else None,
        "reason": approval.decision_reason,
        "url": f"{public_url}/approvals/{quote(approval.id, safe='')}",
        "card": approval.card.model_dump(mode="json", exclude={"text"}),
    }
    body = said.body(call.event.value, call.notification.created_at, data)
    if len(body) > MOST_BYTES:
        short = data | {"card": None, "card_left_out": True, "headline": approval.headline[:1_000], "reason": ""}
        body = said.body(call.event.value, call.notification.created_at, short)
    return body
