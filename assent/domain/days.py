"""Days of the week."""

from __future__ import annotations

from enum import StrEnum


class Day(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @property
    def word(self) -> str:
        """As people write it, ``Saturday``."""
        names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        return names[list(Day).index(self)]
