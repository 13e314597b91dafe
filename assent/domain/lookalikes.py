"""Letters that pass for other letters, and the words in which that is a danger rather than a language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_PASS_FOR_LATIN = {
    "CYRILLIC": frozenset("аесорухіјѕһԁԛԝѵӏкгАВЕЗКМНОРСТУХІЈЅҺԚԜӀѴ"),
    "GREEK": frozenset("ονρυικχαγωϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿ"),
    "ARMENIAN": frozenset("օսհոցյզքՕՍՏ"),
    "CHEROKEE": frozenset("ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᎽᏀᏃᏎᏏᏒᏔᏕᏙᏚᏞᏟᏢᏦᏧᏴ"),
    "COPTIC": frozenset("ⲞⲟⲢⲣⲤⲥⲬⲭⲘⲚⲦⲨ"),
    "LISU": frozenset("ꓐꓑꓒꓓꓔꓖꓗꓘꓙꓚꓛꓜꓝꓞꓟꓠꓡꓢꓣꓤꓥꓦꓧꓨꓩꓪꓫꓬꓮꓰꓲꓳꓴ"),
}
"""By script (the first word of a letter's Unicode name), the letters that look like Latin ones in common fonts."""

_ALWAYS = frozenset("ɑɡǃꞌ⁄∕⧸∶꞉․‚ǀ")
"""Characters that look like ASCII ones and have no place in ordinary text."""

_ORDINALS = frozenset("ªº")

_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4_096)
def stands_for(character: str) -> bool:
    """Whether a character is a dressed-up ASCII one: full-width, mathematical, a ligature, a foreign slash."""
    if character.isascii() or character in _ORDINALS:
        return False
    if character in _ALWAYS:
        return True
    plain = unicodedata.normalize("NFKC", character)
    if not plain.isascii() or plain == character or plain.isspace():
        return False
    kind = unicodedata.category(character)
    return kind[0] == "L" or kind == "Nd" or (len(plain) == 1 and kind[0] in "PS")


def find_lookalikes(text: str) -> Iterator[int]:
    """Positions of letters and digits that pass for others because of the company they keep.

    A letter of another script counts if its word also has Latin letters, or if the whole word could be read as Latin
    and nothing else in the text is unmistakably written in that script. Lone Greek letters are formulas, not disguise.
    """
    words = [match for match in _WORD.finditer(text) if not match[0].isascii()]
    looks = {word: _look_at(word) for word in {match[0] for match in words}}
    at_home = {look.at_home for look in looks.values()}
    for match in words:
        look = looks[match[0]]
        if look.disguise and look.disguise not in at_home:
            yield from (match.start() + at for at in range(len(match[0])) if match[0][at].isalpha())
        yield from (match.start() + at for at in look.places)


class _Look(NamedTuple):
    """What a word tells: certain places, a script it may be disguised in, a script it is unmistakably written in."""

    places: tuple[int, ...]
    disguise: str
    at_home: str


@lru_cache(maxsize=4_096)
def _look_at(word: str) -> _Look:
    letters = [(at, letter, _script(letter)) for at, letter in enumerate(word) if letter.isalpha()]
    scripts = {script for _, _, script in letters}
    places = list(_foreign_digits(word))
    if "LATIN" in scripts:
        places += [at for at, letter, script in letters if letter in _PASS_FOR_LATIN.get(script, ())]
    disguise = at_home = ""
    if len(scripts) == 1:
        (script,) = scripts
        whole = all(letter in _PASS_FOR_LATIN.get(script, ()) for _, letter, _ in letters)
        formula = script == "GREEK" and len(letters) == 1
        disguise = script if whole and not formula else ""
        at_home = script if not whole else ""
    return _Look(tuple(places), disguise, at_home)


def _foreign_digits(word: str) -> list[int]:
    digits = [(at, letter) for at, letter in enumerate(word) if letter.isdecimal()]
    zeros = {ord(letter) - unicodedata.decimal(letter) for _, letter in digits}
    return [at for at, letter in digits if not letter.isascii()] if len(zeros) > 1 else []


@lru_cache(maxsize=4_096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
