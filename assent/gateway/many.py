"""Deciding several requests at once, each still bound to what was shown of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from pydantic import BaseModel, Field

from assent.domain.approvals import Decision, Verb
from assent.domain.checks import Check
from assent.domain.errors import AssentError, InvalidInput, NotFound, TooLarge
from assent.domain.people import Actor
from assent.gateway.checking import CheckDoor
from assent.gateway.decisions import DecisionDoor
from assent.store.queries.checks_shown import as_request

MAX_ITEMS = 200
"""Requests that are decided at once."""

_AT_ONCE = 16
"""Decisions that are sent at the same time."""


class OneOfMany(BaseModel):
    """One request of several, with the digest of what the person was shown of it."""

    approval_id: str
    digest: str


class ManyResult(BaseModel):
    """What came of one item.

    Attributes:
        approval_id: The request.
        decision: What was sent to the run, or for a check was kept; ``None`` if it was refused.
        check: The check that it was, if it was one.
        code: Why it was refused, as ``AssentError.code``; empty if it was sent.
        what: The same in a sentence.
        todo: What can be done about it.
    """

    approval_id: str
    decision: Decision | None = None
    check: Check | None = Field(default=None, exclude=True)
    code: str = ""
    what: str = ""
    todo: str = ""

    @property
    def sent(self) -> bool:
        """Whether the decision was sent to the run, or kept for a check."""
        return self.decision is not None


class ManyDoor(DecisionDoor, CheckDoor):
    """What approvers come through with several requests at once."""

    async def decide_many(
        self,
        items: Sequence[OneOfMany],
        *,
        verb: Verb,
        by: Actor,
        reason: str = "",
        decision_id: str | None = None,
    ) -> list[ManyResult]:
        """Send the same verdict on several requests; each is checked, bound and recorded by itself.

        One that is a check of theirs is told for what it was, and nothing is sent of it.

        Args:
            items: The requests, each with its own digest. 1 to :data:`MAX_ITEMS`, none twice.
            verb: Approve or reject.
            by: The person.
            reason: Why; needed to reject, and given to each agent.
            decision_id: Id of this click, so that sending it twice counts once for each request.

        Returns:
            For each item, in order, what came of it. One that is refused does not keep the others from being sent.

        Raises:
            InvalidInput: There are none, a request is listed twice, or a rejection has no reason.
            TooLarge: There are too many.
        """
        _check(items, verb, reason)
        click = decision_id or uuid.uuid4().hex
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(item: OneOfMany) -> ManyResult:
            async with turn:
                try:
                    return await self._one_of_many(item, verb, by, reason, f"{click}:{item.approval_id}")
                except AssentError as error:
                    return ManyResult(approval_id=item.approval_id, code=error.code, what=error.what, todo=error.todo)

        return await asyncio.gather(*(one(item) for item in items))

    async def _one_of_many(self, item: OneOfMany, verb: Verb, by: Actor, reason: str, decision_id: str) -> ManyResult:
        """Decide a request or, if there is none of this id, somebody's check."""
        id, digest = item.approval_id, item.digest
        try:
            made = await self.decide(id, verb=verb, digest=digest, by=by, reason=reason, decision_id=decision_id)
        except NotFound:
            if await self.check_of(id, by.id) is None:
                raise
            check = await self.decide_check(id, verb=verb, digest=digest, by=by, reason=reason)
            kept = Decision(
                id=decision_id,
                approval_id=id,
                action_id=await self._in_thread(lambda: self._action_of(check)),
                digest=digest,
                verb=verb,
                reason=reason.strip(),
                by=by,
                at=check.ended_at or self._clock(),
            )
            return ManyResult(approval_id=id, decision=kept, check=check)
        return ManyResult(approval_id=id, decision=made)

    def _action_of(self, check: Check) -> str:
        with self._database.read() as session:
            return as_request(session, check).action_id


def _check(items: Sequence[OneOfMany], verb: Verb, reason: str) -> None:
    if not items:
        raise InvalidInput("No request is named.", where="items", todo="Name at least one.")
    if len(items) > MAX_ITEMS:
        raise TooLarge(
            f"At most {MAX_ITEMS} requests are decided at once, not {len(items):,}.",
            where="items",
            todo="Nothing was decided. Decide fewer at a time.",
        )
    if len({item.approval_id for item in items}) < len(items):
        raise InvalidInput("A request is listed twice.", where="items", todo="Nothing was decided. List each once.")
    if verb is Verb.REJECT and not reason.strip():
        raise InvalidInput("A rejection needs a reason.", where="reason", todo="The agents are given it.")
