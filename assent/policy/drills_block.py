"""The ``drills`` block of a card: how often its stop and undo are rehearsed, and what they have to keep to."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from assent.domain.drills import MOST_APART, DrillTerms
from assent.policy.approval_block import Strict
from assent.policy.durations import Duration


class DrillsBlock(Strict):
    """Rehearsals of an agent's stop and undo.

    Attributes:
        every: At most this much time lies between two that pass. One hour to 92 days: at least one a quarter.
        automatic: They are run by themselves when they are due; otherwise people run them.
        fenced_within: From asking to pause until no effect can begin. One second to ten minutes.
        quiesced_within: From then until the last effect under way has ended. One second to one hour.
        runs: Live runs that a drill pauses, 1 to 20.
        block_live: While one is overdue or the last one failed, a version with automatic tiers is refused; else its
            publisher is warned.
    """

    every: Duration = Field(default=timedelta(days=90), ge=timedelta(hours=1), le=MOST_APART)
    automatic: bool = True
    fenced_within: Duration = Field(default=timedelta(seconds=5), ge=timedelta(seconds=1), le=timedelta(minutes=10))
    quiesced_within: Duration = Field(default=timedelta(seconds=60), ge=timedelta(seconds=1), le=timedelta(hours=1))
    runs: int = Field(default=4, ge=1, le=20)
    block_live: bool = False

    @property
    def terms(self) -> DrillTerms:
        """What a drill has to keep to."""
        return DrillTerms(
            every=self.every,
            fenced_within=self.fenced_within,
            quiesced_within=self.quiesced_within,
            runs=self.runs,
        )
