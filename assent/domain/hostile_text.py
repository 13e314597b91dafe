"""Text that an agent wrote, made safe to look at: everything hidden or disguised in it becomes a visible mark.

A mark names the character, ``⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩``. Nothing is cut or replaced by less: the marked text
can be turned back into the original (:func:`restore`), and because the bracket ``⟨`` itself is always marked, nobody
can write a mark that is not one. Escaping for HTML or Slack is the business of whoever lays the segments out.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from assent.domain.canonical import Json
from assent.domain.lookalikes import find_lookalikes, stands_for

NAMED_MARKS = 500
"""After so many marks a text gets short ones, without names, so that its size stays bounded."""

MOST_RESTORED = 2 * 1024 * 1024
"""Characters that marks are turned back into at once; arguments have half as many bytes at most."""

_LAST_CODE_POINT = 0x10FFFF

STACKED_MARKS = 3
"""So many combining marks may sit on one letter before the rest are shown as marks."""


class Segment(NamedTuple):
    """A stretch of text as it is to be shown; ``marked`` if it stands for hidden or disguised characters."""

    text: str
    marked: bool


class TextSize(NamedTuple):
    """How much text there is."""

    characters: int
    bytes: int
    lines: int

    def __str__(self) -> str:
        """The size in words, ``12,040 characters in 3 lines``."""
        characters = f"{self.characters:,} character{'' if self.characters == 1 else 's'}"
        return characters if self.lines <= 1 else f"{characters} in {self.lines:,} lines"


_PLAIN = re.compile(r"[\t\n\x20-\x7e]*(?:\r\n[\t\n\x20-\x7e]*)*")
_PICTURE_JOINT = re.compile(
    "(?<=[\ufe0f\u2190-\u2bff\U0001f000-\U0001faff])\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
)
_PICTURE_STYLE = re.compile("(?<=[#*0-9\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f]")
_LINE_END = re.compile(r"\r(?=\n)")
_MARK = re.compile(r"⟨U\+([0-9A-F]{4,6})(?: [^⟨⟩×]+)?(?: ×([0-9]{1,7}))?⟩")

_INVISIBLE_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_BRACKET = "⟨"
_C0_NAMES = [
    "NULL",
    "START OF HEADING",
    "START OF TEXT",
    "END OF TEXT",
    "END OF TRANSMISSION",
    "ENQUIRY",
    "ACKNOWLEDGE",
    "BELL",
    "BACKSPACE",
    "TAB",
    "LINE FEED",
    "VERTICAL TAB",
    "FORM FEED",
    "CARRIAGE RETURN",
    "SHIFT OUT",
    "SHIFT IN",
    "DATA LINK ESCAPE",
    "DEVICE CONTROL ONE",
    "DEVICE CONTROL TWO",
    "DEVICE CONTROL THREE",
    "DEVICE CONTROL FOUR",
    "NEGATIVE ACKNOWLEDGE",
    "SYNCHRONOUS IDLE",
    "END OF TRANSMISSION BLOCK",
    "CANCEL",
    "END OF MEDIUM",
    "SUBSTITUTE",
    "ESCAPE",
    "FILE SEPARATOR",
    "GROUP SEPARATOR",
    "RECORD SEPARATOR",
    "UNIT SEPARATOR",
]
_CATEGORY_NAMES = {"Cc": "CONTROL", "Cs": "LONE SURROGATE", "Co": "PRIVATE USE", "Cn": "UNASSIGNED"}


def reveal(text: str) -> list[Segment]:
    """Split a text into stretches that are safe to show and marks for what is hidden or disguised.

    Marked are: control characters except tab and line ends; zero-width and formatting characters, bidirectional
    overrides and isolates among them; unusual spaces; invisible letters; variation selectors and joiners outside
    emoji; more than :data:`STACKED_MARKS` combining marks in a row; lone surrogates, private and unassigned
    characters; letters that pass for others; and the bracket that opens a mark.

    Args:
        text: Any text, lone surrogates included.

    Returns:
        Segments in order; neighbours differ in ``marked``. Their texts joined are what :func:`restore` reads.
    """
    if _PLAIN.fullmatch(text):
        return [Segment(text, False)] if text else []
    segments: list[Segment] = []
    done = marks = 0
    for start, end in _stretches(sorted(_hidden_places(text))):
        if start > done:
            segments.append(Segment(text[done:start], False))
        labels = []
        for character, group in groupby(text[start:end]):
            marks += 1
            labels.append(_label(character, sum(1 for _ in group), named=marks <= NAMED_MARKS))
        segments.append(Segment("".join(labels), True))
        done = end
    if done < len(text):
        segments.append(Segment(text[done:], False))
    return segments


def reveal_text(text: str) -> str:
    """The same as :func:`reveal`, as one text."""
    return "".join(segment.text for segment in reveal(text))


def restore(shown: str) -> str:
    """The original of a text that :func:`reveal_text` made; a mark that it did not make stays as it is."""
    return restore_all({"": shown})[""]


def restore_all(shown: Mapping[str, str]) -> dict[str, str]:
    """The originals of several texts, a form's fields say; together their marks stand for so much and no more.

    A mark of a few characters can say that it stands for any number of them.
    """
    room = MOST_RESTORED

    def original(mark: re.Match[str]) -> str:
        nonlocal room
        code, times = int(mark[1], 16), int(mark[2] or 1)
        if code > _LAST_CODE_POINT or times > room:
            return mark[0]
        room -= times
        return chr(code) * times

    return {name: _MARK.sub(original, text) for name, text in shown.items()}


def written_out(value: Json) -> str:
    """A JSON value as indented text, complete, in the order it came, hidden characters still raw.

    Line ends and quotes inside strings are escaped as JSON has them; nothing else is, so that :func:`reveal` marks it.
    """
    return json.dumps(value, indent=2, ensure_ascii=False)


def size_of(text: str) -> TextSize:
    """How many characters, bytes of UTF-8 and lines a text has."""
    encoded = len(text.encode("utf-8", "surrogatepass"))
    return TextSize(len(text), encoded, text.count("\n") + 1 if text else 0)


def _hidden_places(text: str) -> set[int]:
    risky = {character for character in set(text) if _is_risky(character)}
    places: set[int] = set()
    if risky:
        found = re.compile("[" + re.escape("".join(sorted(risky))) + "]")
        places = {match.start() for match in found.finditer(text)}
        for allowed in (_PICTURE_JOINT, _PICTURE_STYLE, _LINE_END):
            places -= {match.start() for match in allowed.finditer(text)}
    places.update(_stacked(text))
    places.update(find_lookalikes(text))
    return places


@lru_cache(maxsize=4_096)
def _is_risky(character: str) -> bool:
    if character in "\t\n" or "\x20" <= character <= "\x7e":
        return False
    if character in _INVISIBLE_LETTERS or character == _BRACKET or stands_for(character):
        return True
    category = unicodedata.category(character)
    selector = "VARIATION SELECTOR" in unicodedata.name(character, "")
    return category[0] in "CZ" or selector


def _stacked(text: str) -> Iterator[int]:
    if text.isascii():
        return
    combining = {character for character in set(text) if unicodedata.category(character) in ("Mn", "Me")}
    if not combining:
        return
    for run in re.finditer("[" + re.escape("".join(sorted(combining))) + f"]{{{STACKED_MARKS + 1},}}", text):
        yield from range(run.start() + STACKED_MARKS, run.end())


def _stretches(places: list[int]) -> Iterator[tuple[int, int]]:
    """Join neighbouring positions into half-open ranges."""
    start = end = -1
    for place in places:
        if place == end:
            end += 1
            continue
        if end > start:
            yield start, end
        start, end = place, place + 1
    if end > start:
        yield start, end


def _label(character: str, count: int, *, named: bool) -> str:
    name = f" {_name(character)}" if named else ""
    times = f" ×{count}" if count > 1 else ""
    return f"⟨U+{ord(character):04X}{name}{times}⟩"


def _name(character: str) -> str:
    code = ord(character)
    if code < len(_C0_NAMES):
        return _C0_NAMES[code]
    if code == 0x7F:
        return "DELETE"
    return unicodedata.name(character, "") or _CATEGORY_NAMES.get(unicodedata.category(character), "UNNAMED")
