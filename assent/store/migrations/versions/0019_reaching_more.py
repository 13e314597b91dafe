"""Copies in a place by time, so that direct messages can be counted; links in mails to other pages than a request's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Bring the schema up."""
    op.create_index("messages_by_place", "messages", ["channel", "place", "posted_at"])
    op.add_column("mail_links", sa.Column("path", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    """Bring the schema back."""
    with op.batch_alter_table("mail_links") as links:
        links.drop_column("path")
    op.drop_index("messages_by_place", "messages")
