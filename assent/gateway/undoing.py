"""Rolling back: previewed, then begun as it was shown."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from assent.domain.errors import AssentError, Conflict, Forbidden, InvalidInput, NotFound, PreviewChanged, Unavailable
from assent.domain.people import Actor
from assent.domain.ports import Queue, WorkflowName
from assent.domain.rollback_approval import RollbackRules
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind, check_period
from assent.domain.rollbacks import RollbackBegun, RollbackPlan, RollbackRequest, RollbackStatus
from assent.gateway.door import PROPOSE_TIMEOUT, RPC_TIMEOUT
from assent.gateway.undo_approving import UndoApprovalDoor
from assent.gateway.undo_authority import may_look, may_undo
from assent.gateway.undo_holding import HoldDoor, workflow_id
from assent.gateway.undo_rest import UndoRestDoor
from assent.store import rollback_life
from assent.store.queries import rollbacks
from assent.store.rollback_plans import scope_digest, scope_of
from assent.store.tables import RollbackRow
from assent.store.undo_scopes import require_scope, since_it_began

FIRST_STEPS = 50
"""Steps of a preview that are there when it is given; a larger one goes on being written."""

PATIENCE = 1.0
"""Seconds that a preview is waited for beyond its first page."""

BEGIN_WAIT = 10.0
"""Seconds that a click waits until it is clear whether a rollback may run; a large one goes on being compared."""

_LOOK_EVERY = 0.02


class UndoDoor(HoldDoor, UndoApprovalDoor, UndoRestDoor):
    """What takes effects back."""

    async def preview_rollback(self, scope: RollbackScope, *, by: Actor, patience: float = PATIENCE) -> RollbackPlan:
        """What a rollback would do, effect by effect, newest first; changes nothing.

        The plan names the scope as it is taken: an incident's without a time is taken from when the incident began.
        A large plan is given once its first page is written, with ``complete`` false; :meth:`rollback_plan` says how
        far it is. It cannot be started before it is complete.

        Args:
            scope: What is to be taken back.
            by: Who looks.
            patience: Seconds to wait for all of it beyond its first page.

        Raises:
            NotFound: There is nothing of that name.
            InvalidInput: The period is missing, in the future, or ends before it begins.
            Forbidden: They have nothing to do with undoing.
            Unavailable: Temporal, the database or every worker is away.
        """
        scope = await self._in_thread(lambda: self._rollback_scope(scope))
        await self._in_thread(lambda: may_look(self._database, self._refusals, scope, by, self._clock()))
        request = self._rollback_request("preview", scope, by, "")
        await self._start_rollback(WorkflowName.PREVIEW_ROLLBACK, request)

        def there(plan: RollbackPlan | None) -> bool:
            return plan is not None and (plan.complete or len(plan.steps) >= FIRST_STEPS)

        plan = await self._look_until(
            lambda: self._plan(request.rollback_id),
            there,
            wait_seconds=PROPOSE_TIMEOUT.total_seconds(),
            every=_LOOK_EVERY,
        )
        if plan is not None and there(plan) and not plan.complete:
            plan = await self._look_until(
                lambda: self._plan(request.rollback_id), _is_complete, wait_seconds=patience, every=_LOOK_EVERY
            )
        if plan is None or not there(plan):
            raise Unavailable("No worker answered in time.", where="preview", todo="Try again.")
        return plan

    async def rollback_plan(self, preview_id: str) -> RollbackPlan:
        """A preview as far as it is written: its first page, its totals, its digest once complete.

        Raises:
            NotFound: There is no such preview; they are kept for a day.
        """
        plan = await self._in_thread(lambda: self._plan(preview_id))
        if plan is None:
            raise NotFound(f"There is no preview {preview_id!r}.", where="preview_id", todo="Make a new one.")
        return plan

    async def rollback(
        self, scope: RollbackScope, *, by: Actor, reason: str = "", preview_id: str = "", digest: str = ""
    ) -> RollbackBegun:
        """Take back the effects in a scope, newest first.

        Args:
            scope: What is taken back.
            by: Who wants it.
            reason: Why; kept in the ledger.
            preview_id: The preview they saw. With it, nothing is undone unless the world still is as it showed.
            digest: That preview's digest.

        Returns:
            The rollback's id, and whether it runs, awaits approval, or (a large one) still is compared.

        Raises:
            NotFound: There is nothing of that name, or no such preview.
            InvalidInput: The period makes no sense, or the preview is of something else.
            Forbidden: This person may not undo what these agents did.
            PreviewChanged: The world is not as the preview showed it; the new preview is named.
            Conflict: A rollback of the same scope is under way; it is named.
            Unavailable: Temporal or the database is away; nothing was started.
        """
        scope = await self._in_thread(lambda: self._rollback_scope(scope))
        request = self._rollback_request("rollback", scope, by, reason).model_copy(update={"preview_id": preview_id})

        def begin() -> None:
            may_undo(self._database, self._refusals, scope, by, self._clock())
            with self._database.write() as session:
                self._database.lock_alone(session, rollback_life.BEGIN)
                if preview_id or digest:
                    _require_preview(session, scope, preview_id, digest)
                rollback_life.begin(session, request, known=False)

        await self._in_thread(begin)
        try:
            await self._start_rollback(WorkflowName.ROLLBACK, request)
        except AssentError:
            # Should Temporal have taken it all the same, its workflow finds it refused and ends.
            await self._in_thread(lambda: self._give_up(request))
            raise
        return await self._begun(request)

    async def announce_rollback(self, request: RollbackRequest) -> None:
        """Start the workflow of a rollback that is in the database; starting it again changes nothing."""
        await self._start_rollback(WorkflowName.ROLLBACK, request)

    async def _start_rollback(self, name: WorkflowName, request: RollbackRequest) -> None:
        async with self._temporal() as client:
            await client.start_workflow(
                name,
                request,
                id=workflow_id(request.rollback_id, request.round),
                task_queue=Queue.CONTROL.under(self._prefix),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                rpc_timeout=RPC_TIMEOUT,
            )

    async def _begun(self, request: RollbackRequest) -> RollbackBegun:
        """Wait until it is clear what becomes of it, as long as a click may take."""

        def look() -> RollbackRow | None:
            with self._database.read() as session:
                return session.get(RollbackRow, request.rollback_id)

        row = await self._look_until(
            look,
            lambda found: found is not None and found.status != RollbackStatus.CHECKING.value,
            wait_seconds=BEGIN_WAIT,
            every=_LOOK_EVERY,
        )
        if row is None:
            raise Unavailable("The rollback was taken back.", where="rollback", todo="Try again.")
        status = RollbackStatus(row.status)
        if status is RollbackStatus.PREVIEW:
            raise PreviewChanged(row.message, preview_id=row.id)
        if status is RollbackStatus.REFUSED:
            raise Forbidden(row.message, where="rollback", todo="Nothing was undone.")
        rules = RollbackRules.model_validate(row.rules or {})
        return RollbackBegun(id=row.id, state=status, needs=rules.words if status is RollbackStatus.AWAITING else "")

    def _plan(self, rollback_id: str) -> RollbackPlan | None:
        with self._database.read() as session:
            return rollbacks.plan(session, rollback_id, limit=FIRST_STEPS)

    def _give_up(self, request: RollbackRequest) -> None:
        why = "Temporal could not be reached, so it was not begun."
        with self._database.write() as session:
            rollback_life.refuse(session, request.rollback_id, why, by=request.by, at=self._clock())

    def _rollback_request(self, kind: str, scope: RollbackScope, by: Actor, reason: str) -> RollbackRequest:
        return RollbackRequest(
            rollback_id=f"{kind}-{uuid.uuid4().hex[:12]}",
            scope=scope,
            by=by,
            reason=reason,
            requested_at=self._clock(),
        )

    def _rollback_scope(self, asked: RollbackScope) -> RollbackScope:
        """The scope with its beginning; what cannot be meant is refused."""
        check_period(asked, self._clock())
        if asked.kind is RollbackScopeKind.RUN:
            self._require_run(asked.id)
            return asked
        if asked.kind is RollbackScopeKind.AGENT:
            self._require_agent(asked.id)
            return asked
        with self._database.read() as session:
            require_scope(session, asked)
            scope = since_it_began(session, asked)
        check_period(scope, self._clock())
        return scope


def _require_preview(session: Session, scope: RollbackScope, preview_id: str, digest: str) -> None:
    """Refuse to begin by a preview that is not there, not complete, of something else, or not what was seen."""
    row = session.get(RollbackRow, preview_id)
    if row is None or row.status != RollbackStatus.PREVIEW.value:
        raise PreviewChanged(
            "The preview is gone: they are kept for a day.", where="preview_id", todo="Make a new one."
        )
    if not row.complete:
        raise Conflict("The preview is not complete yet.", where="preview_id", todo="Wait until all of it is written.")
    if scope_digest(scope) != scope_digest(scope_of(row)):
        raise InvalidInput("The preview is of something else.", where="preview_id", todo="Preview this scope first.")
    if digest and digest != row.digest:
        raise PreviewChanged("The digest is not that of the preview.", preview_id=preview_id)


def _is_complete(plan: RollbackPlan | None) -> bool:
    return plan is not None and plan.complete
