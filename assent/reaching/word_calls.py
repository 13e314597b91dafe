"""What a webhook is told of somebody's word that is asked for: what for, and the page where it is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from assent.reaching import said
from assent.store import notices, people, reaching, words_asked
from assent.store.notices import Notice
from assent.store.outbox import Notification
from assent.store.tables import WebhookRow
from assent.store.webhooks import Webhook, webhook_of
from assent.store.words_asked import ASKED, WordKind


@dataclass(frozen=True, slots=True)
class WordCall:
    """A call about a word that is asked for, to be made now.

    Attributes:
        notification: Its place in the outbox.
        webhook: Where.
        kind: What the word is asked for.
        notice: What people are told.
    """

    notification: Notification
    webhook: Webhook
    kind: WordKind
    notice: Notice


def is_about_word(notification: Notification) -> bool:
    """Whether a row of the outbox tells of a word that is asked for."""
    return notification.kind == ASKED


def word_call(session: Session, claimed: Notification, at: datetime) -> WordCall | datetime | None:
    """What is to be called.

    Returns:
        The call; the end of its person's quiet hours if those began meanwhile; ``None`` if there is nothing to tell any
        more, because nobody's word is asked for now, the webhook is gone, or its person wants no calls.
    """
    hook, notice = session.get(WebhookRow, claimed.recipient), notices.one(session, claimed.subject)
    if hook is None or notice is None or not words_asked.still_asked(session, notice.subject, at):
        return None
    kind = words_asked.kind_of(session, notice.subject)
    if kind is None:
        return None
    if hook.person_id:
        person, wishes = people.one(session, hook.person_id), reaching.of_person(session, hook.person_id)
        if person is None or person.disabled or not wishes.webhook:
            return None
        # What holds everything back presses; a grant or a plan does not.
        due = wishes.due(at, presses=kind is WordKind.RESUME)
        if due > at:
            return due
    return WordCall(claimed, webhook_of(hook), kind, notice)


def word_body(call: WordCall, *, public_url: str) -> bytes:
    """What a call says."""
    notice = call.notice
    data: dict[str, Any] = {
        "kind": call.kind.value,
        "id": notice.subject,
        "headline": notice.headline,
        "text": notice.text,
        "asked_at": said.moment(notice.at),
        "url": f"{public_url}{notice.path}",
    }
    return said.body(call.notification.kind, call.notification.created_at, data)
