"""Incidents and what belongs to them."""

from __future__ import annotations

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Bring the schema up."""


def downgrade() -> None:
    """Bring the schema back."""
