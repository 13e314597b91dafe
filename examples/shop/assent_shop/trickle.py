"""A steady trickle of letters: a burst at first, then one now and then, and never too many that wait for people."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from assent_shop.support.letters import AUTOMATIC, Letter, LetterWriter, Subject

log = logging.getLogger(__name__)

FIRST = (
    Subject.ADDRESS,
    Subject.CANCEL,
    Subject.WHERE,
    Subject.SWAP,
    Subject.LATE,
    Subject.STOCK,
    Subject.RETURN,
    Subject.ANGRY,
)
"""The letters that are in the box when the agent comes to work."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast letters come.

    Attributes:
        seconds: Middle of the time between two letters; each comes within a third of it earlier or later.
        burst: Letters at the start, this many of :data:`FIRST`.
        burst_seconds: Time between those.
        most_waiting: With this many requests waiting for people, only letters come that need nobody.
    """

    seconds: float = 30.0
    burst: int = len(FIRST)
    burst_seconds: float = 1.5
    most_waiting: int = 12


class Trickle:
    """Letters come in, and each is answered in a thread of its own.

    Args:
        writer: Writes the letters.
        chance: Decides what they are about.
        answer: Answers one letter, however long that takes.
        waiting: How many requests wait for people now.
        pace: How fast letters come.
    """

    def __init__(
        self,
        writer: LetterWriter,
        chance: random.Random,
        answer: Callable[[Letter], object],
        *,
        waiting: Callable[[], int],
        pace: Pace,
    ) -> None:
        self._writer = writer
        self._chance = chance
        self._answer = answer
        self._waiting = waiting
        self._pace = pace

    def run(self, stop: threading.Event, *, letters: int | None = None) -> None:
        """Let letters come until told to stop; cases under way are left to their threads.

        Args:
            stop: Set to end.
            letters: Most letters; ``None`` is without end.
        """
        number = 0
        while not stop.is_set() and (letters is None or number < letters):
            letter = self._writer.write(self._next(number))
            threading.Thread(target=self._case, args=(letter,), name=f"case-{number}", daemon=True).start()
            number += 1
            stop.wait(self._pause(number))

    def _next(self, number: int) -> Subject:
        if self._waiting() >= self._pace.most_waiting:
            return self._chance.choice(AUTOMATIC)
        if number < min(self._pace.burst, len(FIRST)):
            return FIRST[number]
        return self._chance.choice(list(Subject))

    def _pause(self, number: int) -> float:
        if number < self._pace.burst:
            return self._pace.burst_seconds
        return self._pace.seconds * self._chance.uniform(2 / 3, 4 / 3)

    def _case(self, letter: Letter) -> None:
        try:
            self._answer(letter)
        except Exception:
            log.exception("The case “%s” of %s broke off.", letter.subject, letter.name)
