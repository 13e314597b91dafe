"""What every door of the gateway has: the way to Temporal and to the database, and its errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel
from temporalio.client import (
    Client,
    RPCError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCStatusCode

from assent.domain.canonical import Json, canonical_json
from assent.domain.clock import Clock
from assent.domain.errors import NotFound, TooLarge, Unavailable
from assent.store import cards, reading
from assent.store.database import Database
from assent.store.refusals import Refusals

MAX_PAYLOAD = 1024 * 1024
"""Bytes of a plan, of what a run is given, or of an action's arguments; Temporal itself refuses 2 MiB."""

MAX_DEPTH = 100
"""Levels of nesting of the same; a worker reads 200 with everything around them, and would try for ever with more."""

RPC_TIMEOUT = timedelta(seconds=10)
"""How long a call to Temporal may take before it counts as away."""

PROPOSE_TIMEOUT = timedelta(seconds=30)
"""How long a proposal may take; a worker that died is noticed by Temporal after about ten seconds."""

_T = TypeVar("_T")


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


class Door:
    """Shared by all doors.

    Args:
        client: Connected to Temporal, with the pydantic converter; ``None`` if it is away, then only pausing works.
        database: Assent's database.
        task_queue_prefix: What the task queues' names start with.
        clock: The time.
        eager: Ask for the first workflow task to be handed to a worker in this process.
        channels: Ways that people are told of requests, ``slack`` say; what is written about a request goes there.
    """

    def __init__(
        self,
        client: Client | None,
        database: Database,
        *,
        task_queue_prefix: str = "assent",
        clock: Clock = utc_now,
        eager: bool = False,
        channels: Sequence[str] = (),
    ) -> None:
        self.client = client
        self._database = database
        self._prefix = task_queue_prefix
        self._clock = clock
        self._eager = eager
        self._channels = tuple(channels)
        self._ending = False
        self._refusals = Refusals(database, clock)

    @property
    def channels(self) -> tuple[str, ...]:
        """The ways that people are told by."""
        return self._channels

    def stop_waiting(self) -> None:
        """Let every :meth:`action` that waits answer with what there is: this process is about to end."""
        self._ending = True

    def _require_agent(self, agent: str) -> None:
        with self._database.read() as session:
            if cards.version_in_force(session, agent) is None:
                raise NotFound(
                    f"There is no agent {agent}.",
                    where="agent",
                    todo="Publish its card with `assent agent publish FILE`; `assent agent list` shows all.",
                )

    def _require_run(self, run_id: str) -> None:
        if not reading.run_exists(self._database, run_id):
            raise NotFound(f"There is no run {run_id}.", where="run", todo="`assent run list` shows the newest.")

    async def _signal(self, workflow_id: str, name: str, message: BaseModel, gone: str) -> None:
        async with self._temporal() as client:
            try:
                await client.get_workflow_handle(workflow_id).signal(name, message, rpc_timeout=RPC_TIMEOUT)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise NotFound(gone, where=workflow_id) from error
                raise

    @asynccontextmanager
    async def _temporal(self) -> AsyncIterator[Client]:
        if self.client is None:
            raise _away("it could not be reached at start")
        try:
            yield self.client
        except RPCError as error:
            raise _away(error.message) from error

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.to_thread(work)

    async def _look_until(
        self, look: Callable[[], _T], holds: Callable[[_T], object], *, wait_seconds: float, every: float
    ) -> _T:
        """Look into the database until what is found holds, the time is over or this process ends; gives the last look.

        Args:
            look: Looks, in a thread.
            holds: Whether it need not be waited for any longer.
            wait_seconds: The time; 0 looks once.
            every: Seconds between two looks.
        """
        until = asyncio.get_running_loop().time() + wait_seconds
        while True:
            found = await self._in_thread(look)
            if holds(found) or self._ending or asyncio.get_running_loop().time() >= until:
                return found
            await asyncio.sleep(every)


def bounded(value: Json, where: str) -> None:
    """Refuse a value that is over :data:`MAX_PAYLOAD` bytes as canonical JSON, or nested over :data:`MAX_DEPTH` deep.

    Raises:
        TooLarge: It is.
    """
    shallow(value, where)
    size = len(canonical_json(value))
    if size > MAX_PAYLOAD:
        raise TooLarge(
            f"This has {size:,} bytes; the limit is {MAX_PAYLOAD:,}.",
            where=where,
            todo="Store the content elsewhere and pass a reference to it.",
        )


def is_there(found: object) -> bool:
    """Whether a look found anything at all."""
    return found is not None


def reason_within(most: int, reason: str) -> None:
    """Refuse a reason that is longer than ``most`` characters.

    Raises:
        TooLarge: It is.
    """
    if len(reason) > most:
        raise TooLarge(f"A reason has at most {most:,} characters.", where="reason")


def shallow(value: Json, where: str) -> None:
    """Refuse a value that is nested over :data:`MAX_DEPTH` deep, before anything walks through it.

    Raises:
        TooLarge: It is.
    """
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [part for each in level for part in _parts(each)]
        if not level:
            return
    raise TooLarge(
        f"This is nested more than {MAX_DEPTH} levels deep.", where=where, todo="Send it less nested, or as text."
    )


def _parts(value: Json) -> list[Json]:
    """The values directly within a list or an object."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _away(why: str) -> Unavailable:
    return Unavailable(
        f"Temporal does not answer: {why}.",
        where="temporal",
        todo="Nothing was changed; try again, and see `assent doctor`.",
    )


def cause(error: Exception) -> str:
    """What a workflow or activity said, behind the errors that Temporal wraps it in."""
    found = error.__cause__
    while found is not None and found.__cause__ is not None and not isinstance(found, ApplicationError):
        found = found.__cause__
    return str(found or error)
