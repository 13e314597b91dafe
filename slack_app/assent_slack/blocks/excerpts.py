"""As much of a text as there is room for, hidden characters marked, with a count of what is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate, takewhile

from assent.domain.hostile_text import Segment, restore, reveal
from assent.domain.passages import Passage
from assent_slack.blocks import limits
from assent_slack.blocks.pieces import Element, escaped, link, words

_MARK = re.compile("⟨[^⟩]*⟩")

LINE_END = " ↵ "
"""How a line end is written where there is one line only."""

TAB = " ⇥ "

ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text.

    Attributes:
        segments: What is shown, and which of it stands for hidden characters.
        left_out: Characters of the original that are not shown.
    """

    segments: tuple[Segment, ...]
    left_out: int

    @property
    def text(self) -> str:
        """What is shown, as one text."""
        return "".join(segment.text for segment in self.segments)

    def elements(self, *, bold: bool = False, strike: bool = False, italic: bool = False) -> list[Element]:
        """What is shown as rich text; marks look like code, which nothing else in it does."""
        return [
            words(segment.text, code=True)
            if segment.marked
            else words(segment.text, bold=bold, strike=strike, italic=italic)
            for segment in self.segments
        ]


def excerpt(text: str, room: int) -> Excerpt:
    """Show as much of a text as fits.

    Args:
        text: Any text.
        room: Characters (UTF-16 units) it may take, each stretch of rich text counting :data:`limits.ELEMENT` more.
    """
    segments: list[Segment] = []
    # A shown text is never shorter than its original, so no more than ``room`` characters have to be looked at.
    looked_at = text[: max(room, 0)]
    shown = 0
    for segment in reveal(looked_at):
        room -= limits.ELEMENT
        piece = _marks_within(segment.text, room) if segment.marked else _beginning(segment.text, room)
        if piece:
            segments.append(Segment(piece, segment.marked))
            shown += len(restore(piece)) if segment.marked else len(piece)
            room -= limits.width(piece)
        if piece != segment.text:
            break
    return Excerpt(tuple(segments), len(text) - shown)


def told(
    text: str, room: int, url: str, *, bold: bool = False, strike: bool = False, italic: bool = False
) -> list[Element]:
    """An excerpt as rich text, with its count of what is left out; never without an element, as Slack wants it."""
    return passage_told(Passage(text), room, url, bold=bold, strike=strike, italic=italic)


def passage_told(
    passage: Passage, room: int, url: str, *, bold: bool = False, strike: bool = False, italic: bool = False
) -> list[Element]:
    """The same of a text whose end already is left out."""
    if not passage.text and not passage.left_out:
        return [words("(empty)", italic=True)]
    shown = excerpt(passage.text, room)
    elements = shown.elements(bold=bold, strike=strike, italic=italic)
    return [*elements, *more(shown.left_out + passage.left_out, url)]


def one_line(text: str, room: int) -> tuple[str, bool]:
    """A text on one line for a plain text object, and whether it is all there; control characters count escaped."""
    whole = excerpt(text, room + limits.ELEMENT * (room + 1))
    flat = whole.text.replace("\r\n", "\n").replace("\n", LINE_END).replace("\t", TAB)
    if whole.left_out == 0 and limits.width(escaped(flat)) <= room:
        return flat, True
    room -= limits.width(ELLIPSIS)
    kept = ""
    for piece in re.findall("⟨[^⟩]*⟩|[^⟨]", flat):
        room -= limits.width(escaped(piece))
        if room < 0:
            break
        kept += piece
    return kept + ELLIPSIS, False


def more(left_out: int, url: str) -> list[Element]:
    """Say how much is left out, and where it is; nothing if nothing is."""
    if left_out == 0:
        return []
    noun = "character" if left_out == 1 else "characters"
    return [words(f" {ELLIPSIS} {left_out:,} more {noun}: ", italic=True), link(url, "open in Assent")]


def _beginning(text: str, room: int) -> str:
    if limits.width(text) <= room:
        return text
    widths = accumulate(limits.width(character) for character in text)
    return text[: sum(1 for _ in takewhile(lambda total: total <= room, widths))]


def _marks_within(text: str, room: int) -> str:
    """As many whole marks as fit."""
    kept = 0
    for mark in _MARK.finditer(text):
        if limits.width(text[: mark.end()]) > room:
            break
        kept = mark.end()
    return text[:kept]
