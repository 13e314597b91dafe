"""Pausing and resuming."""

from __future__ import annotations

import uuid
from contextlib import suppress

from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from assent.domain.errors import AssentError
from assent.domain.pauses import PauseInput, ResumePause, Scope, ScopeKind
from assent.domain.people import Actor
from assent.domain.ports import Queue, WorkflowName
from assent.gateway.door import RPC_TIMEOUT, Door
from assent.store import pauses


class StopDoor(Door):
    """What stops, and lets go on."""

    async def pause(self, scope: Scope, *, by: Actor, cause: str = "") -> str:
        """Pause everything, an agent or a run. From the moment this returns no claim in scope succeeds.

        The database alone suffices; a worker makes the pause known once Temporal is back.

        Returns:
            The pause's id.

        Raises:
            NotFound: There is no such agent or run.
            Unavailable: The database is away; nothing was paused.
        """
        pause_id = f"pause-{uuid.uuid4().hex[:12]}"
        at = self._clock()

        def fence() -> None:
            with self._database.write() as session:
                self._require_scope(scope)
                pauses.begin(self._database, session, pause_id=pause_id, scope=scope, cause=cause, by=by, at=at)

        await self._in_thread(fence)
        with suppress(AssentError):
            await self.announce_pause(PauseInput(pause_id=pause_id, scope=scope, cause=cause, by=by, requested_at=at))
        return pause_id

    async def announce_pause(self, input: PauseInput) -> None:
        """Start the workflow of a pause that is already in the database; starting it again changes nothing."""
        async with self._temporal() as client:
            await client.start_workflow(
                WorkflowName.PAUSE,
                input,
                id=input.pause_id,
                task_queue=Queue.CONTROL.under(self._prefix),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                rpc_timeout=RPC_TIMEOUT,
            )

    async def resume(self, pause_id: str, *, by: Actor, note: str = "") -> None:
        """End a pause; the runs it held go on.

        Raises:
            NotFound: There is no such pause.
            Conflict: It has already ended.
            Unavailable: The database is away; the pause still holds.
        """

        def lift() -> None:
            with self._database.write() as session:
                pauses.end(self._database, session, pause_id=pause_id, note=note, by=by, at=self._clock())

        await self._in_thread(lift)
        with suppress(AssentError):
            await self._signal(pause_id, "resume", ResumePause(id=uuid.uuid4().hex, by=by), "")

    def _require_scope(self, scope: Scope) -> None:
        if scope.kind is ScopeKind.AGENT:
            self._require_agent(scope.name)
        elif scope.kind is ScopeKind.RUN:
            self._require_run(scope.name)
