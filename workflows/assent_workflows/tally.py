"""How many settled actions of a run have which status."""

from __future__ import annotations

from collections.abc import Mapping

from assent.domain.actions import ActionStatus


class Tally:
    """Settled actions by status; a status that none has is left out.

    Args:
        counts: What was counted before.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = dict(counts)

    def count(self, status: ActionStatus, more: int = 1) -> None:
        """Count one more with a status, or one less."""
        left = self.counts.get(status.value, 0) + more
        self.counts[status.value] = left
        if left == 0:
            del self.counts[status.value]

    def has(self, status: ActionStatus) -> bool:
        """Whether some action has a status."""
        return self.counts.get(status.value, 0) > 0

    @property
    def succeeded(self) -> int:
        """How many succeeded."""
        return sum(self.counts.get(status.value, 0) for status in ActionStatus if status.succeeded)

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())
