"""How each person is reached, and what was sent to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.types import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring the schema up."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("recipient", sa.String(), nullable=False, server_default=""))
        outbox.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "reaching",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("chosen", sa.JSON(), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "mail_links",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("mail_links_by_person", "mail_links", ["person_id"])
    op.create_index("mail_links_by_end", "mail_links", ["expires_at"])
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.JSON(), nullable=False),
        sa.Column("paused_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhooks_by_person", "webhooks", ["person_id", "id"])


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_index("webhooks_by_person", "webhooks")
    op.drop_table("webhooks")
    op.drop_index("mail_links_by_end", "mail_links")
    op.drop_index("mail_links_by_person", "mail_links")
    op.drop_table("mail_links")
    op.drop_table("reaching")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("revision")
        outbox.drop_column("recipient")
