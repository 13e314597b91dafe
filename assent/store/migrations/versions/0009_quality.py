"""Figures on decisions, and checks seeded among requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0009"
down_revision = "0008"

_COUNTS = (
    *("asked", "approved", "refused", "expired", "withdrawn", "unopposed", "edited", "changed"),
    *("votes", "opened", "timed", "hasty", "ran", "undone", "unknown"),
)


def upgrade() -> None:
    """Bring the schema up."""
    op.add_column("openings", sa.Column("seconds", sa.Float(), nullable=True))
    op.add_column("openings", sa.Column("measured", sa.String(), nullable=False, server_default=""))
    _figures()
    _checks()


def downgrade() -> None:
    """Bring the schema back."""
    for table in ("check_notices", "check_announcements", "seeded_checks"):
        op.drop_table(table)
    for table in ("quality_dismissals", "quality_marks", "quality_kinds", "quality_days"):
        op.drop_table(table)
    with op.batch_alter_table("openings") as batch:
        batch.drop_column("measured")
        batch.drop_column("seconds")


def _figures() -> None:
    op.create_table(
        "quality_days",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("decide", sa.JSON(), nullable=False),
        sa.Column("look", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("agent", "type", "day"),
    )
    op.create_table(
        "quality_kinds",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("agent", "type"),
    )
    op.create_table(
        "quality_marks",
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reader"),
    )
    op.create_table(
        "quality_dismissals",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("suggestion", sa.String(), nullable=False),
        sa.Column("until", UtcDateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agent", "type", "suggestion"),
    )


def _checks() -> None:
    op.create_table(
        "seeded_checks",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("id", "person_id", "agent", "type", "source_id", "digest")
        ),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("headline", "why")),
        sa.Column("amount", sa.Float(), nullable=True),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_id"),
    )
    op.create_index("checks_of_person", "seeded_checks", ["person_id", "ended_at", "created_at"])
    op.create_index("checks_by_age", "seeded_checks", ["created_at", "id"])
    op.create_index("checks_by_end", "seeded_checks", ["ended_at", "expires_at", "id"])
    op.create_table(
        "check_announcements",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("announced_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("one_in", sa.Integer(), nullable=False),
        sa.Column("a_day", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("agent"),
    )
    op.create_table(
        "check_notices",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("read_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agent", "person_id"),
    )
