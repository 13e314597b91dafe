"""Whoever must still give their word (for a grant, a whole plan, a resume) is told: by mail and in Slack, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.grants import GrantStatus
from assent.domain.pauses import PausePhase
from assent.domain.plans import PlanApprovalStatus
from assent.domain.voting import Ballot, Electorate, Tally, weigh
from assent.store import electorate, grants, notices, reaching
from assent.store.consents import ballots_of
from assent.store.notices import MAIL, SLACK, Notice, NoticeKind
from assent.store.people import Person
from assent.store.tables import GrantRow, PauseRow, PlanApprovalRow

EVERYBODY = "everybody"
"""The end of the id of what a channel is told; a person's ends with their own id."""


@dataclass(frozen=True, slots=True)
class WordAsked:
    """What people are asked to give their word for.

    Attributes:
        id: The beginning of the ids of what is told; the same one is told once.
        subject: Id of the grant, of the plan's approval or of the pause.
        headline: One line.
        text: A few sentences.
        path: The page where they give it.
    """

    id: str
    subject: str
    headline: str
    text: str
    path: str


def tell(
    session: Session, asked: WordAsked, electorates: Sequence[Electorate], channels: Sequence[str], *, at: datetime
) -> None:
    """Tell everybody whose word would count for what is missing, in the transaction that makes it so; each once.

    Args:
        session: That transaction; the words given so far are in it.
        asked: What for.
        electorates: Who decides what it covers.
        channels: The ways of this installation.
        at: When.
    """
    tell_people(session, asked, _needed(session, asked.subject, electorates, at), channels, at=at)


def tell_people(
    session: Session,
    asked: WordAsked,
    people: Iterable[Person],
    channels: Sequence[str],
    *,
    at: datetime,
    presses: bool = False,
) -> None:
    """Tell these people, each once.

    Mails keep to what each person chose and to their quiet hours. Slack's channel is told once for all.

    Args:
        session: The transaction.
        asked: What for.
        people: Whose word would count.
        channels: The ways of this installation.
        at: When.
        presses: Quiet hours do not hold it back from who wants to be pressed in them.
    """
    for person in people if MAIL in channels else ():
        wishes = reaching.of_person(session, person.id)
        if wishes.mail:
            notice = _notice(asked, person.id, name=person.name, email=person.email, at=at)
            notices.tell(session, notice, (MAIL,), due_at=wishes.due(at, presses=presses))
    if SLACK in channels:
        notices.tell(session, _notice(asked, EVERYBODY, name=EVERYBODY, email="", at=at), (SLACK,))


def still_asked(session: Session, subject: str, at: datetime) -> bool:
    """Whether a grant, a plan's approval or the resume of a pause still waits for somebody's word."""
    pause = session.get(PauseRow, subject)
    if pause is not None:
        return pause.phase == PausePhase.SECOND_WANTED.value
    plan = session.get(PlanApprovalRow, subject)
    if plan is not None:
        return plan.status == PlanApprovalStatus.PENDING.value
    grant = session.get(GrantRow, subject)
    return grant is not None and grant.status == GrantStatus.PENDING.value and grant.expires_at > at


def _needed(session: Session, subject: str, electorates: Sequence[Electorate], at: datetime) -> list[Person]:
    """Everybody who has not given their word, and whose word would bring it nearer."""
    given = grants.consents(session, subject)
    gave = {word.by.id for word in given}
    found: dict[str, Person] = {}
    for each in electorates:
        ballots = ballots_of(session, each, given, at)
        missing = _count(weigh(each, ballots))
        for person in electorate.who_may_approve(session, each, at) if missing else ():
            if person.id in gave or person.id in found:
                continue
            # A word can count in the place of another one, which then counts elsewhere: only weighing them all tells.
            who = electorate.voter(session, person.id, at, electorate=each)
            if who is not None and _count(weigh(each, [*ballots, Ballot(person.id, who)])) < missing:
                found[person.id] = person
    return list(found.values())


def _count(tally: Tally) -> int:
    return sum(need.count for need in tally.missing)


def _notice(asked: WordAsked, whom: str, *, name: str, email: str, at: datetime) -> Notice:
    return Notice(
        id=f"{asked.id}-{whom}",
        kind=NoticeKind.ASKED,
        subject=asked.subject,
        name=name,
        email=email,
        slack="",
        headline=asked.headline,
        text=asked.text,
        path=asked.path,
        at=at,
    )
