"""Rollbacks with scopes, digests and a queue of the rest."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0014"
down_revision = "0013"

_UNKNOWN = sa.text("NOT known")
_FINISHED = sa.text("finished_at IS NOT NULL")


def upgrade() -> None:
    """Bring the schema up; steps of earlier rollbacks are counted as what they are."""
    with op.batch_alter_table("rollbacks") as rollbacks:
        for column in _columns():
            rollbacks.add_column(column)
    op.create_index("rollbacks_by_status", "rollbacks", ["status", "requested_at", "id"])
    op.create_index(
        "rollbacks_unknown", "rollbacks", ["requested_at"], sqlite_where=_UNKNOWN, postgresql_where=_UNKNOWN
    )
    with op.batch_alter_table("rollback_steps") as steps:
        for column in _step_columns():
            steps.add_column(column)
    _fill_steps()
    op.create_index("rollback_steps_by_action", "rollback_steps", ["rollback_id", "action_id"])
    op.create_index("rollback_steps_by_outcome", "rollback_steps", ["rollback_id", "outcome", "ordinal"])
    op.create_index("rollback_steps_by_verdict", "rollback_steps", ["rollback_id", "verdict", "ordinal"])
    op.create_table(
        "rollback_votes",
        sa.Column("rollback_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("by", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rollback_id", "person_id"),
    )
    for index, of in (("effects_by_agent_time", "agent"), ("effects_by_type_time", "type")):
        op.create_index(
            index,
            "effects",
            [of, "finished_at", "action_id"],
            sqlite_where=_FINISHED,
            postgresql_where=_FINISHED,
        )


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_index("effects_by_type_time", "effects")
    op.drop_index("effects_by_agent_time", "effects")
    op.drop_table("rollback_votes")
    for index in ("rollback_steps_by_verdict", "rollback_steps_by_outcome", "rollback_steps_by_action"):
        op.drop_index(index, "rollback_steps")
    with op.batch_alter_table("rollback_steps") as steps:
        for column in reversed(_step_columns()):
            steps.drop_column(column.name)
    op.drop_index("rollbacks_unknown", "rollbacks")
    op.drop_index("rollbacks_by_status", "rollbacks")
    with op.batch_alter_table("rollbacks") as rollbacks:
        for column in reversed(_columns()):
            rollbacks.drop_column(column.name)


def _fill_steps() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    verdict, status = (
        ("json_extract(step, '$.verdict')", "json_extract(step, '$.status')")
        if sqlite
        else ("step->>'verdict'", "step->>'status'")
    )
    op.execute(
        f"UPDATE rollback_steps SET verdict = coalesce({verdict}, ''), outcome = CASE"
        f" WHEN finished_at IS NULL THEN 'open' WHEN {status} = 'undone' THEN 'undone'"
        f" WHEN {verdict} IN ('nothing', 'already') THEN 'skipped' ELSE 'left' END"
    )


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("since", UtcDateTime(timezone=True), nullable=True),
        sa.Column("until", UtcDateTime(timezone=True), nullable=True),
        sa.Column("with_later", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("message", sa.Text(), nullable=False, server_default=""),
        sa.Column("preview_id", sa.String(), nullable=False, server_default=""),
        sa.Column("digest", sa.String(), nullable=False, server_default=""),
        sa.Column("complete", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("totals", sa.JSON(), nullable=True),
        sa.Column("position", sa.JSON(), nullable=True),
        sa.Column("rules", sa.JSON(), nullable=True),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("held_by", sa.JSON(), nullable=True),
        sa.Column("held_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("known", sa.Boolean(), nullable=False, server_default=sa.true()),
    )


def _step_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("verdict", sa.String(), nullable=False, server_default=""),
        sa.Column("outcome", sa.String(), nullable=False, server_default="open"),
    )
