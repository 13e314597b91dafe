"""Scopes, dispositions and ramps of pauses; labels of runs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0011"
down_revision = "0010"


def _added() -> tuple[sa.Column[Any], ...]:
    """New columns of pauses; a column belongs to one table, so they are made anew each time."""
    return (
        sa.Column("disposition", sa.String(), nullable=False, server_default="freeze"),
        sa.Column("disposition_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("disposition_by", sa.JSON(), nullable=True),
        sa.Column("phase", sa.String(), nullable=False, server_default="holding"),
        sa.Column("asked_to_stop_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=True),
        sa.Column("resume_asked_by", sa.JSON(), nullable=True),
        sa.Column("resume_asked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("second_by", sa.JSON(), nullable=True),
        sa.Column("stage", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("stage_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("ramp_seconds", sa.Integer(), nullable=False, server_default="30"),
        sa.Column("fell_back_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("fell_back_why", sa.Text(), nullable=False, server_default=""),
        sa.Column("compensated_at", UtcDateTime(timezone=True), nullable=True),
    )


def upgrade() -> None:
    """Bring the schema up."""
    with op.batch_alter_table("pauses") as pauses:
        for column in _added():
            pauses.add_column(column)
    op.execute("UPDATE pauses SET phase = 'ended' WHERE NOT active")
    op.create_table(
        "pause_claims",
        sa.Column("pause_id", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("pause_id", "action_id"),
    )
    op.create_index("pause_claims_by_action", "pause_claims", ["action_id"])
    op.create_index("pause_claims_by_time", "pause_claims", ["pause_id", "since", "action_id"])
    op.create_table(
        "pause_holds",
        sa.Column("pause_id", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("pause_id", "action_id"),
    )
    op.create_index("pause_holds_by_action", "pause_holds", ["action_id"])
    op.create_table(
        "pause_releases",
        sa.Column("pause_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("released_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("taken_back_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("pause_id", "run_id"),
    )
    op.create_table(
        "pause_rollbacks",
        sa.Column("pause_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("rollback_id", sa.String(), nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("pause_id", "run_id"),
    )
    op.create_table(
        "run_labels",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "label"),
    )
    op.create_index("run_labels_by_label", "run_labels", ["label", "run_id"])


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_index("run_labels_by_label", "run_labels")
    op.drop_table("run_labels")
    op.drop_table("pause_rollbacks")
    op.drop_table("pause_releases")
    op.drop_index("pause_holds_by_action", "pause_holds")
    op.drop_table("pause_holds")
    op.drop_index("pause_claims_by_time", "pause_claims")
    op.drop_index("pause_claims_by_action", "pause_claims")
    op.drop_table("pause_claims")
    with op.batch_alter_table("pauses") as pauses:
        for column in reversed(_added()):
            pauses.drop_column(column.name)
