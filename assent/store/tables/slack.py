"""Slack: the workspaces the app is installed in, who is who there, and what may be used once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class SlackWorkspaceRow(SQLModel, table=True):
    """A workspace that somebody installed the app in; its token is kept sealed.

    ``removed_at`` is set when the app was removed there; its token is gone then.
    """

    __tablename__ = "slack_workspaces"

    team_id: str = Field(primary_key=True)
    name: str
    app_id: str = ""
    bot_id: str
    bot_user_id: str
    scopes: str = Field(sa_type=Text)
    sealed_token: str = Field(sa_type=Text)
    channel_id: str = ""
    channel_name: str = ""
    installed_by: str
    installed_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SlackUserRow(SQLModel, table=True):
    """Which person a Slack user is.

    An empty ``team_id`` means the workspace of the configured token: links from before there were several.
    """

    __tablename__ = "slack_users"
    __table_args__ = (
        Index("slack_users_by_person", "person_id"),
        Index("slack_users_by_conversation", "conversation"),
        Index("slack_users_stale", "home_stale"),
    )

    team_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    person_id: str
    how: str
    linked_at: datetime = Field(sa_type=UtcDateTime)
    conversation: str = ""
    direct: bool = True
    home_shown: bool = False
    home_stale: bool = False


class SlackTicketRow(SQLModel, table=True):
    """Something that may be used once, within minutes; only its hash is kept."""

    __tablename__ = "slack_tickets"
    __table_args__ = (Index("slack_tickets_by_end", "expires_at"),)

    token_hash: str = Field(primary_key=True)
    purpose: str
    person_id: str = ""
    team_id: str = ""
    user_id: str = ""
    name: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
