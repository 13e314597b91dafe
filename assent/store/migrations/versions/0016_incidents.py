"""Incidents and what belongs to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("commander_id", sa.String(), nullable=False),
        sa.Column("opened_by", sa.JSON(), nullable=False),
        sa.Column("opened_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("began_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("noticed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("mended_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incidents_by_open", "incidents", ["is_open", "opened_at", "id"])
    op.create_index("incidents_by_time", "incidents", ["opened_at", "id"])
    op.create_table(
        "incident_parts",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "kind", "ref"),
    )
    op.create_index("incident_parts_by_ref", "incident_parts", ["kind", "ref", "incident_id"])
    op.create_table(
        "incident_events",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "event_id"),
    )
    _written("incident_notes", sa.Column("text", sa.Text(), nullable=False))
    _written(
        "incident_tellings",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("drafted", sa.Text(), nullable=False),
    )
    op.create_table(
        "incident_sections",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "section", "version"),
    )
    op.create_table(
        "incident_actions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.JSON(), nullable=False),
        sa.Column("settled_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incident_actions_by_due", "incident_actions", ["state", "due", "id"])
    op.create_index("incident_actions_by_incident", "incident_actions", ["incident_id", "due", "id"])


def downgrade() -> None:
    """Bring the schema back."""
    for table, indices in (
        ("incident_actions", ("incident_actions_by_incident", "incident_actions_by_due")),
        ("incident_sections", ()),
        ("incident_tellings", ("incident_tellings_by_time",)),
        ("incident_notes", ("incident_notes_by_time",)),
        ("incident_events", ()),
        ("incident_parts", ("incident_parts_by_ref",)),
        ("incidents", ("incidents_by_time", "incidents_by_open")),
    ):
        for index in indices:
            op.drop_index(index, table)
        op.drop_table(table)


def _written(name: str, *columns: sa.Column[str]) -> None:
    """A table of what people wrote about an incident, in the order of time."""
    op.create_table(
        name,
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.JSON(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(f"{name}_by_time", name, ["incident_id", "at", "id"])
