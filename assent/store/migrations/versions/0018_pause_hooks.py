"""Hooks by which monitoring systems pause."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "pause_hooks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.JSON(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.JSON(), nullable=True),
        sa.Column("called_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("pause_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    in_force = sa.text("revoked_at IS NULL")
    op.create_index(
        "pause_hooks_name", "pause_hooks", ["name"], unique=True, sqlite_where=in_force, postgresql_where=in_force
    )
    op.create_index("pause_hooks_by_time", "pause_hooks", ["created_at", "id"])
    op.create_table(
        "pause_hook_calls",
        sa.Column("hook_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("pause_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("hook_id", "message_id"),
    )
    op.create_index("pause_hook_calls_by_time", "pause_hook_calls", ["at"])


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_index("pause_hook_calls_by_time", "pause_hook_calls")
    op.drop_table("pause_hook_calls")
    op.drop_index("pause_hooks_by_time", "pause_hooks")
    op.drop_index("pause_hooks_name", "pause_hooks")
    op.drop_table("pause_hooks")
