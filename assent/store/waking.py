"""Who is woken: the words of a card as people and channels that can be reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from assent.store import electorate, notices
from assent.store.notices import Notice, NoticeKind


@dataclass(frozen=True, slots=True)
class Woken:
    """Somebody who is woken.

    Attributes:
        name: As people call them.
        email: Their address; empty if there is none.
        slack: A channel, ``#duty``; empty if there is none.
    """

    name: str
    email: str = ""
    slack: str = ""


def people_behind(session: Session, words: Sequence[str], known: Mapping[str, Sequence[Woken]]) -> list[Woken]:
    """Everybody behind the words of a card, each once; the escalation contact if there is nobody.

    Args:
        session: For groups and roles.
        words: Words for the card's contacts, addresses, groups, ``role:…`` or Slack channels.
        known: Who stands for each word in the card itself.
    """
    found: dict[tuple[str, str], Woken] = {}
    for word in words:
        for each in _behind(session, word, known):
            found.setdefault((each.email, each.slack), each)
    return list(found.values()) or list(known["escalation"])


def wake(
    session: Session,
    woken: Sequence[Woken],
    channels: Sequence[str],
    *,
    id: str,
    subject: str,
    headline: str,
    text: str,
    path: str,
    at: datetime,
) -> None:
    """Write an alert for each of them, in the transaction that makes it true; each Slack channel is told once.

    Args:
        session: That transaction.
        woken: Whom.
        channels: The ways of this installation.
        id: Unique; the same again tells nobody twice.
        subject: What it is about.
        headline: One line.
        text: A few sentences.
        path: The page that helps.
        at: When it became true.
    """
    told: set[str] = set()
    named = any(each.slack for each in woken)
    for number, each in enumerate(woken):
        # Who has no channel of their own is told in the workspace's, unless another one was told in theirs.
        quiet = each.slack in told or (not each.slack and named)
        ways = [way for way in channels if way != notices.SLACK or not quiet]
        told.add(each.slack)
        notice = Notice(
            id=f"{id}-{number}",
            kind=NoticeKind.ALERT,
            subject=subject,
            name=each.name,
            email=each.email,
            slack=each.slack,
            headline=headline,
            text=text,
            path=path,
            at=at,
        )
        notices.tell(session, notice, ways)


def _behind(session: Session, word: str, known: Mapping[str, Sequence[Woken]]) -> Sequence[Woken]:
    if word in known:
        return known[word]
    if word.startswith("#"):
        return [Woken(word, slack=word)]
    if "@" in word:
        return [Woken(word, email=word)]
    token = word if word.startswith("role:") else f"group:{word}"
    people = sorted(electorate.people_behind(session, [token]).values(), key=lambda person: person.name)
    return [Woken(person.name, email=person.email) for person in people]
