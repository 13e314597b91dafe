"""Webhooks: addresses that are told of requests, and what each is told. Every change is a ledger event.

A secret is kept sealed, and neither it nor the path of an address, which may hold one too, is ever in the ledger.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus
from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.people import Actor
from assent.domain.signed_calls import SECRET_BYTES, written_secret
from assent.store import approvals, electorate, ledger, outbox, people, reaching
from assent.store.outbox import Notification
from assent.store.queries import approvals as views
from assent.store.queries.approvals import ApprovalView
from assent.store.sealing import Sealer
from assent.store.tables import ApprovalRow, WebhookRow

WEBHOOK = "webhook"
"""The outbox channel of webhooks."""

SEALED_FOR = "webhook secret"
"""What secrets are sealed as."""

MOST = 50
"""Webhooks of the installation at most; a person has one, and of all of theirs twenty times as many are called."""

LONGEST_URL = 1_000
GIVEN_UP_AFTER = timedelta(days=3)
"""How long one event is tried."""


class Event(StrEnum):
    """What a webhook is told."""

    REQUESTED = "approval.requested"
    REMINDED = "approval.reminded"
    ESCALATED = "approval.escalated"
    DECIDED = "approval.decided"
    EXPIRED = "approval.expired"

    @property
    def over(self) -> bool:
        """It tells of a request's end."""
        return self in (Event.DECIDED, Event.EXPIRED)

    @property
    def presses(self) -> bool:
        """It may come in quiet hours, where the person said so."""
        return self in (Event.REMINDED, Event.ESCALATED)


_EVENTS = {
    approvals.REQUESTED: Event.REQUESTED,
    approvals.REMINDER: Event.REMINDED,
    approvals.ESCALATED: Event.ESCALATED,
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of requests.

    Attributes:
        id: Its id.
        person_id: Whose it is; empty for one of the installation.
        url: Where.
        sealed_secret: What its calls are signed with, encrypted.
        created_at: Since when.
    """

    id: str
    person_id: str
    url: str
    sealed_secret: str
    created_at: datetime

    @property
    def host(self) -> str:
        """The host that is called, without what may be a secret in its path."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is to be made now.

    Attributes:
        notification: Its place in the outbox.
        webhook: Where.
        event: What it tells.
        approval: What it is about, as it stands now.
    """

    notification: Notification
    webhook: Webhook
    event: Event
    approval: ApprovalView


def add(
    session: Session, sealer: Sealer, *, url: str, at: datetime, by: Actor, internal: bool, person_id: str = ""
) -> tuple[Webhook, str]:
    """Keep a webhook; gives it and its secret, which is shown this once.

    Args:
        session: The transaction.
        sealer: Seals the secret.
        url: Where to call.
        at: When.
        by: Who adds it.
        internal: ``http`` is allowed.
        person_id: Whose it is; empty for one of the installation.

    Raises:
        InvalidInput: That is no address that can be called.
        Conflict: There are too many.
    """
    check_url(url, internal=internal)
    if len(of_owner(session, person_id)) >= (MOST if not person_id else 1):
        todo = "Remove the old one first." if person_id else "Remove one that nobody needs: `assent webhook list`."
        raise Conflict("There are as many webhooks as there may be.", where="url", todo=todo)
    id = f"hook-{uuid.uuid4().hex[:12]}"
    secret = written_secret(secrets.token_bytes(SECRET_BYTES))
    row = WebhookRow(
        id=id,
        person_id=person_id,
        url=url,
        sealed_secret=sealer.seal(secret, owner=id),
        created_at=at,
        created_by=by.model_dump(mode="json"),
    )
    session.add(row)
    session.flush()
    made = webhook_of(row)
    body = {"webhook": id, "host": made.host, "person": person_id}
    ledger.append(session, at=at, kind="webhook.added", actor=by, body=dict(body))
    return made, secret


def remove(session: Session, webhook_id: str, *, at: datetime, by: Actor, person_id: str | None = None) -> Webhook:
    """Call an address no more; what waits for it is let go.

    Args:
        session: The transaction.
        webhook_id: Which one.
        at: When.
        by: Who removes it.
        person_id: Whose it must be; ``None`` for anybody's.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    row = session.get(WebhookRow, webhook_id)
    if row is None or (person_id is not None and row.person_id != person_id):
        raise NotFound(f"There is no webhook {webhook_id!r}.", where="webhook", todo="`assent webhook list` shows all.")
    gone = webhook_of(row)
    session.delete(row)
    session.flush()
    body = {"webhook": gone.id, "host": gone.host, "person": gone.person_id}
    ledger.append(session, at=at, kind="webhook.removed", actor=by, body=dict(body))
    return gone


def of_owner(session: Session, person_id: str = "") -> Sequence[Webhook]:
    """The webhooks of the installation, or of a person."""
    wanted = select(WebhookRow).where(col(WebhookRow.person_id) == person_id)
    return [webhook_of(row) for row in session.execute(wanted.order_by(col(WebhookRow.id)).limit(MOST)).scalars()]


def of_people(session: Session, person_ids: Iterable[str]) -> Mapping[str, str]:
    """Ids of the webhooks of some people, by whose they are."""
    wanted = select(WebhookRow).where(col(WebhookRow.person_id).in_([id for id in person_ids if id]))
    return {row.person_id: row.id for row in session.execute(wanted).scalars()}


def every(session: Session) -> Sequence[Webhook]:
    """All of them, those of the installation first."""
    wanted = select(WebhookRow).order_by(col(WebhookRow.person_id), col(WebhookRow.id)).limit(20 * MOST)
    return [webhook_of(row) for row in session.execute(wanted).scalars()]


def check_url(url: str, *, internal: bool) -> None:
    """Refuse an address that is never called.

    Raises:
        InvalidInput: It is too long, not https, or carries a name and password.
    """
    todo = "It looks like https://example.com/hooks/assent."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInput("That is no address.", where="url", todo=todo) from error
    schemes = {"https", "http"} if internal else {"https"}
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_URL
    if not plain or parts.scheme not in schemes or not parts.hostname or port == 0:
        raise InvalidInput("A webhook is an https address.", where="url", todo=todo)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidInput("A webhook's address has no name, password or fragment.", where="url", todo=todo)


def address_calls(session: Session, written: Notification, at: datetime) -> bool:
    """Write a call for each webhook that a notification concerns, and take it off the queue, in one transaction.

    Returns:
        Whether it was done; false if the lease was lost and somebody else does it.
    """
    if not outbox.mark_sent(session, written, at=at):
        return False
    row = session.get(ApprovalRow, written.subject)
    event = None if row is None else _event(written.kind, row.status)
    if row is None or event is None:
        return True
    for webhook in of_owner(session):
        outbox.address(session, written, webhook.id, kind=event.value, revision=row.revision, at=at, due_at=at)
    own = select(WebhookRow).where(col(WebhookRow.person_id) != "").order_by(col(WebhookRow.person_id))
    personal = {found.person_id: found.id for found in session.execute(own.limit(20 * MOST)).scalars()}
    if personal:
        told = {one.notification.recipient for one in outbox.addressed(session, WEBHOOK, row.id) if one.delivered}
        asked = [] if event.over else [each.id for each in electorate.asked_people(session, row.id, at)]
        whom = [id for id in personal if (personal[id] in told if event.over else id in asked)]
        for person_id, wishes in sorted(reaching.of_people(session, whom).items()):
            if wishes.webhook:
                due, hook = wishes.due(at, presses=event.presses), personal[person_id]
                outbox.address(session, written, hook, kind=event.value, revision=row.revision, at=at, due_at=due)
    return True


def call(session: Session, claimed: Notification, at: datetime) -> Call | datetime | None:
    """What is to be called for a row of one webhook.

    Returns:
        The call; the end of its person's quiet hours if those began meanwhile; ``None`` if there is nothing to tell it
        any more, because the request was decided, or its person is not asked any more or wants no calls.
    """
    hook, row = session.get(WebhookRow, claimed.recipient), session.get(ApprovalRow, claimed.subject)
    if hook is None or row is None:
        return None
    event, pending = Event(claimed.kind), row.status == ApprovalStatus.PENDING.value
    if hook.person_id:
        person, wishes = people.one(session, hook.person_id), reaching.of_person(session, hook.person_id)
        if person is None or person.disabled or not wishes.webhook:
            return None
        if not event.over and not (pending and electorate.is_asked(session, row, person.id, at)):
            return None
        due = wishes.due(at, presses=event.presses)
        if due > at:
            return due
    return Call(claimed, webhook_of(hook), event, views.one(session, row.id))


def _event(kind: str, status: str) -> Event | None:
    if kind == approvals.CLOSED and status != ApprovalStatus.PENDING.value:
        return Event.EXPIRED if status == ApprovalStatus.EXPIRED.value else Event.DECIDED
    return _EVENTS.get(kind)


def webhook_of(row: WebhookRow) -> Webhook:
    """A row as other parts see it."""
    return Webhook(row.id, row.person_id, row.url, row.sealed_secret, row.created_at)
