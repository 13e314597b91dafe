"""What goes in and out of the API about the quality of decisions."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from assent.domain.people import Actor
from assent.domain.quality import Figures, percentile
from assent.domain.suggestions import LONGEST_DISMISSAL, Direction
from assent.store.queries.quality import KindFigures
from assent_ui.api.schemas import In, Out


class FiguresOut(Out):
    """Counts of requests; times in seconds, right to 2.5 %; shares from 0 to 1, null where there is nothing to share.

    `look_p50` is the time on the card of approvals where it is known; `hasty` those faster than the card can be read.
    """

    asked: int
    approved: int
    edited: int
    refused: int
    expired: int
    withdrawn: int
    unopposed: int
    changed: int
    changed_share: float | None
    votes: int
    opened: int
    opened_share: float | None
    timed: int
    hasty: int
    hasty_share: float | None
    ran: int
    undone: int
    unknown: int
    decide_p50: float | None
    decide_p90: float | None
    look_p50: float | None

    @classmethod
    def of(cls, figures: Figures) -> FiguresOut:
        """Figures with their percentiles."""
        given = {name: getattr(figures, name) for name in cls.model_fields if hasattr(figures, name)}
        times = {
            "decide_p50": percentile(figures.decide, 0.5),
            "decide_p90": percentile(figures.decide, 0.9),
            "look_p50": percentile(figures.look, 0.5),
        }
        return cls.model_validate({**given, **times})


class DayOut(Out):
    """A day (UTC) with something to count."""

    day: date
    figures: FiguresOut


class KindOut(Out):
    """The figures of an agent's action type over a period."""

    agent: str
    type: str
    days: int
    total: FiguresOut
    daily: list[DayOut]

    @classmethod
    def of(cls, kind: KindFigures) -> KindOut:
        """What the store knows, for HTTP."""
        daily = [DayOut(day=day, figures=FiguresOut.of(each)) for day, each in kind.daily.items()]
        return cls(agent=kind.agent, type=kind.type, days=kind.days, total=FiguresOut.of(kind.total), daily=daily)


class SuggestionOut(Out):
    """What the figures of 30 days suggest of an action type; nothing follows from it by itself."""

    agent: str
    type: str
    direction: Direction
    tier: str = Field(description="The tier that it suggests.")
    sentence: str
    evidence: list[str]
    change: str = Field(description="The lines of the card that would say so.")


class SuggestionsOut(Out):
    """Every open suggestion, stricter ones first."""

    items: list[SuggestionOut]


class AnnouncementOut(Out):
    """An agent whose approvers may be shown checks."""

    agent: str
    announced_at: datetime
    one_in: int = Field(description="At most one check in so many requests.")
    a_day: int = Field(description="At most so many a person and day.")
    read_at: datetime | None = Field(description="When you read it; you are shown none before.")


class TallyOut(Out):
    """What became of an agent's checks."""

    agent: str
    shown: int
    caught: int
    missed: int
    questioned: int = Field(description="Asked about, or to be changed, instead of decided.")
    unanswered: int


class ChecksOut(Out):
    """Seeded checks: announced, and what became of those of the period."""

    announced: list[AnnouncementOut]
    items: list[TallyOut]


class DismissalIn(In):
    """A suggestion to put aside."""

    agent: str = Field(max_length=60)
    type: str = Field(max_length=80)
    direction: Direction
    days: int = Field(default=30, ge=1, le=LONGEST_DISMISSAL.days)
    reason: str = Field(min_length=1, max_length=4_000)


class DismissalOut(Out):
    """A suggestion that is put aside."""

    agent: str
    type: str
    direction: Direction
    until: datetime
    reason: str
    by: Actor
    at: datetime
