"""What a rollback left for people: tried again, done by hand, or accepted as it is."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from assent.domain.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable
from assent.domain.people import MAX_REASON, Actor
from assent.domain.ports import Queue, WorkflowName
from assent.domain.rollbacks import MAX_ORDINALS, RollbackRequest, RollbackStatus
from assent.domain.undo_steps import MAX_EVIDENCE, Settled, SettledHow
from assent.gateway.door import RPC_TIMEOUT
from assent.gateway.undo_holding import RollbackDoor, workflow_id
from assent.store import rollback_life, undo_rest
from assent.store.rollback_plans import request_of
from assent.store.tables import RollbackRow

_LAST_PLACE = 2**31 - 1
"""The highest place that a step can have."""


class UndoRestDoor(RollbackDoor):
    """What deals with the rest."""

    async def retry_steps(self, rollback_id: str, ordinals: Sequence[int] = (), *, by: Actor) -> int:
        """Try again what was left.

        Args:
            rollback_id: The rollback.
            ordinals: Places of the steps, at most 1,000; none means all that are left.
            by: Who wants it.

        Returns:
            How many steps are tried again.

        Raises:
            NotFound: There is no such rollback, or a step is none that was left.
            Forbidden: This person may not undo what these agents did.
            Conflict: It has not begun, or nothing is left.
            TooLarge: Too many steps are named.
            Unavailable: The database is away; nothing is tried. While only Temporal is, it is tried once it is back.
        """
        if len(ordinals) > MAX_ORDINALS:
            raise TooLarge(
                f"At most {MAX_ORDINALS:,} steps can be named.", where="ordinals", todo="Name none to mean all."
            )

        _require_places(ordinals)

        def write() -> tuple[int, RollbackRequest, bool]:
            self._may_change(rollback_id, by)
            with self._database.write() as session:
                row = _begun(session, rollback_id)
                count = undo_rest.open_again(session, rollback_id, list(ordinals))
                if not count:
                    raise Conflict("Nothing is left to be tried again.", where=rollback_id, todo="Nothing was changed.")
                ended = row.status == RollbackStatus.NEEDS_PERSON.value
                rollback_life.again(session, row, by=by, steps=count, at=self._clock())
                return count, request_of(row), ended

        count, request, ended = await self._in_thread(write)
        if ended:
            await self._start_round(request)
        else:
            await self._wake(rollback_id, request.round, by)
        return count

    async def settle_step(
        self, rollback_id: str, ordinal: int, *, by: Actor, how: SettledHow, note: str, evidence: str = ""
    ) -> RollbackStatus:
        """Close a step that was left: a person did it by hand, or it stays as it is.

        Args:
            rollback_id: The rollback.
            ordinal: Place of the step.
            by: Who says so.
            how: By hand, or accepted.
            note: What was done, or why it may stay.
            evidence: Where it can be seen.

        Returns:
            The rollback's status: done once nothing is left.

        Raises:
            NotFound: There is no such rollback or step.
            Forbidden: This person may not undo what these agents did.
            Conflict: The step is not one that was left, or is closed already.
            InvalidInput: The note is empty.
            TooLarge: The note or the evidence is too long.
            Unavailable: The database is away; nothing was changed.
        """
        if not note.strip():
            raise InvalidInput("Say what was done, or why it may stay.", where="note")
        if len(note) > MAX_REASON or len(evidence) > MAX_EVIDENCE:
            raise TooLarge(
                f"A note has at most {MAX_REASON:,} characters, evidence at most {MAX_EVIDENCE:,}.", where="note"
            )

        _require_places([ordinal])

        def write() -> RollbackStatus:
            self._may_change(rollback_id, by)
            with self._database.write() as session:
                now = self._clock()
                row = _begun(session, rollback_id)
                said = Settled(how=how, by=by, at=now, note=note.strip(), evidence=evidence.strip())
                step = undo_rest.settle(session, rollback_id, ordinal, said)
                body = {
                    "ordinal": ordinal,
                    "action": step.action_id,
                    "how": how.value,
                    "note": said.note,
                    "evidence": said.evidence,
                }
                rollback_life.settled(session, row, body, by=by, at=now)
                session.flush()
                rollback_life.end_if_settled(session, row, by=by, at=now)
                return RollbackStatus(row.status)

        return await self._in_thread(write)

    async def _start_round(self, request: RollbackRequest) -> None:
        """Start the workflow of another round; a worker does it while Temporal is away."""
        if self.client is None:
            return
        try:
            async with self._temporal() as client:
                await client.start_workflow(
                    WorkflowName.ROLLBACK,
                    request,
                    id=workflow_id(request.rollback_id, request.round),
                    task_queue=Queue.CONTROL.under(self._prefix),
                    rpc_timeout=RPC_TIMEOUT,
                )
        except Unavailable:
            return


def _require_places(ordinals: Sequence[int]) -> None:
    """Refuse places that no step can have: no database keeps a number of any size."""
    for ordinal in ordinals:
        if not 0 <= ordinal <= _LAST_PLACE:
            raise NotFound("There is no step of this place.", where="ordinal", todo="Look at the rollback's steps.")


def _begun(session: Session, rollback_id: str) -> RollbackRow:
    row = rollback_life.locked(session, rollback_id)
    if row.status not in _BEGUN:
        raise Conflict(
            f"The rollback is {row.status.replace('_', ' ')}; nothing of it is left to people.", where=rollback_id
        )
    return row


_BEGUN = {each.value for each in (RollbackStatus.RUNNING, RollbackStatus.HELD, RollbackStatus.NEEDS_PERSON)}
