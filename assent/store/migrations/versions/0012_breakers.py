"""Circuit breakers and what they saw."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0012"
down_revision = "0011"

_SETTLED = sa.text("settled_at IS NOT NULL")


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "breaker_trips",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("id", "agent", "breaker", "kind", "measure", "scope_kind", "scope_name", "disposition")
        ),
        sa.Column("pause_id", sa.String(), nullable=False),
        sa.Column("card_version", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("measured", "threshold")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("cases", "counted", "window_seconds")),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("rule", "figures", "evidence", "fallback", "woken")),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("trips_by_time", "breaker_trips", ["at", "id"])
    op.create_index("trips_by_agent", "breaker_trips", ["agent", "at", "id"])
    op.create_index("trips_of_breaker", "breaker_trips", ["agent", "breaker", "scope_kind", "scope_name", "at", "id"])
    op.create_index("trips_by_pause", "breaker_trips", ["pause_id"])
    op.create_table(
        "breaker_samples",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("breaker", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("agent", "breaker", "at"),
    )
    op.create_table(
        "connector_health",
        sa.Column("connector", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connector"),
    )
    op.create_table(
        "watches",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index(
        "actions_by_end",
        "actions",
        ["agent", "type", "settled_at", "status"],
        sqlite_where=_SETTLED,
        postgresql_where=_SETTLED,
    )


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_index("actions_by_end", "actions")
    for table in ("watches", "connector_health", "breaker_samples", "breaker_trips"):
        op.drop_table(table)
