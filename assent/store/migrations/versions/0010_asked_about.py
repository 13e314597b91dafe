"""Which records requests were about, so that earlier decisions on the same record are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "asked_about",
        sa.Column("resource", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("resource", "type", "asked_at", "approval_id"),
    )


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_table("asked_about")
