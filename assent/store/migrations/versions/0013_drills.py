"""Drills, dated and measured."""

from __future__ import annotations

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Bring the schema up."""


def downgrade() -> None:
    """Bring the schema back."""
