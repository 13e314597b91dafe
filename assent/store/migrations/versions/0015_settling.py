"""Unknown effects that people settled, and proofs of undo."""

from __future__ import annotations

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Bring the schema up."""


def downgrade() -> None:
    """Bring the schema back."""
