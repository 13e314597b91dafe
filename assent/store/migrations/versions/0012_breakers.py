"""Circuit breakers and what they saw."""

from __future__ import annotations

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Bring the schema up."""


def downgrade() -> None:
    """Bring the schema back."""
