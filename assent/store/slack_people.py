"""Which person a Slack user is: said explicitly, workspace and user together, and never guessed.

``people.slack_user`` repeats one of a person's links, for lists; the links themselves are what counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Conflict
from assent.domain.people import Actor
from assent.store import ledger, reaching
from assent.store.people import Person, person_of
from assent.store.tables import PersonRow, SlackUserRow


class How(StrEnum):
    """How a link came about."""

    COMMAND = "command line"
    EMAIL = "e-mail address"
    CODE = "one-time code"
    TAKEN_OVER = "taken over"


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A link.

    Attributes:
        team_id: The workspace; empty for the workspace of the configured token.
        user_id: The user there.
        person_id: The person.
        how: How the link came about.
        linked_at: When.
        conversation: Id of the direct messages with them; empty if none was opened yet.
        direct: Whether their person wants direct messages (:class:`~assent.domain.reaching.Reaching`).
        home_shown: Whether they ever looked at the app's own page.
    """

    team_id: str
    user_id: str
    person_id: str
    how: How
    linked_at: datetime
    conversation: str
    direct: bool
    home_shown: bool

    @property
    def name(self) -> str:
        """Workspace and user as one text."""
        return identity(self.team_id, self.user_id)


def identity(team_id: str, user_id: str) -> str:
    """Workspace and user as one text, ``T123/U123``."""
    return f"{team_id}/{user_id}" if team_id else user_id


def persons_of(session: Session, user_id: str, teams: Iterable[str]) -> Sequence[tuple[SlackUser, Person]]:
    """Everybody that a Slack user is linked to, in workspaces that mean the same one."""
    found = session.execute(
        select(SlackUserRow, PersonRow)
        .join(PersonRow, col(PersonRow.id) == col(SlackUserRow.person_id))
        .where(col(SlackUserRow.user_id) == user_id, col(SlackUserRow.team_id).in_(list(teams)))
    ).all()
    return [(_user(row), person_of(person)) for row, person in found]


def users_of(session: Session, person_ids: Iterable[str]) -> Sequence[SlackUser]:
    """Every link of some people, oldest first."""
    wanted = select(SlackUserRow).where(col(SlackUserRow.person_id).in_(list(person_ids)))
    rows = session.execute(wanted.order_by(col(SlackUserRow.linked_at), col(SlackUserRow.team_id))).scalars()
    return [_user(row) for row in rows]


def in_conversations(session: Session, conversations: Iterable[str]) -> Sequence[SlackUser]:
    """The links whose direct messages these are."""
    wanted = [conversation for conversation in conversations if conversation]
    if not wanted:
        return []
    rows = session.execute(select(SlackUserRow).where(col(SlackUserRow.conversation).in_(wanted))).scalars()
    return [_user(row) for row in rows]


def link(
    session: Session, person: Person, *, team_id: str, user_id: str, how: How, at: datetime, by: Actor, home: str = ""
) -> SlackUser:
    """Say that a Slack user is a person; takes the place of the person's former user in the workspace.

    Args:
        session: The transaction.
        person: Who.
        team_id: The workspace.
        user_id: The user there.
        how: How it came about.
        at: When.
        by: Who says so.
        home: The workspace that an empty ``team_id`` in a row means.

    Raises:
        Conflict: The Slack user is somebody else.
    """
    same = [team_id, ""] if team_id == home else [team_id]
    for other, whom in persons_of(session, user_id, same):
        if whom.id != person.id:
            raise Conflict(
                f"That Slack user is already {whom.name} ({whom.email}).",
                where="slack_user",
                todo=f"Take it back first: `assent slack unlink {whom.email}`.",
            )
        _delete(session, other)
    for former in users_of(session, [person.id]):
        if former.team_id in same:
            _delete(session, former)
    direct = reaching.of_person(session, person.id).slack
    row = SlackUserRow(
        team_id=team_id, user_id=user_id, person_id=person.id, how=how.value, linked_at=at, direct=direct
    )
    session.add(row)
    session.flush()
    _repeat(session, person)
    body = {"person": person.id, "email": person.email, "slack_user": identity(team_id, user_id), "how": how.value}
    ledger.append(session, at=at, kind="person.slack_linked", actor=by, body=dict(body))
    return SlackUser(team_id, user_id, person.id, how, at, "", direct, False)


def unlink(session: Session, person: Person, *, at: datetime, by: Actor) -> Sequence[SlackUser]:
    """Take all of a person's Slack users away; gives those there were."""
    former = users_of(session, [person.id])
    for one in former:
        _delete(session, one)
        body = {"person": person.id, "email": person.email, "slack_user": one.name}
        ledger.append(session, at=at, kind="person.slack_unlinked", actor=by, body=dict(body))
    session.flush()
    _repeat(session, person)
    return former


def keep_conversation(session: Session, user: SlackUser, conversation: str) -> None:
    """Keep where direct messages with somebody are."""
    session.execute(update(SlackUserRow).where(_this(user)).values(conversation=conversation))


def home_shown(session: Session, user: SlackUser) -> None:
    """Note that somebody's page of the app is as it should be, and that they look at it."""
    session.execute(update(SlackUserRow).where(_this(user)).values(home_shown=True, home_stale=False))


def any_home(session: Session, person_ids: Iterable[str]) -> bool:
    """Whether one of some people ever looked at their page of the app."""
    wanted = (col(SlackUserRow.person_id).in_(list(person_ids)), col(SlackUserRow.home_shown))
    return session.execute(select(col(SlackUserRow.user_id)).where(*wanted).limit(1)).first() is not None


def stale_homes(session: Session, person_ids: Iterable[str]) -> None:
    """Note that the pages of the app of some people, if they ever looked at them, show something old."""
    session.execute(
        update(SlackUserRow)
        .where(col(SlackUserRow.person_id).in_(list(person_ids)), col(SlackUserRow.home_shown))
        .values(home_stale=True)
    )


def homes_to_show(session: Session, limit: int = 20) -> Sequence[SlackUser]:
    """Some of the people whose page of the app shows something old."""
    rows = session.execute(select(SlackUserRow).where(col(SlackUserRow.home_stale)).limit(limit)).scalars()
    return [_user(row) for row in rows]


def _delete(session: Session, user: SlackUser) -> None:
    row = session.get(SlackUserRow, (user.team_id, user.user_id))
    if row is not None:
        session.delete(row)
        session.flush()


def _repeat(session: Session, person: Person) -> None:
    """Keep the newest link with the person, for lists."""
    left = users_of(session, [person.id])
    session.execute(
        update(PersonRow)
        .where(col(PersonRow.id) == person.id)
        .values(slack_user=left[-1].name if left else None)
        .execution_options(synchronize_session="fetch")
    )


def _this(user: SlackUser) -> ColumnElement[bool]:
    return and_(col(SlackUserRow.team_id) == user.team_id, col(SlackUserRow.user_id) == user.user_id)


def _user(row: SlackUserRow) -> SlackUser:
    return SlackUser(
        team_id=row.team_id,
        user_id=row.user_id,
        person_id=row.person_id,
        how=How(row.how),
        linked_at=row.linked_at,
        conversation=row.conversation,
        direct=row.direct,
        home_shown=row.home_shown,
    )
