"""Deciding several requests at once, each still bound to what was shown of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from pydantic import BaseModel

from assent.domain.approvals import Decision, Verb
from assent.domain.errors import AssentError, Conflict, InvalidInput, NotFound, TooLarge
from assent.domain.people import Actor
from assent.gateway.checking import CheckDoor
from assent.gateway.decisions import DecisionDoor

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
        decision: What was sent to the run; ``None`` if it was refused.
        code: Why it was refused, as ``AssentError.code``; empty if it was sent.
        what: The same in a sentence.
        todo: What can be done about it.
    """

    approval_id: str
    decision: Decision | None = None
    code: str = ""
    what: str = ""
    todo: str = ""

    @property
    def sent(self) -> bool:
        """Whether the decision was sent to the run."""
        return self.decision is not None


_BY_ITSELF = Conflict("It is decided by itself, not with others.", where="items", todo="Decide it alone.")


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
                    made = await self.decide(
                        item.approval_id,
                        verb=verb,
                        digest=item.digest,
                        by=by,
                        reason=reason,
                        decision_id=f"{click}:{item.approval_id}",
                    )
                except NotFound as error:
                    told = error if await self.check_of(item.approval_id, by.id) is None else _BY_ITSELF
                    return ManyResult(approval_id=item.approval_id, code=told.code, what=told.what, todo=told.todo)
                except AssentError as error:
                    return ManyResult(approval_id=item.approval_id, code=error.code, what=error.what, todo=error.todo)
            return ManyResult(approval_id=item.approval_id, decision=made)

        return await asyncio.gather(*(one(item) for item in items))


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
