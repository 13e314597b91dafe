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
        self._known: OrderedDict[str, str] = OrderedDict()
        self._claimed: OrderedDict[str, str] = OrderedDict()

    def remember(self, run_id: str, agent: str) -> None:
        """A run is this agent's for certain, and that never changes."""
        self._claimed.pop(run_id, None)
        self._keep(self._known, run_id, agent)

    def claim(self, run_id: str, agent: str) -> None:
        """An agent started a run under an id of its own choice; whether another's has it shows once it is written."""
        if run_id not in self._known:
            self._keep(self._claimed, run_id, agent)

    def agent_of(self, run_id: str) -> str | None:
        """A run's agent, if it is remembered."""
        return self._known.get(run_id)

    def claimed_by(self, run_id: str) -> str | None:
        """Who started a run that is not written yet."""
        return self._claimed.get(run_id)

    def _keep(self, agents: OrderedDict[str, str], run_id: str, agent: str) -> None:
        agents[run_id] = agent
        agents.move_to_end(run_id)
        while len(agents) > self._limit:
            agents.popitem(last=False)
