"""Sending people's decisions to runs."""

from __future__ import annotations

import uuid

from assent.domain.approvals import ApprovalStatus, Decision, Verb
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge
from assent.domain.people import Actor
from assent.gateway.door import Door
from assent.store import approvals


class DecisionDoor(Door):
    """What approvers come through."""

    async def decide(
        self,
        approval_id: str,
        *,
        verb: Verb,
        digest: str,
        by: Actor,
        reason: str = "",
        decision_id: str | None = None,
    ) -> Decision:
        """Send a person's verdict to the run.

        Args:
            approval_id: The request.
            verb: Approve or reject.
            digest: Digest of what the person was shown.
            by: The person.
            reason: Why; needed to reject, and given to the agent.
            decision_id: Id of this click, so that sending it twice counts once.

        Raises:
            NotFound: There is no such request.
            Conflict: It is decided, expired or withdrawn, or shows something else by now.
            Forbidden: The person may not decide it.
            InvalidInput: A rejection without a reason.
            Unavailable: Temporal or the database is away; nothing was decided.
        """
        if verb is Verb.REJECT and not reason.strip():
            raise InvalidInput("A rejection needs a reason.", where="reason", todo="The agent is given it.")
        if len(reason) > 4_000:
            raise TooLarge("A reason has at most 4,000 characters.", where="reason")
        action_id, run_id = await self._in_thread(lambda: self._check_decision(approval_id, digest, by))
        decision = Decision(
            id=decision_id or uuid.uuid4().hex,
            approval_id=approval_id,
            action_id=action_id,
            digest=digest,
            verb=verb,
            reason=reason.strip(),
            by=by,
            at=self._clock(),
        )
        await self._signal(run_id, "decide", decision, "The run that asked has ended; nothing will run.")
        return decision

    def _check_decision(self, approval_id: str, digest: str, by: Actor) -> tuple[str, str]:
        """Refuse what cannot count; gives the action's and the run's id."""
        with self._database.read() as session:
            request = approvals.request(session, approval_id)
            if request is None:
                raise NotFound(f"There is no approval request {approval_id}.", where="approval")
            if not approvals.may_decide(session, by.id):
                raise Forbidden(
                    f"{by.name} may not decide approval requests.",
                    where="approval",
                    todo="Ask an administrator for the role approver.",
                )
            if request.status is not ApprovalStatus.PENDING:
                who = f" by {request.decided_by}" if request.decided_by else ""
                raise Conflict(
                    f"The request is already {request.status}{who}.", where="approval", todo="Nothing was changed."
                )
            if request.digest != digest:
                raise Conflict(
                    "The request no longer shows what you saw.",
                    where="digest",
                    todo="Open it again and decide on what it shows now.",
                )
            return request.action_id, request.run_id
