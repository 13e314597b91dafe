"""The client for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from assent.client import requests
from assent.client.answers import Grant, Outcome, Plan, Question, RunState, Started, read
from assent.client.errors import AssentApiError
from assent.client.persistence import PERSISTENCE, Persistence


class AsyncAssent:
    """Acts as an agent through a running Assent; :class:`Assent` with ``await``.

    Args:
        url: Its address, ``http://127.0.0.1:8484``.
        key: The agent's key, ``assent_…``.
        persistence: Seconds a request that gets no answer is sent again for.
        transport: How requests travel; httpx's own unless given.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        persistence: float = PERSISTENCE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base = f"{url.rstrip('/')}/api/v1"
        self._persistence = persistence
        self._http = httpx.AsyncClient(headers=requests.headers(key), transport=transport)

    async def start_run(
        self,
        agent: str | None = None,
        goal: str = "",
        received: Any = None,
        plan: Sequence[Mapping[str, Any]] | None = None,
        open: bool | None = None,
        run_id: str | None = None,
        labels: Sequence[str] = (),
    ) -> AsyncRun:
        """Start a run; see :meth:`Assent.start_run`."""
        request = requests.start(agent, goal, received, plan, open, run_id, labels)
        started = Started.model_validate(await self._send(request))
        return AsyncRun(self, started.run_id)

    def run(self, run_id: str) -> AsyncRun:
        """A run that was started before."""
        return AsyncRun(self, run_id)

    async def action_types(self, agent: str | None = None) -> list[dict[str, Any]]:
        """What the agent may propose; see :meth:`Assent.action_types`."""
        items: list[dict[str, Any]] = (await self._send(requests.action_types(agent)))["items"]
        return items

    async def grants(self, status: str = "active") -> list[Grant]:
        """Standing grants of the agent; see :meth:`Assent.grants`."""
        return [Grant.model_validate(each) for each in (await self._send(requests.grants(status)))["items"]]

    async def close(self) -> None:
        """Give back connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Use it in an ``async with`` block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back connections."""
        await self.close()

    async def _send(self, request: requests.Request) -> Any:
        persistence = Persistence(self._persistence)
        while True:
            answer: httpx.Response | httpx.TransportError
            try:
                answer = await self._http.request(
                    request.method,
                    self._base + request.path,
                    json=request.body,
                    params=request.query,
                    timeout=request.timeout,
                )
            except httpx.TransportError as error:
                answer = error
            pause = persistence.delay(answer)
            if pause is None:
                assert isinstance(answer, httpx.Response)
                return read(answer)
            await asyncio.sleep(pause)


class AsyncRun:
    """An agent's run; made by :meth:`AsyncAssent.start_run`.

    Attributes:
        run_id: Its id.
    """

    def __init__(self, client: AsyncAssent, run_id: str) -> None:
        self._client = client
        self.run_id = run_id

    async def act(
        self,
        type: str,
        arguments: Mapping[str, Any] | None = None,
        reason: str = "",
        key: str | None = None,
        wait: float = 0,
        instead_of: Outcome | str | None = None,
    ) -> Outcome:
        """Propose an action; see :meth:`Run.act`."""
        until = time.monotonic() + wait
        request = requests.act(self.run_id, type, arguments or {}, reason, key, wait, instead_of)
        outcome = Outcome.model_validate(await self._client._send(request))
        return outcome if outcome.settled or wait <= 0 else await self.wait(outcome, until - time.monotonic())

    async def wait(
        self,
        outcome: Outcome | str,
        timeout: float | None = None,  # noqa: ASYNC109 - as in the blocking client
    ) -> Outcome:
        """Wait until an action is settled; see :meth:`Run.wait`."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = requests.LONG_POLL if until is None else until - time.monotonic()
            found = Outcome.model_validate(
                await self._client._send(requests.outcome(self.run_id, requests.key_of(outcome), left))
            )
            if found.settled or (until is not None and time.monotonic() >= until):
                return found

    async def outcome(self, key: str) -> Outcome:
        """What became of an action so far; see :meth:`Run.outcome`."""
        return Outcome.model_validate(await self._client._send(requests.outcome(self.run_id, key, 0)))

    async def questions(self, wait: float = 0, after: Question | str | None = None) -> list[Question]:
        """What people ask about actions that wait for them; see :meth:`Run.questions`."""
        until = time.monotonic() + wait
        while True:
            request = requests.questions(self.run_id, after, until - time.monotonic())
            found = (await self._client._send(request))["items"]
            if found or time.monotonic() >= until:
                return [Question.model_validate(each) for each in found]

    async def answer(self, question: Question, text: str) -> None:
        """Answer a question; see :meth:`Run.answer`."""
        await self._client._send(requests.answer(question, text))

    async def plan(self) -> Plan | None:
        """The run's plan as people may approve it whole; see :meth:`Run.plan`."""
        try:
            return Plan.model_validate(await self._client._send(requests.plan(self.run_id)))
        except AssentApiError as error:
            if error.code != "not-found":
                raise
            await self.state()
            return None

    async def state(self) -> RunState:
        """How the run is; see :meth:`Run.state`."""
        return RunState.model_validate(await self._client._send(requests.Request("GET", requests.path_of(self.run_id))))

    async def end(self, summary: str = "", *, stop: bool = False) -> None:
        """Take no more proposals; see :meth:`Run.end`."""
        await self._client._send(requests.end(self.run_id, summary, stop))
