"""Starting drills."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from assent.domain.drills import DrillRequest, DrillTerms, drill_workflow_id, is_scratch
from assent.domain.errors import Conflict, InvalidInput
from assent.domain.people import Actor
from assent.domain.ports import DrillWorkflow, Queue
from assent.gateway.door import RPC_TIMEOUT, Door
from assent.policy.drills_block import DrillsBlock
from assent.store import cards, drills


class DrillDoor(Door):
    """What rehearses a stop."""

    async def start_drill(self, agent: str, *, by: Actor) -> str:
        """Rehearse the stop and the undo of an agent on a scratch copy of it; takes about half a minute.

        Returns:
            The drill's id.

        Raises:
            NotFound: There is no such agent.
            InvalidInput: It is the scratch agent of a drill itself.
            Conflict: A drill is under way, or a pause holds everything.
            Unavailable: Temporal or the database is away; nothing was started.
        """
        if is_scratch(agent):
            raise InvalidInput(
                f"{agent} is the scratch agent of a drill.", where="agent", todo="Name the agent it stands for."
            )
        await self._in_thread(lambda: self._require_agent(agent))
        request = DrillRequest(
            drill_id=f"drill-{uuid.uuid4().hex[:12]}", agent=agent, by=by, requested_at=self._clock()
        )
        await self._in_thread(self._require_nothing_stopped)
        async with self._temporal() as client:
            try:
                await client.start_workflow(
                    DrillWorkflow.DRILL,
                    request,
                    id=drill_workflow_id(self._prefix),
                    task_queue=Queue.CONTROL.under(self._prefix),
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    rpc_timeout=RPC_TIMEOUT,
                )
            except WorkflowAlreadyStartedError as error:
                raise Conflict(
                    "A drill is under way, and one is held at a time.",
                    where="drill",
                    todo="Try again in a minute; `assent drill list` shows it.",
                ) from error

        def note() -> None:
            with self._database.write() as session:
                drills.begin(session, request, terms_in_force(session, agent))

        await self._in_thread(note)
        return request.drill_id

    def _require_nothing_stopped(self) -> None:
        with self._database.read() as session:
            pause_id = drills.stopped_by(session)
        if pause_id:
            raise Conflict(
                f"The pause {pause_id} holds everything, a drill's scratch agent too.",
                where="drill",
                todo="Resume first: a drill has to let its agent act before it stops it.",
            )


def terms_in_force(session: Session, agent: str) -> DrillTerms:
    """What the card in force says a drill has to keep to; the defaults where it says nothing."""
    version = cards.version_in_force(session, agent)
    found = cards.read_version(session, agent, version) if version else None
    block = found.card.get("drills") if found else None
    return DrillsBlock.model_validate(block or {}).terms
