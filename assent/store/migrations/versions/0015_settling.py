"""Unknown effects and what was found out of them, proofs of undo, notices to people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0015"
down_revision = "0014"

_OPEN = sa.text("settled_at IS NULL")
_SETTLED = sa.text("settled_at IS NOT NULL")
_DUE = sa.text("look_at IS NOT NULL")
_UNTOLD = sa.text("untold")


def upgrade() -> None:
    """Bring the schema up; effects that are unknown already become questions."""
    op.create_table(
        "unknown_effects",
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("found_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("tried_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("look_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("settled_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.JSON(), nullable=True),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("happened", sa.Boolean(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("was", sa.String(), nullable=False),
        sa.Column("now", sa.String(), nullable=False),
        sa.Column("untold", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("action_id"),
    )
    _index("unknown_by_time", "found_at", "action_id", where=_OPEN)
    _index("unknown_by_agent", "agent", "found_at", "action_id", where=_OPEN)
    _index("unknown_due", "look_at", where=_DUE)
    _index("unknown_untold", "settled_at", where=_UNTOLD)
    op.create_index("unknown_by_run", "unknown_effects", ["run_id"])
    _index("settled_by_time", "settled_at", "action_id", where=_SETTLED)
    op.execute(
        "INSERT INTO unknown_effects (action_id, run_id, agent, type, found_at, tried_at, attempts, said, looks, how,"
        " note, reference, was, now, untold)"
        " SELECT action_id, run_id, agent, type, coalesce(finished_at, claimed_at), claimed_at, attempts, message, 0,"
        " '', '', '', '', '', false FROM effects WHERE status = 'unknown'"
    )
    op.create_table(
        "undo_proofs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("worked", sa.Boolean(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("by", sa.JSON(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("proofs_by_type", "undo_proofs", ["type", "worked", "at", "id"])
    op.create_table(
        "notices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("slack", sa.String(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_notices_subject", "notices", ["subject"])


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_table("notices")
    op.drop_table("undo_proofs")
    op.drop_table("unknown_effects")


def _index(name: str, *columns: str, where: sa.TextClause) -> None:
    op.create_index(name, "unknown_effects", list(columns), sqlite_where=where, postgresql_where=where)
