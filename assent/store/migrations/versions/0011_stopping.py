"""Scopes, dispositions and ramps of pauses."""

from __future__ import annotations

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Bring the schema up."""


def downgrade() -> None:
    """Bring the schema back."""
