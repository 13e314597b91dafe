"""Which messages a run has heeded, so that one that comes again counts once."""

from __future__ import annotations

from collections.abc import Iterable

from assent.domain.runs import SEEN_LIMIT


class Seen:
    """Ids of messages, the newest :data:`~assent.domain.runs.SEEN_LIMIT` of them.

    Args:
        ids: What was seen before, the oldest first.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = dict.fromkeys(ids)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._ids

    def repeated(self, message_id: str) -> bool:
        """Note an id; true if it was noted before."""
        if message_id in self._ids:
            return True
        self._ids[message_id] = None
        while len(self._ids) > SEEN_LIMIT:
            del self._ids[next(iter(self._ids))]
        return False

    def forget(self, message_id: str) -> None:
        """Let a message count again."""
        self._ids.pop(message_id, None)

    @property
    def ids(self) -> list[str]:
        """All of them, the oldest first."""
        return list(self._ids)
