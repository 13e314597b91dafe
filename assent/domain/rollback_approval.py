"""Approval of a rollback: who must agree to a mass undo, what they said, how it stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.people import Actor
from assent.domain.rollbacks import RollbackTotals
from assent.domain.voting import Electorate, in_words


class RollbackVerb(StrEnum):
    """What somebody says of a rollback that awaits approval."""

    APPROVE = "approve"
    REJECT = "reject"


class RollbackRules(BaseModel):
    """Who must agree to a rollback, as the cards of its agents said when it was asked for.

    Attributes:
        electorates: Each must be satisfied; one for each card that asks.
        because: Why it needs approval, sentences.
        within: How long people have.
    """

    electorates: list[Electorate] = Field(default_factory=list)
    because: list[str] = Field(default_factory=list)
    within: timedelta = timedelta(hours=24)

    @property
    def needed(self) -> bool:
        """Whether anybody has to agree."""
        return bool(self.electorates)

    @property
    def words(self) -> str:
        """Who must agree, in words."""
        return "; and ".join(dict.fromkeys(in_words(each.needs) for each in self.electorates))


class RollbackVote(BaseModel):
    """One person's word.

    Attributes:
        verb: What they said.
        by: Who.
        at: When.
        reason: Why; needed to reject.
    """

    verb: RollbackVerb
    by: Actor
    at: datetime
    reason: str = ""


class EarlierUndo(BaseModel):
    """A rollback that nobody had to approve: what the cards let be undone without approval counts it for a while.

    Attributes:
        by: Id of whoever asked for it.
        at: When they did.
        under_way: It has not come to an end.
        totals: What its plan adds up to.
        together: The same pause asks for it: its money counts however long ago it was, its effects are in
            ``RollbackRequest.among`` already.
    """

    by: str
    at: datetime
    under_way: bool
    totals: RollbackTotals
    together: bool = False
