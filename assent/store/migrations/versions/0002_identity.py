"""Groups, passwords, passkeys, outside identities and what sessions know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

from assent.store.types import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring the schema up."""
    _people()
    _sessions()
    op.create_table(
        "groups",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "group_members",
        sa.Column("group_name", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("added_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("group_name", "person_id"),
    )
    op.create_index("group_members_by_person", "group_members", ["person_id", "group_name"])
    op.create_table(
        "passwords",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("set_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("credential_id", sa.String(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("credential_id"),
    )
    op.create_index("ix_passkeys_person_id", "passkeys", ["person_id"])
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("ix_identities_person_id", "identities", ["person_id"])
    op.create_table(
        "ceremonies",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("session_hash", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_ceremonies_expires_at", "ceremonies", ["expires_at"])
    op.create_table(
        "attempts",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("ix_attempts_since", "attempts", ["since"])


def downgrade() -> None:
    """Bring the schema back."""
    for table in ("attempts", "ceremonies", "identities", "passkeys", "passwords", "group_members", "groups"):
        op.drop_table(table)
    with op.batch_alter_table("sessions") as batch:
        batch.drop_constraint("sessions_id_key", type_="unique")
        for column in ("id", "how", "address", "seen_at", "proven_at", "proven_how"):
            batch.drop_column(column)
    with op.batch_alter_table("people") as batch:
        batch.drop_constraint("people_mailbox_key", type_="unique")
        batch.drop_column("mailbox")


def _people() -> None:
    """One mailbox, one person: of those who share one already, the oldest keeps it."""
    op.add_column("people", sa.Column("mailbox", sa.String(), nullable=True))
    connection = op.get_bind()
    taken: set[str] = set()
    for id, email in connection.execute(sa.text("SELECT id, email FROM people ORDER BY created_at, id")).all():
        mailbox = _mailbox(email)
        if mailbox not in taken:
            taken.add(mailbox)
            connection.execute(
                sa.text("UPDATE people SET mailbox = :mailbox WHERE id = :id"), {"mailbox": mailbox, "id": id}
            )
    with op.batch_alter_table("people") as batch:
        batch.create_unique_constraint("people_mailbox_key", ["mailbox"])


def _sessions() -> None:
    for column in ("how", "address", "proven_how"):
        op.add_column("sessions", sa.Column(column, sa.String(), nullable=False, server_default=""))
    for column in ("seen_at", "proven_at"):
        op.add_column("sessions", sa.Column(column, UtcDateTime(timezone=True), nullable=True))
    op.add_column("sessions", sa.Column("id", sa.String(), nullable=True))
    connection: Connection = op.get_bind()
    connection.execute(sa.text("UPDATE sessions SET how = 'link', id = 'session-' || substr(token_hash, 1, 12)"))
    with op.batch_alter_table("sessions") as batch:
        batch.alter_column("id", existing_type=sa.String(), nullable=False)
        for column in ("how", "address", "proven_how"):
            batch.alter_column(column, existing_type=sa.String(), existing_nullable=False, server_default=None)
        batch.create_unique_constraint("sessions_id_key", ["id"])


def _mailbox(email: str) -> str:
    name, _, host = email.strip().lower().rpartition("@")
    return f"{name.partition('+')[0] or name}@{host}"
