"""Texts as words to be found by: the same for what is kept and for what is asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 64
"""Characters of a word that count."""

MOST = 48
"""Words of a request that it can be found by."""

READ = 4_000
"""Characters of a text that are read for words."""

_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The distinct words of a text in their order, small, without what cannot be seen.

    ``Refund order #W123`` is found by ``refund``, ``order`` and ``w123``, also where an agent put invisible
    characters between the letters.
    """
    beginning = text[:READ]
    if not beginning.isascii():
        plain = unicodedata.normalize("NFKC", beginning)
        beginning = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
    found = (word[:LONGEST] for word in _WORD.findall(beginning.casefold()))
    return list(dict.fromkeys(word for word in found if len(word) > 1 or word.isdigit()))


def words_of_request(headline: str, records: Iterable[str], also: Iterable[str] = ()) -> list[str]:
    """The words a request is found by, at most :data:`MOST`: its records and ids first, then its headline."""
    found: dict[str, None] = {}
    for text in (*also, *records, headline):
        for word in words_of(text):
            found.setdefault(word)
            if len(found) == MOST:
                return list(found)
    return list(found)
