"""Long texts: their beginning, and how much more there is. Nothing is left out without its number being said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

WHOLE = 20_000
"""Characters up to which a text is shown whole, as long as a card is not full of such texts."""

BEGINNING = 4_000
"""Characters that are shown of a longer one."""

SCANT = 400
"""Characters that are shown of each once a card is full."""

SENTENCE = 800
"""Characters up to which a headline is shown whole; of a longer one, half as many are."""

NAME = 300
"""Characters of a name; of a longer one only the beginning is shown, with how much more there is."""

CARD = 200_000
"""Characters after which a card is full."""


class Passage(NamedTuple):
    """A text, or its beginning.

    Attributes:
        text: What is shown of it, hidden characters still raw.
        left_out: Characters that are not shown.
    """

    text: str
    left_out: int = 0

    @property
    def more(self) -> str:
        """What is left out, in words, ``12,040 more characters``; empty if nothing is."""
        return f"{self.left_out:,} more character{'' if self.left_out == 1 else 's'}" if self.left_out else ""


@dataclass(slots=True)
class Room:
    """How much text a card may still show; without limit if ``left`` is ``None``."""

    left: int | None = CARD

    def headline(self, text: str) -> Passage:
        """The sentence at the top: a far longer one than anybody reads as such is cut, and what is left out counted."""
        if self.left is None or len(text) <= SENTENCE:
            return self.passage(text)
        return self.passage(text[: SENTENCE // 2], len(text) - SENTENCE // 2)

    def name(self, text: str) -> str:
        """A stable name, with its length said instead of its end if it is far too long for one."""
        if self.left is None or len(text) <= NAME:
            return text
        return f"{text[: NAME - 100]} … {Passage('', len(text) - NAME + 100).more}"

    def passage(self, text: str, left_out: int = 0) -> Passage:
        """As much of a text as there is room for.

        Args:
            text: The text.
            left_out: Characters that already are missing at its end.
        """
        if self.left is None:
            return Passage(text, left_out)
        beginning = BEGINNING if self.left >= BEGINNING else SCANT
        shown = text if len(text) <= min(WHOLE, self.left) else text[:beginning]
        self.left = max(0, self.left - len(shown))
        return Passage(shown, left_out + len(text) - len(shown))
