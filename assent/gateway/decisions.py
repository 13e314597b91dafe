"""Sending people's decisions to runs."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus, Decision, Verb
from assent.domain.assurance import check_assurance
from assent.domain.errors import AssentError, Conflict, Forbidden, InvalidInput, NeedsProof, NotFound
from assent.domain.people import MAX_REASON, Actor, Assurance
from assent.domain.revisions import Edit
from assent.domain.voting import Voter, why_not_approve, why_not_reject
from assent.gateway.door import Door, is_there, reason_within
from assent.store import electorate, openings, projection, votes
from assent.store.tables import ApprovalRow
from assent.store.votes import Fate

_LOOK_EVERY = 0.05
"""Seconds between looks at a decision that is waited for."""

_ASK_AN_ADMINISTRATOR = "Ask an administrator for the role approver."
_OTHERS = "The page of the request says who can decide it."


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
            verb: Approve, reject, or take one's own vote back.
            digest: Digest of what the person was shown.
            by: The person.
            reason: Why; needed to reject, and given to the agent.
            decision_id: Id of this click, so that sending it twice counts once.

        Raises:
            NotFound: There is no such request.
            Conflict: It is decided, expired or withdrawn, shows something else by now, or the person voted before.
            Forbidden: The person may not decide it; the sentence says why, and the ledger keeps it.
            NeedsProof: The person must prove first that it is they.
            InvalidInput: A rejection without a reason.
            Unavailable: Temporal or the database is away; nothing was decided.
        """
        if verb is Verb.REJECT and not reason.strip():
            raise InvalidInput("A rejection needs a reason.", where="reason", todo="The agent is given it.")
        reason_within(MAX_REASON, reason)

        def check() -> tuple[str, str]:
            return self._checked(approval_id, verb, digest, by)

        action_id, run_id = await self._in_thread(check)
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
        await self._tell_run(run_id, "decide", decision, check)
        return decision

    async def fate(self, decision_id: str, *, wait_seconds: float = 0) -> Fate | None:
        """What became of a decision that was sent: whether it counted, and what it did.

        Args:
            decision_id: The decision's id.
            wait_seconds: Wait so long for the run to take it up.

        Returns:
            Its fate; ``None`` if the run has not taken it up yet.
        """
        return await self._look_until(
            lambda: self._fate(decision_id), is_there, wait_seconds=wait_seconds, every=_LOOK_EVERY
        )

    async def _tell_run(self, run_id: str, name: str, message: Decision | Edit, check: Callable[[], object]) -> None:
        """Send a message to the run that asked.

        Raises:
            NotFound: It has ended, and ``check`` finds nothing that became of the request meanwhile.
            Conflict: It has ended, because somebody else was quicker; ``check`` says who.
        """
        try:
            await self._signal(run_id, name, message, "The run that asked has ended; nothing will run.")
        except NotFound:
            await self._in_thread(check)
            raise

    def _fate(self, decision_id: str) -> Fate | None:
        with self._database.read() as session:
            return votes.fate(session, decision_id)

    def _checked(self, approval_id: str, verb: Verb, digest: str, by: Actor) -> tuple[str, str]:
        """The check, with every refusal of a person in the ledger."""
        try:
            return self._check_decision(approval_id, digest, by, verb)
        except (Forbidden, Conflict) as error:
            if not isinstance(error, NeedsProof):
                self._note_refusal(error, approval_id, verb, by)
            raise

    def _note_refusal(self, error: AssentError, approval_id: str, verb: Verb, by: Actor) -> None:
        body = {"approval": approval_id, "verb": verb.value}
        self._refusals.record("approval.refused", error.what, where=error.where, via=by.via, actor=by, body=body)

    def _check_decision(self, approval_id: str, digest: str, by: Actor, verb: Verb = Verb.APPROVE) -> tuple[str, str]:
        """Refuse what cannot count; gives the action's and the run's id."""
        now = self._clock()
        with self._database.read() as session:
            row = session.get(ApprovalRow, approval_id)
            if row is None:
                raise NotFound(f"There is no approval request {approval_id}.", where="approval")
            voter = electorate.voter_on(session, row, by.id, now)
            _require_somebody(row, voter, by, verb)
            assert voter is not None
            if verb is Verb.WITHDRAW:
                _require_vote(session, row, by)
            else:
                _require_pending(row)
            if row.digest != digest:
                raise Conflict(
                    "The request no longer shows what you saw.",
                    where="digest",
                    todo="Open it again and decide on what it shows now.",
                )
            if verb is not Verb.WITHDRAW:
                _require_voice(session, row, voter, by, verb, now)
            return row.action_id, row.run_id


def _require_somebody(row: ApprovalRow, voter: Voter | None, by: Actor, verb: Verb) -> None:
    """Refuse who may decide nothing at all."""
    objects = verb is Verb.REJECT and electorate.rules_of(row).electorate.veto
    if voter is None or not (voter.able or (objects and voter.enabled)):
        raise Forbidden(f"{by.name} may not decide approval requests.", where="approval", todo=_ASK_AN_ADMINISTRATOR)


def _require_pending(row: ApprovalRow) -> None:
    if row.status != ApprovalStatus.PENDING.value:
        who = f" by {row.decided_by['name']}" if row.decided_by else ""
        raise Conflict(f"The request is already {row.status}{who}.", where="approval", todo="Nothing was changed.")


def _require_vote(session: Session, row: ApprovalRow, by: Actor) -> None:
    """Refuse to take back what is not there, or what has run."""
    action = projection.read_action(session, row.action_id)
    waiting = action is not None and action.status in (ActionStatus.AWAITING.value, ActionStatus.HELD.value)
    if not waiting:
        raise Conflict(
            "It is too late to take it back.", where="approval", todo="See what came of it, and undo it there."
        )
    if not any(vote.by.id == by.id for vote in votes.in_force(session, row.id)):
        raise Conflict(f"{by.name} has no vote in force on it.", where="approval", todo="Nothing was changed.")


def _require_voice(session: Session, row: ApprovalRow, voter: Voter, by: Actor, verb: Verb, now: datetime) -> None:
    """Refuse whose vote would not count, as the run would, with the sentence that says why."""
    rules = electorate.rules_of(row).electorate
    check = why_not_reject if verb is Verb.REJECT else why_not_approve
    if why_not := check(rules, voter, Assurance.FRESH):
        raise Forbidden(why_not, where="approval", todo=_OTHERS)
    if verb is Verb.APPROVE and electorate.rules_of(row).opened and not openings.was_opened(session, row, by.id):
        raise Forbidden(openings.NOT_OPENED, where="approval", todo="Decide when you have seen it.")
    if not (verb is Verb.REJECT and rules.veto):
        check_assurance(rules.assurance, by)
    if rules.size == 1 and rules.deny == 1:
        return
    for vote in votes.in_force(session, row.id):
        if vote.verb is verb and electorate.mailbox(session, vote.by.id) == voter.own.mailbox:
            done = "approved" if verb is Verb.APPROVE else "rejected"
            raise Conflict(f"{vote.by.name} has {done} it before; one person is one voice.", where="approval")
