"""Every revision of a request as it was shown, and the talk about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring the schema up."""
    op.add_column("approvals", sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("approvals", sa.Column("revised_at", UtcDateTime(timezone=True), nullable=True))
    op.add_column("actions", sa.Column("edited", sa.JSON(), nullable=True))
    op.add_column("actions", sa.Column("instead_of", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "approval_revisions",
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("card_version", sa.Integer(), nullable=False),
        sa.Column("edited_by", sa.JSON(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("approval_id", "revision"),
    )
    # What was asked before stands as its own first revision.
    op.execute(
        "INSERT INTO approval_revisions (approval_id, revision, digest, card, arguments, card_version, reason, at) "
        "SELECT a.id, 1, a.digest, a.card, x.arguments, x.card_version, '', a.created_at "
        "FROM approvals a JOIN actions x ON x.action_id = a.action_id"
    )
    op.create_table(
        "edits",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("why_not", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("edits_by_request", "edits", ["approval_id", "at", "id"])
    op.create_table(
        "comments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by_agent", sa.Boolean(), nullable=False),
        sa.Column("author", sa.JSON(), nullable=False),
        sa.Column("reply_to", sa.String(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("comments_by_request", "comments", ["approval_id", "at", "id"])
    op.create_index("comments_open", "comments", ["run_id", "kind", "answered_at", "at", "id"])


def downgrade() -> None:
    """Bring the schema back."""
    for table in ("comments", "edits", "approval_revisions"):
        op.drop_table(table)
    for table, columns in (("actions", ("edited", "instead_of")), ("approvals", ("revision", "revised_at"))):
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
