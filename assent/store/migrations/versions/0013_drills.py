"""Drills, dated and measured, and workers that hold back because their clock is off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "drills",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "agent", "scratch", "status")),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("requested_by", sa.JSON(), nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("pause_id", "rollback_id")),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("terms", "figures", "steps", "reasons", "at_fence")),
        sa.Column("broken_off", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("drills_by_time", "drills", ["started_at", "id"])
    op.create_index("drills_by_agent", "drills", ["agent", "started_at", "id"])
    op.create_index("drills_by_status", "drills", ["agent", "status", "started_at"])
    op.create_table(
        "worker_clocks",
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("looked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("off_seconds", sa.Float(), nullable=False),
        sa.Column("against", sa.String(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("worker"),
    )


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_table("worker_clocks")
    op.drop_table("drills")
