"""How well people decide: what is counted, how times are kept, and how fast a request can be read.

Times are counted in buckets that grow by five per cent, so that a median over any number of days is had from a few
numbers a day; what is read from them is right to 2.5 per cent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

WORDS_A_MINUTE = 240
"""How fast adults read a plain English text silently, without looking for anything.

Marc Brysbaert, "How many words do we read per minute? A review and meta-analysis of reading rate", Journal of Memory
and Language 109 (2019): 238 words a minute over 190 studies of texts that are not fiction. Rounded in the reader's
favour."""

LEAST_READING = 2.0
"""Seconds that reading takes at least, however short the request."""

MOST_READING = 120.0
"""Seconds of reading that are expected at most: nobody is hasty for not reading a very long attachment to its end."""

LONGEST_LOOK = 3_600.0
"""Seconds on the card that are counted at most: a page left open for longer was not read all that time."""

_STEP = math.log(1.05)


class Measure(StrEnum):
    """What a time on the card was measured by."""

    UNKNOWN = ""
    VISIBLE = "visible"
    """The page's own script: only while the card was in sight."""
    SERVED = "served"
    """From the moment the page was sent to the moment the decision came; without scripts."""
    TERMINAL = "terminal"
    """From the printed card to the answer in a terminal."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of an agent's requests of one action type over some days.

    Attributes:
        asked: Requests opened; one that was opened again after it was approved counts again.
        approved: Closed by approval.
        refused: Closed by rejection.
        expired: Nobody decided in time.
        withdrawn: Taken back by the agent or by the end of its run.
        unopposed: Ran because nobody objected.
        edited: Requests whose arguments people changed.
        changed: Decided requests that people changed or refused.
        votes: Approvals given in those that were approved.
        opened: Of them, by somebody to whom the request was shown whole before.
        timed: Of them, with a known time on the card.
        hasty: Of these, in less time than the card takes to read.
        ran: Effects done, those without a request included.
        undone: Effects taken back.
        unknown: Effects of which nobody knows whether they happened.
        decide: Seconds from asking to closing by people, by bucket.
        look: Seconds on the card, by bucket.
    """

    asked: int = 0
    approved: int = 0
    refused: int = 0
    expired: int = 0
    withdrawn: int = 0
    unopposed: int = 0
    edited: int = 0
    changed: int = 0
    votes: int = 0
    opened: int = 0
    timed: int = 0
    hasty: int = 0
    ran: int = 0
    undone: int = 0
    unknown: int = 0
    decide: Mapping[int, int] = field(default_factory=dict)
    look: Mapping[int, int] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        """Requests that people decided."""
        return self.approved + self.refused

    @property
    def changed_share(self) -> float | None:
        """Share of the decided ones that people changed or refused, 0 to 1; ``None`` if none was decided."""
        return self.changed / self.decided if self.decided else None

    @property
    def opened_share(self) -> float | None:
        """Share of approvals by somebody who had the whole request before them."""
        return self.opened / self.votes if self.votes else None

    @property
    def hasty_share(self) -> float | None:
        """Share of approvals with a known time that came faster than the card can be read."""
        return self.hasty / self.timed if self.timed else None

    @property
    def undone_share(self) -> float | None:
        """Share of effects that were taken back."""
        return self.undone / self.ran if self.ran else None

    def __add__(self, other: Figures) -> Figures:
        """Both together."""
        counts: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        return Figures(**counts, decide=_both(self.decide, other.decide), look=_both(self.look, other.look))


COUNTS = tuple(each.name for each in fields(Figures) if each.name not in {"decide", "look"})
"""What is counted as one number."""


def bucket_of(seconds: float) -> int:
    """The bucket of a time: 0 up to a second, then each five per cent longer than the one before."""
    return 0 if seconds <= 1 else math.ceil(round(math.log(seconds) / _STEP, 9))


def seconds_of(bucket: int) -> float:
    """The time in the middle of a bucket."""
    return 1.0 if bucket == 0 else math.exp(_STEP * (bucket - 0.5))


def percentile(times: Mapping[int, int], share: float) -> float | None:
    """The time that a share of all times does not exceed, in seconds.

    Args:
        times: Counts by bucket.
        share: Over 0, up to 1; 0.5 is the median.
    """
    total = sum(times.values())
    wanted, seen = math.ceil(total * share), 0
    for bucket in sorted(times):
        seen += times[bucket]
        if seen >= wanted:
            return seconds_of(bucket)
    return None


def reading_seconds(text: str) -> float:
    """How long it takes at least to read a card: its words at :data:`WORDS_A_MINUTE`, within bounds."""
    return min(max(len(text.split()) * 60 / WORDS_A_MINUTE, LEAST_READING), MOST_READING)


def bounded_look(seconds: float) -> float:
    """A time on the card, at most :data:`LONGEST_LOOK`; never below nothing."""
    return min(max(seconds, 0.0), LONGEST_LOOK)


def _both(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    return {bucket: one.get(bucket, 0) + other.get(bucket, 0) for bucket in {*one, *other}}
