"""One run of the agent, as its handlers see it: act, and be told what came of it."""

from __future__ import annotations

from typing import Any, Protocol

from assent.domain.canonical import Json


class Outcome(Protocol):
    """What became of an action; the client's outcome is one."""

    @property
    def status(self) -> Any:
        """Where the action is in its life."""
        ...

    @property
    def result(self) -> Json:
        """The answer, if it is done."""
        ...

    @property
    def message(self) -> str:
        """Why it is not."""
        ...


class Run(Protocol):
    """An open run; the client's run is one."""

    def act(self, type: str, arguments: dict[str, Json], /, *, reason: str = "") -> Outcome:
        """Propose an action."""
        ...

    def wait(self, outcome: Any, /) -> Outcome:
        """Wait until an action is settled."""
        ...

    def end(self, summary: str = "", /) -> None:
        """End the run."""
        ...


_UNSETTLED = {"proposed", "awaiting", "held", "cleared", "claimed"}


class GaveUp(Exception):
    """The agent cannot go on by itself; the text says why."""


class Conversation:
    """Acts for one customer.

    Args:
        run: The open run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def act(self, tool: str, why: str, /, **arguments: Json) -> Outcome:
        """Propose an action of the shop and wait for what comes of it, however long a person takes."""
        outcome = self._run.act(f"shop.{tool}", arguments, reason=why)
        while str(outcome.status) in _UNSETTLED:
            outcome = self._run.wait(outcome)
        return outcome

    def look_up(self, tool: str, why: str, /, **arguments: Json) -> Json:
        """Look something up.

        Raises:
            GaveUp: It is not there, or may not be looked up.
        """
        outcome = self.act(tool, why, **arguments)
        if not done(outcome):
            raise GaveUp(outcome.message or f"{tool} was {outcome.status}")
        return outcome.result

    def end(self, summary: str) -> None:
        """End the run with what was achieved."""
        self._run.end(summary)


def done(outcome: Outcome) -> bool:
    """Whether the action happened."""
    return str(outcome.status) == "done"


def turned_down(outcome: Outcome) -> bool:
    """Whether a person or the card said no, so that something gentler may be proposed."""
    return str(outcome.status) in {"rejected", "expired", "refused"}
