"""Whoever must still give their word (for a grant, a whole plan, a resume) is told once: by mail, webhook, in Slack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert
from sqlalchemy.orm import Session

from assent.domain.ballots import Ballot, Tally, weigh
from assent.domain.grants import GrantStatus
from assent.domain.pauses import PausePhase
from assent.domain.plans import PlanApprovalStatus
from assent.domain.voting import Electorate
from assent.store import electorate, grants, notices, reaching, slack_people, webhooks
from assent.store.consents import ballots_of
from assent.store.notices import MAIL, SLACK, Notice, NoticeKind
from assent.store.people import Person
from assent.store.tables import GrantRow, OutboxRow, PauseRow, PlanApprovalRow
from assent.store.webhooks import WEBHOOK

ASKED = "word.asked"
"""What a webhook is told; the subject in the outbox is the notice's id."""

EVERYBODY = "everybody"
"""The end of the id of what a channel is told; a person's ends with their own id."""


class WordKind(StrEnum):
    """What somebody's word is asked for."""

    GRANT = "grant"
    PLAN = "plan"
    RESUME = "resume"


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

    Mails and calls of personal webhooks keep to what each person chose and to their quiet hours. Slack's channel and
    the webhooks of the installation are told once for all.

    Args:
        session: The transaction.
        asked: What for.
        people: Whose word would count.
        channels: The ways of this installation.
        at: When.
        presses: Quiet hours do not hold it back from who wants to be pressed in them.
    """
    calls = WEBHOOK in channels
    asked_of = list(people)
    hooks = webhooks.of_people(session, [person.id for person in asked_of]) if calls else {}
    for person in asked_of:
        wishes = reaching.of_person(session, person.id)
        ways = (MAIL,) if MAIL in channels and wishes.mail else ()
        hook = hooks.get(person.id, "") if wishes.webhook else ""
        notice, due = (
            _notice(asked, person.id, name=person.name, email=person.email, at=at),
            wishes.due(at, presses=presses),
        )
        if (ways or hook) and notices.tell(session, notice, ways, due_at=due):
            _call(session, notice, [hook] if hook else [], due_at=due)
    shared = [hook.id for hook in webhooks.of_owner(session)] if calls else []
    ways = (SLACK,) if SLACK in channels else ()
    notice = _notice(asked, EVERYBODY, name=EVERYBODY, email="", at=at)
    if (ways or shared) and notices.tell(session, notice, ways):
        _call(session, notice, shared, due_at=at)


def kind_of(session: Session, subject: str) -> WordKind | None:
    """What somebody's word is asked for; ``None`` if there is no such thing any more."""
    for kind, row in ((WordKind.RESUME, PauseRow), (WordKind.PLAN, PlanApprovalRow), (WordKind.GRANT, GrantRow)):
        if session.get(row, subject) is not None:
            return kind
    return None


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


def asked_until(session: Session, subject: str, at: datetime) -> datetime:
    """When a word is no longer asked for by itself, but no later than ``at``."""
    grant = session.get(GrantRow, subject)
    return at if grant is None else min(at, grant.expires_at)


def stale_homes(session: Session, electorates: Sequence[Electorate], at: datetime) -> None:
    """Note that what waits for those who could give their word has changed, for their pages of the Slack app."""
    whom = {person.id for each in electorates for person in electorate.who_may_approve(session, each, at)}
    if slack_people.any_home(session, whom):
        slack_people.stale_homes(session, whom)


def is_needed(session: Session, subject: str, electorates: Sequence[Electorate], person_id: str, at: datetime) -> bool:
    """Whether somebody has not given their word, is here to give it, and it would bring what is asked for nearer."""
    given = grants.consents(session, subject)
    if any(word.by.id == person_id for word in given):
        return False
    return any(
        electorate.would_be_asked(session, each, person_id, at)
        and _brings_nearer(session, each, ballots_of(session, each, given, at), person_id, at)
        for each in electorates
    )


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
            if _brings_nearer(session, each, ballots, person.id, at):
                found[person.id] = person
    return list(found.values())


def _brings_nearer(
    session: Session, wanted: Electorate, ballots: Sequence[Ballot], person_id: str, at: datetime
) -> bool:
    """Whether one more word counts; it can count in the place of another one, so only weighing them all tells."""
    who = electorate.voter(session, person_id, at, electorate=wanted)
    more = [*ballots, Ballot(person_id, who)] if who is not None else ballots
    return _count(weigh(wanted, more)) < _count(weigh(wanted, ballots))


def _count(tally: Tally) -> int:
    return sum(need.count for need in tally.missing)


def _call(session: Session, notice: Notice, hooks: Sequence[str], *, due_at: datetime) -> None:
    """Write a call for each webhook, about the notice."""
    common = {"channel": WEBHOOK, "kind": ASKED, "subject": notice.id, "created_at": notice.at, "due_at": due_at}
    common |= {"attempts": 0, "sent": False, "error": ""}
    if hooks:
        session.execute(insert(OutboxRow), [{**common, "recipient": hook} for hook in hooks])


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
