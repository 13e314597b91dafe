"""The frame of what webhooks are told: what kind of event, when, and its data."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any


def body(kind: str, at: datetime, data: dict[str, Any]) -> bytes:
    """A call's body as JSON in UTF-8, without spaces."""
    return json.dumps({"type": kind, "timestamp": moment(at), "data": data}, separators=(",", ":")).encode()


def moment(at: datetime | None) -> str | None:
    """A time as ISO 8601 in UTC, with a Z."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
