"""Holding a rollback, and letting it go on."""

from __future__ import annotations

import uuid

from assent.domain.errors import NotFound, Unavailable
from assent.domain.people import Actor
from assent.domain.rollback_messages import RollbackChanged
from assent.gateway.door import Door
from assent.gateway.undo_authority import may_undo
from assent.store import rollback_life
from assent.store.queries import rollbacks


class RollbackDoor(Door):
    """What the doors of rollbacks share: who may, and waking the workflow."""

    def _may_change(self, rollback_id: str, by: Actor) -> None:
        with self._database.read() as session:
            found = rollbacks.header(session, rollback_id)
        planned = found.totals.by_agent
        may_undo(self._database, self._refusals, found.scope, by, self._clock(), planned=planned)

    async def _wake(self, rollback_id: str, round: int, by: Actor) -> None:
        """Let its workflow look at once; it would look within a minute anyway."""
        try:
            message = RollbackChanged(id=uuid.uuid4().hex, by=by)
            await self._signal(workflow_id(rollback_id, round), "changed", message, "It has ended.")
        except (NotFound, Unavailable):
            return


class HoldDoor(RollbackDoor):
    """What stops a rollback, and lets it go on."""

    async def hold_rollback(self, rollback_id: str, *, by: Actor) -> None:
        """Let a rollback undo no further effect once this returns; those under way come to their end.

        Raises:
            NotFound: There is no such rollback.
            Forbidden: This person may not undo what these agents did.
            Conflict: It does not run.
        """

        def write() -> int:
            self._may_change(rollback_id, by)
            with self._database.write() as session:
                return rollback_life.hold(session, rollback_id, by=by, at=self._clock())

        await self._in_thread(write)

    async def continue_rollback(self, rollback_id: str, *, by: Actor) -> None:
        """Let a held rollback go on.

        Raises:
            NotFound: There is no such rollback.
            Forbidden: This person may not undo what these agents did.
            Conflict: It is not held.
        """

        def write() -> int:
            self._may_change(rollback_id, by)
            with self._database.write() as session:
                return rollback_life.go_on(session, rollback_id, by=by, at=self._clock())

        await self._wake(rollback_id, await self._in_thread(write), by)


def workflow_id(rollback_id: str, round: int) -> str:
    """Id of the workflow of a rollback's round."""
    return f"{rollback_id}-{round}" if round else rollback_id
