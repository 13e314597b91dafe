"""Standing grants, their uses, and plans that were approved as a whole."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0005"
down_revision = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("plan_approvals", "run_plans", "grant_uses", "consents", "grants")


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "grants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("electorates", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        *_life(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("grants_in_force", "grants", ["agent", "type", "status", "expires_at"])
    op.create_index("grants_by_time", "grants", ["given_at", "id"])
    op.create_index("grants_by_agent", "grants", ["agent", "given_at", "id"])
    op.create_index("grants_by_status", "grants", ["status", "given_at", "id"])
    op.create_table(
        "consents",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "person_id"),
    )
    op.create_table(
        "grant_uses",
        sa.Column("id", _ID, nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("given_back_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("grant_uses_by_grant", "grant_uses", ["grant_id", "id"])
    op.create_index("grant_uses_by_action", "grant_uses", ["action_id"])
    op.create_table(
        "run_plans",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "plan_approvals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("card_version", sa.Integer(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("electorate", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        *_life(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("plan_approvals_by_run", "plan_approvals", ["run_id", "status"])


def downgrade() -> None:
    """Bring the schema back."""
    for table in _TABLES:
        op.drop_table(table)


def _life() -> list[sa.Column[object]]:
    """Who gave it and who took it back."""
    return [
        sa.Column("given_by", sa.JSON(), nullable=False),
        sa.Column("given_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("active_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.JSON(), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=False),
    ]
