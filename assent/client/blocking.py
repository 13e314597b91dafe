"""The client that blocks until there is an answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from assent.client import requests
from assent.client.answers import Grant, Outcome, Plan, Question, RunState, Started, read
from assent.client.errors import AssentApiError
from assent.client.persistence import PERSISTENCE, Persistence


class Assent:
    """Acts as an agent through a running Assent.

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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base = f"{url.rstrip('/')}/api/v1"
        self._persistence = persistence
        self._http = httpx.Client(headers=requests.headers(key), transport=transport)

    def start_run(
        self,
        agent: str | None = None,
        goal: str = "",
        received: Any = None,
        plan: Sequence[Mapping[str, Any]] | None = None,
        open: bool | None = None,
        run_id: str | None = None,
        labels: Sequence[str] = (),
    ) -> Run:
        """Start a run.

        Args:
            agent: The agent's name; the key's own if left out.
            goal: What it was asked to do.
            received: What it was given to start with, any JSON.
            plan: Actions known from the start, each with ``key``, ``type``, ``arguments`` and, if wanted, ``reason``
                and ``after``.
            open: Stay open for :meth:`Run.act`; a run without a plan does unless told otherwise.
            run_id: An id of your own; the same id again gives the same run.
            labels: Words by which it can be found and paused, at most 20 of 60 characters.

        Raises:
            AssentApiError: It was refused, or Assent cannot be reached.
        """
        request = requests.start(agent, goal, received, plan, open, run_id, labels)
        started = Started.model_validate(self._send(request))
        return Run(self, started.run_id)

    def run(self, run_id: str) -> Run:
        """A run that was started before."""
        return Run(self, run_id)

    def action_types(self, agent: str | None = None) -> list[dict[str, Any]]:
        """What the agent may propose: ``name``, ``title``, ``sentence``, ``arguments`` (JSON Schema), ``tier``, ….

        Raises:
            AssentApiError: It was refused, or Assent cannot be reached.
        """
        items: list[dict[str, Any]] = self._send(requests.action_types(agent))["items"]
        return items

    def grants(self, status: str = "active") -> list[Grant]:
        """Standing grants of the agent: what runs without being asked for. The newest 200.

        Args:
            status: Those that are ``active``, ``pending``, ``spent``, ``expired`` or ``revoked``.

        Raises:
            AssentApiError: Assent cannot be reached.
        """
        return [Grant.model_validate(each) for each in self._send(requests.grants(status))["items"]]

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Use it in a ``with`` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back connections."""
        self.close()

    def _send(self, request: requests.Request) -> Any:
        persistence = Persistence(self._persistence)
        while True:
            answer: httpx.Response | httpx.TransportError
            try:
                answer = self._http.request(
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
            time.sleep(pause)


class Run:
    """An agent's run; made by :meth:`Assent.start_run`.

    Attributes:
        run_id: Its id.
    """

    def __init__(self, client: Assent, run_id: str) -> None:
        self._client = client
        self.run_id = run_id

    def act(
        self,
        type: str,
        arguments: Mapping[str, Any] | None = None,
        reason: str = "",
        key: str | None = None,
        wait: float = 0,
        instead_of: Outcome | str | None = None,
    ) -> Outcome:
        """Propose an action.

        Args:
            type: Name of an action type.
            arguments: Its arguments.
            reason: Why, in the agent's own words; people who decide read it.
            key: Names the action in the run; the same key again gives what became of it.
            wait: Seconds to wait for it to settle if it does not at once.
            instead_of: An outcome, or an action's key, that was refused or rejected and that this one replaces; people
                see both.

        Returns:
            The outcome; look at ``settled`` if it may have to wait for a person.

        Raises:
            AssentApiError: The request was refused, or Assent cannot be reached.
        """
        until = time.monotonic() + wait
        request = requests.act(self.run_id, type, arguments or {}, reason, key, wait, instead_of)
        outcome = Outcome.model_validate(self._client._send(request))
        return outcome if outcome.settled or wait <= 0 else self.wait(outcome, until - time.monotonic())

    def wait(self, outcome: Outcome | str, timeout: float | None = None) -> Outcome:
        """Wait until an action is settled.

        Args:
            outcome: An outcome, or an action's key.
            timeout: Seconds to wait; for ever if left out.

        Returns:
            The outcome, which is not settled if the time was over before.

        Raises:
            AssentApiError: There is no such action, or Assent cannot be reached.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = requests.LONG_POLL if until is None else until - time.monotonic()
            found = Outcome.model_validate(
                self._client._send(requests.outcome(self.run_id, requests.key_of(outcome), left))
            )
            if found.settled or (until is not None and time.monotonic() >= until):
                return found

    def outcome(self, key: str) -> Outcome:
        """What became of an action so far.

        Raises:
            AssentApiError: There is no such action, or Assent cannot be reached.
        """
        return Outcome.model_validate(self._client._send(requests.outcome(self.run_id, key, 0)))

    def questions(self, wait: float = 0, after: Question | str | None = None) -> list[Question]:
        """What people ask about actions that wait for them, and nobody has answered; oldest first.

        Args:
            wait: Seconds to wait for a question if there is none.
            after: A question, or its id; only those asked later are given.

        Raises:
            AssentApiError: Assent cannot be reached.
        """
        until = time.monotonic() + wait
        while True:
            found = self._client._send(requests.questions(self.run_id, after, until - time.monotonic()))["items"]
            if found or time.monotonic() >= until:
                return [Question.model_validate(each) for each in found]

    def answer(self, question: Question, text: str) -> None:
        """Answer a question; people see it as the agent's words.

        Raises:
            AssentApiError: It was answered already, the text is too long, or Assent cannot be reached.
        """
        self._client._send(requests.answer(question, text))

    def plan(self) -> Plan | None:
        """The run's plan as people may approve it whole; ``None`` if none of its steps asks, or it has only one.

        Raises:
            AssentApiError: There is no such run, or Assent cannot be reached.
        """
        try:
            return Plan.model_validate(self._client._send(requests.plan(self.run_id)))
        except AssentApiError as error:
            if error.code != "not-found":
                raise
            self.state()
            return None

    def state(self) -> RunState:
        """How the run is.

        Raises:
            AssentApiError: Assent cannot be reached.
        """
        return RunState.model_validate(self._client._send(requests.Request("GET", requests.path_of(self.run_id))))

    def end(self, summary: str = "", *, stop: bool = False) -> None:
        """Take no more proposals; with ``stop``, withdraw what still waits.

        Raises:
            AssentApiError: There is no such run, or Assent cannot be reached.
        """
        self._client._send(requests.end(self.run_id, summary, stop))
