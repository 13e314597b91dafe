"""Names of records in the order of their characters, so that those that begin alike stand together."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Bring the schema up."""
    # SQLite orders by characters as it is; PostgreSQL builds the key anew, which costs later writes nothing.
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE resources ALTER COLUMN resource TYPE VARCHAR COLLATE "C"')


def downgrade() -> None:
    """Bring the schema back."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE resources ALTER COLUMN resource TYPE VARCHAR COLLATE "default"')
