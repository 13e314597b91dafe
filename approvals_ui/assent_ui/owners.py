"""Whose run is whose."""

from __future__ import annotations

from collections import OrderedDict


class RunOwners:
    """Whose run is whose, remembered: an agent that proposes a thousand actions asks the database once.

    Args:
        limit: Runs remembered.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._agents: OrderedDict[str, str] = OrderedDict()

    def remember(self, run_id: str, agent: str) -> None:
        """A run's agent never changes."""
        self._agents[run_id] = agent
        self._agents.move_to_end(run_id)
        while len(self._agents) > self._limit:
            self._agents.popitem(last=False)

    def agent_of(self, run_id: str) -> str | None:
        """A run's agent, if it is remembered."""
        return self._agents.get(run_id)
