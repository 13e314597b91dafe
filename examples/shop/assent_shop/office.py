"""The agent's way into a running Assent: open runs, what waits for people, and picking up after a restart."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Any, Self

import httpx

from assent.client import Assent
from assent_shop.support import Letter, handle

log = logging.getLogger(__name__)

PERSISTENCE = 86_400.0
"""Seconds that a request goes on trying while Assent restarts: the agent has nothing better to do."""
MOST_SHOWN = 50
_REMEMBERED_S = 2.0


class Office:
    """Answers letters through Assent.

    Args:
        url: Address of Assent.
        key: Key of the agent.
        persistence: Seconds a request that gets no answer is sent again for.
    """

    def __init__(self, url: str, key: str, *, persistence: float = PERSISTENCE) -> None:
        self._client = Assent(url, key, persistence=persistence)
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10)
        self._seen: tuple[float, int] = (0.0, 0)
        self._closed = False

    def __enter__(self) -> Self:
        """Use it in a ``with`` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back connections; cases that still wait are left to their runs."""
        self._closed = True
        self._client.close()
        self._http.close()

    def answer(self, letter: Letter) -> str:
        """Answer one letter in a run of its own; gives what was achieved, or nothing if the office closed meanwhile."""
        try:
            run = self._client.start_run(goal=f"Answer {letter.name}: {letter.subject}", received=letter.received)
            summary = handle(run, letter)
        except Exception:
            if self._closed:
                return ""
            raise
        log.info("%s: %s", run.run_id, summary)
        return summary

    def waiting(self) -> int:
        """How many requests of the agent wait for people, :data:`MOST_SHOWN` at most.

        Raises:
            httpx.HTTPStatusError: The key is no good any more.
        """
        at, count = self._seen
        if time.monotonic() - at > _REMEMBERED_S:
            try:
                count = len(self._pending())
            except httpx.TransportError:
                log.info("Assent does not answer now; trying again.")
            self._seen = (time.monotonic(), count)
        return count

    def pick_up(self, stop: threading.Event) -> int:
        """Once Assent answers, wait beside everything else for requests of an earlier process, and end their runs.

        Args:
            stop: Ends it before.

        Returns:
            How many there are.

        Raises:
            httpx.HTTPStatusError: The key is no good.
        """
        left: list[dict[str, Any]] = []
        while not stop.is_set():
            try:
                left = self._pending()
                break
            except httpx.TransportError:
                stop.wait(1)
        for request in left:
            threading.Thread(target=self._finish, args=(request,), name=request["run_id"], daemon=True).start()
        return len(left)

    def _finish(self, request: dict[str, Any]) -> None:
        try:
            run = self._client.run(request["run_id"])
            outcome = run.wait(request["action_id"].removeprefix(f"{request['run_id']}:"))
            told = f" ({outcome.message})" if outcome.message else ""
            run.end(f"{outcome.sentence} It was {outcome.status}{told}, and the customer was told.")
        except Exception:
            if not self._closed:
                log.exception("The run %s could not be picked up.", request["run_id"])

    def _pending(self) -> list[dict[str, Any]]:
        answer = self._http.get("/api/v1/approvals", params={"limit": MOST_SHOWN})
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            answer.raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"] if answer.is_success else []
        return items
