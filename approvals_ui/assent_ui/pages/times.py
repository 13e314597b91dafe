"""Times as browsers' fields give them."""

from __future__ import annotations

from datetime import UTC, datetime

from assent.domain.errors import InvalidInput


def moment(text: str, where: str) -> datetime | None:
    """A time of a field, taken as UTC unless it names its zone; ``None`` if nothing was given.

    Raises:
        InvalidInput: It is no time.
    """
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput("This is no time.", where=where, todo="Write it as 2030-01-31T16:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
