"""Proving undos: a worker tries them on scratch records."""

from __future__ import annotations

import asyncio

from temporalio.client import RPCTimeoutOrCancelledError, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy

from assent.domain.errors import InvalidInput, Unavailable
from assent.domain.people import Actor
from assent.domain.ports import Queue, WorkflowName
from assent.domain.proving import ProveUndos, TriedUndo, TriedUndos
from assent.gateway.cards import card_in_force
from assent.gateway.door import PROPOSE_TIMEOUT, Door, cause


class ProveDoor(Door):
    """What tries whether taking back works."""

    async def prove_undos(self, agent: str, *, by: Actor, type: str = "") -> list[TriedUndo] | None:
        """Try the undos of an agent's actions on scratch records; nothing real is touched.

        Args:
            agent: Whose card lists them.
            by: Who wants to know.
            type: Only the undo of this action type; empty for each that changes something.

        Returns:
            What came of each; ``None`` if they take longer than a click may, and go on.

        Raises:
            NotFound: There is no such agent.
            InvalidInput: Its card does not list the type.
            Unavailable: Temporal or the database is away; nothing was tried.
        """
        types = await self._in_thread(lambda: self._to_prove(agent, type))
        if not types:
            return []
        async with self._temporal() as client:
            try:
                done: TriedUndos = await asyncio.wait_for(
                    client.execute_workflow(
                        WorkflowName.PROVE_UNDOS,
                        ProveUndos(agent=agent, types=types, by=by),
                        id=f"prove-undos:{self._prefix}:{agent}:{type}",
                        task_queue=Queue.CONTROL.under(self._prefix),
                        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                        result_type=TriedUndos,
                    ),
                    PROPOSE_TIMEOUT.total_seconds(),
                )
            except (TimeoutError, RPCTimeoutOrCancelledError):
                return None
            except WorkflowFailureError as error:
                raise Unavailable(f"It failed: {cause(error)}", where="proof", todo="Try again.") from error
        return done.items

    def _to_prove(self, agent: str, type: str) -> list[str]:
        with self._database.read() as session:
            found = card_in_force(session, agent)
        listed = sorted(found.card.actions)
        if type and type not in listed:
            raise InvalidInput(
                f"The card of {agent} does not list {type}.", where="type", todo=f"It lists {', '.join(listed)}."
            )
        if type:
            return [type]
        declared = [found.types[name] for name in listed if name in found.types]
        return [each.name for each in declared if not each.reads_only and each.undo is not None]
