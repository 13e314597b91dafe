"""What a rule gives back."""

from __future__ import annotations

from dataclasses import dataclass

from assent_activities.connectors.sql_rows import Row


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows as they will be; ``None`` if a rule leaves that one alone."""

    order: Row | None = None
    user: Row | None = None
