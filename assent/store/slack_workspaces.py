"""Slack workspaces that the app is installed in. Every change is a ledger event; tokens are never in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.store import ledger
from assent.store.tables import SlackWorkspaceRow

MOST = 200
"""Workspaces that are listed at most."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A workspace that the app is, or was, installed in.

    Attributes:
        team_id: The workspace.
        name: Its name.
        app_id: The Slack app.
        bot_id: The bot that posts Assent's messages.
        bot_user_id: The same bot as a user.
        scopes: What its token may do, separated by commas.
        sealed_token: Its token, encrypted; empty once it was removed.
        channel_id: Where requests are posted; empty if nobody said so yet.
        channel_name: Its name.
        installed_by: Id of the person who allowed it.
        installed_at: When.
        removed_at: When the app was removed there, if it was.
    """

    team_id: str
    name: str
    app_id: str
    bot_id: str
    bot_user_id: str
    scopes: str
    sealed_token: str
    channel_id: str
    channel_name: str
    installed_by: str
    installed_at: datetime
    removed_at: datetime | None


def save(session: Session, installed: Installed, *, by: Actor) -> Installed:
    """Keep an installation; a repeated one takes the place of the former and keeps its channel."""
    row = session.get(SlackWorkspaceRow, installed.team_id)
    if row is None:
        row = SlackWorkspaceRow(**_values(installed))
        session.add(row)
    else:
        channel = {"channel_id": row.channel_id, "channel_name": row.channel_name}
        for name, value in (_values(installed) | channel).items():
            setattr(row, name, value)
    body = {"team": installed.team_id, "name": installed.name, "scopes": installed.scopes}
    ledger.append(session, at=installed.installed_at, kind="slack.installed", actor=by, body=dict(body))
    session.flush()
    return _installed(row)


def remove(session: Session, team_id: str, *, at: datetime, by: Actor, why: str) -> bool:
    """Note that the app was removed in a workspace and throw its token away; false if it was not there."""
    row = session.get(SlackWorkspaceRow, team_id)
    if row is None or row.removed_at is not None:
        return False
    row.removed_at, row.sealed_token = at, ""
    ledger.append(session, at=at, kind="slack.removed", actor=by, body={"team": team_id, "name": row.name, "why": why})
    return True


def set_channel(
    session: Session, team_id: str, *, channel_id: str, channel_name: str, at: datetime, by: Actor
) -> Installed:
    """Say where requests are posted in a workspace.

    Raises:
        NotFound: The app is not installed there.
    """
    row = session.get(SlackWorkspaceRow, team_id)
    if row is None or row.removed_at is not None:
        raise NotFound(
            f"Assent is not installed in the Slack workspace {team_id}.",
            where="workspace",
            todo="`assent slack workspaces` lists those it is installed in.",
        )
    body = {"team": team_id, "before": row.channel_id, "after": channel_id, "name": channel_name}
    row.channel_id, row.channel_name = channel_id, channel_name
    ledger.append(session, at=at, kind="slack.channel_set", actor=by, body=dict(body))
    return _installed(row)


def one(session: Session, team_id: str) -> Installed | None:
    """One workspace, also one the app was removed in."""
    row = session.get(SlackWorkspaceRow, team_id)
    return None if row is None else _installed(row)


def every(session: Session) -> Sequence[Installed]:
    """Workspaces that the app is installed in now."""
    wanted = select(SlackWorkspaceRow).where(col(SlackWorkspaceRow.removed_at).is_(None))
    rows = session.execute(wanted.order_by(col(SlackWorkspaceRow.team_id)).limit(MOST)).scalars()
    return [_installed(row) for row in rows]


def _values(installed: Installed) -> dict[str, Any]:
    return {name: getattr(installed, name) for name in Installed.__slots__}


def _installed(row: SlackWorkspaceRow) -> Installed:
    return Installed(**{name: getattr(row, name) for name in Installed.__slots__})
