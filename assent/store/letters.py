"""Letters: who is mailed about a request, what for and when; one outbox row for each, written once.

What transactions leave in the outbox names a request alone. Here it becomes a row for each person who is asked now and
wants mails, due after their quiet hours. What a letter says is read when it is sent, so that it is true then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.reaching import Reaching
from assent.store import approvals, electorate, outbox, people, reaching
from assent.store.outbox import Addressed, Notification
from assent.store.people import Person
from assent.store.queries import approvals as views
from assent.store.queries.approvals import ApprovalView
from assent.store.tables import ApprovalRow, DecisionRow

MAIL = "mail"
"""The outbox channel of mails."""

_PRESSES = {approvals.REMINDER, approvals.ESCALATED}


class LetterKind(StrEnum):
    """Why somebody is mailed."""

    ASKED = "letter.asked"
    REMINDED = "letter.reminded"
    ESCALATED = "letter.escalated"
    EDITED = "letter.edited"
    DECIDED = "letter.decided"

    @property
    def presses(self) -> bool:
        """It may come in quiet hours, where the person said so."""
        return self in (LetterKind.REMINDED, LetterKind.ESCALATED)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that is to be sent now.

    Attributes:
        notification: Its place in the outbox.
        kind: Why it is sent.
        person: To whom.
        approval: What it is about, as it stands now.
    """

    notification: Notification
    kind: LetterKind
    person: Person
    approval: ApprovalView


def address_letters(session: Session, written: Notification, at: datetime) -> bool:
    """Write a letter for each person whom a notification concerns, and take it off the queue.

    Both in the caller's transaction, so that nobody gets two letters for one thing, and nobody none.

    Returns:
        Whether it was done; false if the lease was lost and somebody else does it.
    """
    if not outbox.mark_sent(session, written, at=at):
        return False
    row = session.get(ApprovalRow, written.subject)
    if row is None:
        return True
    earlier = outbox.addressed(session, MAIL, row.id)
    if row.status == ApprovalStatus.PENDING.value:
        _ask(session, written, row, earlier, at)
    else:
        _tell(session, written, row, earlier, at)
    return True


def letter(session: Session, claimed: Notification, at: datetime) -> Letter | datetime | None:
    """What is to be sent for a row of one person.

    Returns:
        The letter; the end of their quiet hours if those began meanwhile; ``None`` if there is nothing to send any
        more, because it was decided, somebody else is asked now, or the person wants no mails.
    """
    person, kind = people.one(session, claimed.recipient), LetterKind(claimed.kind)
    row = session.get(ApprovalRow, claimed.subject)
    if person is None or person.disabled or row is None:
        return None
    wishes = reaching.of_person(session, person.id)
    if not _wanted(session, row, person, kind, wishes, at):
        return None
    due = wishes.due(at, presses=kind.presses)
    return due if due > at else Letter(claimed, kind, person, views.one(session, row.id))


def _wanted(
    session: Session, row: ApprovalRow, person: Person, kind: LetterKind, wishes: Reaching, at: datetime
) -> bool:
    pending = row.status == ApprovalStatus.PENDING.value
    if not wishes.mail:
        return False
    if kind is LetterKind.DECIDED:
        return not pending and wishes.decided
    return pending and electorate.is_asked(session, row, person.id, at) and person.id not in _voted(session, row.id)


def _ask(session: Session, written: Notification, row: ApprovalRow, earlier: Sequence[Addressed], at: datetime) -> None:
    asked = electorate.asked_people(session, row.id, at)
    chosen = reaching.of_people(session, [person.id for person in asked])
    voted = _voted(session, row.id)
    for person in asked:
        wishes = chosen[person.id]
        if not wishes.mail or person.id in voted:
            continue
        mine = [one for one in earlier if one.notification.recipient == person.id]
        presses = written.kind in _PRESSES
        due = wishes.due(at, presses=presses)
        waiting = next((one.notification for one in mine if one.waits), None)
        # One that waits for the morning gives way to one that need not; one that failed is tried again by itself.
        gives_way = presses and due <= at and waiting is not None and waiting.attempts == 0 and waiting.due_at > at
        if waiting is not None and waiting.revision == row.revision and not gives_way:
            continue
        if waiting is not None:
            outbox.let_go(session, waiting)
        kind = _kind(written.kind, [one.notification for one in mine if one.delivered], row.revision)
        if kind is not None:
            outbox.address(session, written, person.id, kind=kind.value, revision=row.revision, at=at, due_at=due)


def _kind(written: str, had: Sequence[Notification], revision: int) -> LetterKind | None:
    """Why somebody is mailed who had these letters already; ``None`` if there is nothing new for them."""
    if written == approvals.REMINDER:
        return LetterKind.REMINDED
    if not had:
        return LetterKind.ESCALATED if written == approvals.ESCALATED else LetterKind.ASKED
    return LetterKind.EDITED if all(one.revision < revision for one in had) else None


def _tell(
    session: Session, written: Notification, row: ApprovalRow, earlier: Sequence[Addressed], at: datetime
) -> None:
    """Let go what waits, and tell those of the end who had a letter and want to know."""
    for one in earlier:
        if one.waits and one.notification.kind != LetterKind.DECIDED:
            outbox.let_go(session, one.notification)
    told = {one.notification.recipient for one in earlier if one.notification.kind == LetterKind.DECIDED}
    had = {one.notification.recipient for one in earlier if one.delivered} - told
    decider = (row.decided_by or {}).get("id", "")
    for person_id, wishes in sorted(reaching.of_people(session, had).items()):
        if wishes.mail and wishes.decided and person_id != decider:
            due, kind = wishes.due(at), LetterKind.DECIDED.value
            outbox.address(session, written, person_id, kind=kind, revision=row.revision, at=at, due_at=due)


def _voted(session: Session, approval_id: str) -> frozenset[str]:
    """Who approved already, and whose approval counts."""
    votes = session.execute(
        select(col(DecisionRow.person)).where(
            col(DecisionRow.approval_id) == approval_id,
            col(DecisionRow.counted),
            ~col(DecisionRow.lapsed),
            col(DecisionRow.verb) == Verb.APPROVE.value,
        )
    ).scalars()
    return frozenset(votes)
