"""Indexes and saved views of the inbox."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0008"
down_revision = "0007"

_WAITS = sa.text("decided_at IS NULL")
_INBOX: dict[str, Sequence[str | sa.TextClause]] = {
    "inbox_by_due": ["expires_at", "id", "agent", "type", "amount", "created_at", "decided_at"],
    "inbox_by_age": ["created_at", "id", "agent", "type", "amount", "expires_at", "decided_at"],
    "inbox_by_amount": [
        sa.text("coalesce(amount, 0)"),
        "id",
        "agent",
        "type",
        "amount",
        "created_at",
        "expires_at",
        "decided_at",
    ],
    "inbox_by_kind": ["agent", "type", "expires_at", "id", "amount", "created_at", "decided_at"],
}
_ASKED: dict[str, Sequence[str | sa.TextClause]] = {
    "asked_by_age": ["token", "created_at", "approval_id", "agent", "type", "amount", "due_at", "pending"],
    "asked_by_amount": [
        "token",
        sa.text("coalesce(amount, 0)"),
        "approval_id",
        "agent",
        "type",
        "amount",
        "created_at",
        "due_at",
        "pending",
    ],
    "asked_by_kind": ["token", "agent", "type", "due_at", "approval_id", "amount", "created_at", "pending"],
}


def upgrade() -> None:
    """Bring the schema up."""
    op.add_column("approvals", sa.Column("why", sa.Text(), nullable=False, server_default=""))
    for name, columns in _INBOX.items():
        op.create_index(name, "approvals", columns, sqlite_where=_WAITS, postgresql_where=_WAITS)
    op.drop_index("approvals_by_due", "approvals")
    for name, columns in _ASKED.items():
        op.create_index(name, "asked", columns, sqlite_where=sa.text("pending"), postgresql_where=sa.text("pending"))
    op.create_table(
        "approval_words",
        sa.Column("word", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("word", "created_at", "approval_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "name", name="saved_views_by_person"),
    )


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_table("saved_views")
    op.drop_table("approval_words")
    op.create_index("approvals_by_due", "approvals", ["status", "expires_at", "id"])
    for name in _ASKED:
        op.drop_index(name, "asked")
    for name in _INBOX:
        op.drop_index(name, "approvals")
    with op.batch_alter_table("approvals") as batch:
        batch.drop_column("why")
