"""Slack users and the people they are: linked explicitly, never guessed.

A person's ``slack_user`` is ``T123/U123``, the workspace and the user, or the user alone for the workspace that Assent
is installed in.
"""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Conflict, Forbidden, InvalidInput
from assent.domain.people import Actor, Role
from assent.store import ledger
from assent.store.people import Person, named, person_of
from assent.store.tables import PersonRow
from assent_slack.clicks import Click
from assent_slack.workspaces import Workspaces

_USER = re.compile("(?:(T[A-Z0-9]+)/)?([UW][A-Z0-9]+)")


def recognise(session: Session, click: Click, workspaces: Workspaces) -> Person:
    """The person behind a click.

    Raises:
        Forbidden: The Slack user is no person, or more than one, or a person who was switched off.
    """
    names = [identity(click.team_id, click.user_id)]
    if click.team_id in workspaces:
        names.append(click.user_id)
    found = session.execute(select(PersonRow).where(col(PersonRow.slack_user).in_(names))).scalars().all()
    if not found:
        raise Forbidden(
            "Your Slack account is not linked to a person in Assent, so it can see and decide nothing.",
            where="slack_user",
            todo=f"Ask an administrator to run `assent slack link YOUR-EMAIL {names[0]}`.",
        )
    if len(found) > 1:
        raise Forbidden(
            "Your Slack account is linked to more than one person in Assent, so it can decide nothing.",
            where="slack_user",
            todo=f"Ask an administrator to run `assent slack link` so that {names[0]} is one of them only.",
        )
    person = person_of(found[0])
    if person.disabled:
        raise Forbidden(
            "Your account in Assent is switched off.", where="person", todo="Ask an administrator to switch it on."
        )
    return person


def require(person: Person, role: Role, what: str) -> None:
    """Refuse somebody without a role.

    Raises:
        Forbidden: They are neither in the role nor an administrator.
    """
    if not person.may(role):
        raise Forbidden(
            f"{person.name} may not {what}.",
            where="role",
            todo=f"Ask an administrator for the role {role.value}.",
        )


def identity(team_id: str, user_id: str) -> str:
    """How a Slack user is written in a person's row."""
    return f"{team_id}/{user_id}"


def parse_user(text: str, team_id: str) -> str:
    """Read ``U123`` or ``T123/U123`` as a person types it.

    Raises:
        InvalidInput: It is neither.
    """
    found = _USER.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(
            f"{text!r} is no Slack user id.",
            where="slack_user",
            todo="It looks like U024BE7LH; in Slack it is under profile, three dots, Copy member ID.",
        )
    return identity(found[1] or team_id, found[2])


def link(session: Session, *, email: str, slack_user: str, at: datetime, by: Actor) -> Person:
    """Say which Slack user a person is.

    Raises:
        NotFound: There is no person with this address.
        Conflict: The Slack user is somebody else.
    """
    person = named(session, email)
    names = [slack_user, slack_user.rpartition("/")[2]]
    others = session.execute(
        select(PersonRow).where(col(PersonRow.slack_user).in_(names), col(PersonRow.id) != person.id)
    ).scalars()
    for other in others:
        raise Conflict(
            f"That Slack user is already {other.name} ({other.email}).",
            where="slack_user",
            todo=f"Take it back first: `assent slack unlink {other.email}`.",
        )
    return _set(session, person, slack_user, kind="person.slack_linked", at=at, by=by)


def unlink(session: Session, *, email: str, at: datetime, by: Actor) -> Person:
    """Take a person's Slack user away.

    Raises:
        NotFound: There is no person with this address.
    """
    return _set(session, named(session, email), None, kind="person.slack_unlinked", at=at, by=by)


def _set(session: Session, person: Person, slack_user: str | None, *, kind: str, at: datetime, by: Actor) -> Person:
    row = session.get(PersonRow, person.id)
    assert row is not None
    row.slack_user = slack_user
    body = {"person": person.id, "email": person.email, "before": person.slack_user, "after": slack_user}
    ledger.append(session, at=at, kind=kind, actor=by, body=body)
    return person_of(row)
