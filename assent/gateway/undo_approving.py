"""Approving a mass rollback: the words of those who must agree, bound to the digest of what they saw."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.assurance import check_assurance, of_actor
from assent.domain.errors import Conflict, Forbidden, InvalidInput, PreviewChanged
from assent.domain.people import MAX_REASON, Actor
from assent.domain.rollback_approval import RollbackRules, RollbackVerb, RollbackVote
from assent.domain.rollbacks import RollbackBegun, RollbackStatus
from assent.domain.voting import Electorate, why_not_approve, why_not_reject
from assent.gateway.door import reason_within
from assent.gateway.refusing import refusals_kept
from assent.gateway.undo_holding import RollbackDoor
from assent.store import electorate as electorates
from assent.store import rollback_life
from assent.store.consents import weigh_consents
from assent.store.tables import RollbackRow


class UndoApprovalDoor(RollbackDoor):
    """What those come through who agree to a rollback, or do not."""

    async def decide_rollback(
        self, rollback_id: str, *, verb: RollbackVerb, digest: str, by: Actor, reason: str = ""
    ) -> RollbackBegun:
        """Say yes or no to a rollback that awaits approval; the last yes that is needed lets it run.

        Args:
            rollback_id: The rollback.
            verb: Yes or no.
            digest: Digest of what the person saw.
            by: The person.
            reason: Why; needed to say no.

        Raises:
            NotFound: There is no such rollback.
            Conflict: It awaits nobody any more, or this person has agreed before.
            PreviewChanged: The digest is another one.
            Forbidden: Their word does not count for it; the sentence says why, and the ledger keeps it.
            NeedsProof: They must prove first that it is they.
            InvalidInput: A no without a reason.
            Unavailable: The database is away; nothing was decided.
        """
        if verb is RollbackVerb.REJECT and not reason.strip():
            raise InvalidInput("A rejection needs a reason.", where="reason", todo="Whoever asked is told it.")
        reason_within(MAX_REASON, reason)

        def write() -> tuple[RollbackBegun, int]:
            with refusals_kept(self._refusals, "rollback.refused", by, {"rollback": rollback_id, "verb": verb.value}):
                return decide()

        def decide() -> tuple[RollbackBegun, int]:
            with self._database.write() as session:
                now = self._clock()
                row = rollback_life.locked(session, rollback_id)
                rules = _require_waiting(row, digest, now)
                said = RollbackVote(verb=verb, by=by, at=now, reason=reason.strip())
                self._decide(session, row, rules, said)
                status = RollbackStatus(row.status)
                return RollbackBegun(id=row.id, state=status, needs=rules.words), row.round

        begun, round = await self._in_thread(write)
        await self._wake(rollback_id, round, by)
        return begun

    async def withdraw_rollback(self, rollback_id: str, *, by: Actor, reason: str = "") -> None:
        """Take back a rollback that has not begun to undo: its plan is being compared, or it awaits approval.

        Raises:
            NotFound: There is no such rollback.
            Forbidden: This person may not undo what these agents did.
            Conflict: It has begun, or has ended.
            Unavailable: The database is away; nothing was withdrawn.
        """
        reason_within(MAX_REASON, reason)

        def write() -> int:
            self._may_change(rollback_id, by)
            with self._database.write() as session:
                row = rollback_life.locked(session, rollback_id)
                said = f": {reason.strip()}" if reason.strip() else "."
                why = f"{by.name} withdrew it{said}"
                if not rollback_life.refuse(session, rollback_id, why, by=by, at=self._clock()):
                    now = row.status.replace("_", " ")
                    raise Conflict(
                        f"The rollback is {now}; only one that has not begun can be withdrawn.",
                        where=rollback_id,
                        todo="Hold it instead, if it runs.",
                    )
                return row.round

        await self._wake(rollback_id, await self._in_thread(write), by)

    def _decide(self, session: Session, row: RollbackRow, rules: RollbackRules, said: RollbackVote) -> None:
        by, now = said.by, said.at
        _require_word(session, rules.electorates, said)
        given = rollback_life.approvals(session, row)
        if said.verb is RollbackVerb.APPROVE and any(each.by.id == by.id for each in given):
            raise Conflict("You have approved it already.", where="rollback", todo="Somebody else must.")
        rollback_life.vote(session, row, said, at=now)
        if said.verb is RollbackVerb.REJECT:
            rollback_life.refuse(session, row.id, f"{by.name} rejected it: {said.reason}", by=by, at=now)
            return
        words = rollback_life.approvals(session, row)
        if all(weigh_consents(session, each, words, now).met for each in rules.electorates):
            rollback_life.approved(session, row, by=by, at=now)


def _require_waiting(row: RollbackRow, digest: str, now: datetime) -> RollbackRules:
    waits = row.status == RollbackStatus.AWAITING.value
    if not waits or row.rules is None or (row.expires_at is not None and row.expires_at <= now):
        raise Conflict(
            f"The rollback is {'past its time' if waits else row.status.replace('_', ' ')}; it awaits nobody.",
            where=row.id,
            todo="Nothing was changed.",
        )
    if row.digest != digest:
        raise PreviewChanged("This is not what the rollback shows.", preview_id=row.id, todo="Look at it again.")
    return RollbackRules.model_validate(row.rules)


def _require_word(session: Session, electorates_: list[Electorate], said: RollbackVote) -> None:
    """Refuse the word of somebody that counts for nothing."""
    check = why_not_approve if said.verb is RollbackVerb.APPROVE else why_not_reject
    why_not = ""
    for each in electorates_:
        check_assurance(each.assurance, said.by)
        voter = electorates.voter(session, said.by.id, said.at, electorate=each)
        why_not = f"{said.by.name} is not known here." if voter is None else check(each, voter, of_actor(said.by))
        if not why_not:
            return
    raise Forbidden(why_not, where="rollback", todo="Somebody who is asked must decide it.")
