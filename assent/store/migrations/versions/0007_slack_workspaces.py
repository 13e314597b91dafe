"""Slack workspaces that the app is installed in, who is who there, and what each copy shows."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "slack_workspaces",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("app_id", sa.String(), nullable=False),
        sa.Column("bot_id", sa.String(), nullable=False),
        sa.Column("bot_user_id", sa.String(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("sealed_token", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("channel_name", sa.String(), nullable=False),
        sa.Column("installed_by", sa.String(), nullable=False),
        sa.Column("installed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("team_id"),
    )
    op.create_table(
        "slack_users",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("linked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("home_shown", sa.Boolean(), nullable=False),
        sa.Column("home_stale", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "user_id"),
    )
    op.create_index("slack_users_by_person", "slack_users", ["person_id"])
    op.create_index("slack_users_by_conversation", "slack_users", ["conversation"])
    op.create_index("slack_users_stale", "slack_users", ["home_stale"])
    op.create_table(
        "slack_tickets",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("slack_tickets_by_end", "slack_tickets", ["expires_at"])
    with op.batch_alter_table("messages") as messages:
        messages.add_column(sa.Column("shown_digest", sa.String(), nullable=False, server_default=""))
    _take_over_links()


def downgrade() -> None:
    """Bring the schema back."""
    with op.batch_alter_table("messages") as messages:
        messages.drop_column("shown_digest")
    op.drop_index("slack_tickets_by_end", "slack_tickets")
    op.drop_table("slack_tickets")
    op.drop_index("slack_users_stale", "slack_users")
    op.drop_index("slack_users_by_conversation", "slack_users")
    op.drop_index("slack_users_by_person", "slack_users")
    op.drop_table("slack_users")
    op.drop_table("slack_workspaces")


def _take_over_links() -> None:
    """People's Slack users, which were kept with the person as ``T123/U123`` or ``U123``."""
    people = sa.table("people", sa.column("id"), sa.column("slack_user"))
    users = sa.table(
        "slack_users",
        *(sa.column(name) for name in ("team_id", "user_id", "person_id", "how", "conversation")),
        sa.column("linked_at", UtcDateTime(timezone=True)),
        *(sa.column(name, sa.Boolean()) for name in ("direct", "home_shown", "home_stale")),
    )
    known = op.get_bind().execute(sa.select(people).where(people.c.slack_user.is_not(None))).all()
    for person_id, slack_user in known:
        team_id, _, user_id = slack_user.rpartition("/")
        values = {
            "team_id": team_id,
            "user_id": user_id,
            "person_id": person_id,
            "how": "taken over",
            "linked_at": datetime.now(UTC),
            "conversation": "",
            "direct": True,
            "home_shown": False,
            "home_stale": False,
        }
        op.get_bind().execute(users.insert().values(**values))
