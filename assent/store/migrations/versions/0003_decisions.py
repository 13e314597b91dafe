"""Quorum, votes that lapse, who is asked, absences, reminders and escalation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0003"
down_revision = "0002"

_PENDING = sa.text("pending")


def upgrade() -> None:
    """Bring the schema up; what waits already may be decided by any approver, as it was opened."""
    op.add_column("approvals", sa.Column("rules", sa.JSON(), nullable=True))
    op.add_column("approvals", sa.Column("lent", sa.JSON(), nullable=True))
    op.add_column("approvals", sa.Column("agenda", sa.JSON(), nullable=True))
    op.add_column("approvals", sa.Column("requester", sa.String(), nullable=False, server_default=""))
    op.add_column("approvals", sa.Column("due_at", UtcDateTime(timezone=True), nullable=True))
    op.add_column("approvals", sa.Column("silent_at", UtcDateTime(timezone=True), nullable=True))
    for column in ("digest", "why_lapsed", "for_person"):
        op.add_column("decisions", sa.Column(column, sa.Text(), nullable=False, server_default=""))
    op.add_column("decisions", sa.Column("person", sa.String(), nullable=False, server_default=""))
    op.add_column("decisions", sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("decisions", sa.Column("lapsed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("decisions", sa.Column("needs", sa.JSON(), nullable=True))
    op.create_table(
        "asked",
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("for_person", sa.String(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("amount", sa.Float(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("approval_id", "token", "for_person"),
    )
    op.create_index(
        "asked_mine",
        "asked",
        ["token", "due_at", "approval_id"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.execute(
        "INSERT INTO asked "
        "(approval_id, token, for_person, pending, why, agent, type, amount, created_at, due_at, asked_at) "
        "SELECT id, 'role:approver', '', status = 'pending', 'card', agent, type, amount, created_at, expires_at, "
        "created_at FROM approvals"
    )
    op.create_table(
        "absences",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("delegate_id", sa.String(), nullable=True),
        sa.Column("starts_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "openings",
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("approval_id", "digest", "person_id"),
    )
    op.create_index("absences_by_person", "absences", ["person_id", "ends_at"])
    op.create_index("absences_by_end", "absences", ["ends_at", "id"])
    op.create_index("absences_by_delegate", "absences", ["delegate_id", "ends_at"])


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_table("openings")
    op.drop_table("absences")
    op.drop_table("asked")
    with op.batch_alter_table("decisions") as batch:
        for column in ("digest", "why_lapsed", "for_person", "person", "revision", "lapsed", "needs"):
            batch.drop_column(column)
    with op.batch_alter_table("approvals") as batch:
        for column in ("rules", "lent", "agenda", "requester", "due_at", "silent_at"):
            batch.drop_column(column)
