"""Reading a time span as people write it: ``90s``, ``10m``, ``24h``, ``7d``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(value: Any) -> Any:
    """Turn ``24h`` into a time span; leaves everything else to pydantic."""
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,8})\s*([smhd])", value.strip())):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    if isinstance(value, str) and not value.startswith("P"):
        raise ValueError("a duration is a whole number and a unit: 90s, 10m, 24h or 7d")
    return value
