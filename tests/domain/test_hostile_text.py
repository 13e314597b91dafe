"""Nothing an agent writes can hide, and nothing it writes is lost."""

from __future__ import annotations

import json
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.hostile_text import MOST_RESTORED, restore, restore_all, reveal, reveal_text, size_of, written_out

TEXT = st.text(alphabet=st.characters(codec=None)) | st.text(
    alphabet="ab 1\t\n\r\u202e\u2066\u200b\u200d\u00ad\ufeff\ufe0f\u0301\ud800\U000e0061раоΑ٤ｐ⟨⟩×U+0👩❤", max_size=60
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("mark", ["⟨U+202E ×999999999⟩", f"⟨U+202E ×{'9' * 5000}⟩", "⟨U+110000⟩", "⟨U+202E ×9999999⟩"])
def test_a_mark_that_nobody_made_stays_as_it_is(mark: str) -> None:
    assert restore(mark) == mark


def test_marks_of_a_whole_form_stand_for_so_much_and_no_more() -> None:
    mark = f"⟨U+202E ×{MOST_RESTORED // 4}⟩"
    restored = restore_all({str(field): mark * 3 for field in range(1_000)})
    assert restored["0"] == "\u202e" * (MOST_RESTORED // 4 * 3)
    assert sum(map(len, restored.values())) < MOST_RESTORED + 3_000 * len(mark)


@given(TEXT)
def test_the_original_can_always_be_restored(text: str) -> None:
    assert restore(reveal_text(text)) == text


@given(TEXT)
def test_what_is_not_marked_hides_nothing(text: str) -> None:
    for shown, marked in reveal(text):
        assert shown
        if marked:
            continue
        for character in shown.replace("\r\n", "\n"):
            category = unicodedata.category(character)
            assert character in "\t\n \u200d" or category[0] not in "CZ", f"{character!r} is {category}"


@given(TEXT)
def test_marks_are_printable_and_name_their_character(text: str) -> None:
    for shown, marked in reveal(text):
        if marked:
            assert shown.isprintable()
            assert shown.startswith("⟨U+")
            assert shown.endswith("⟩")


@given(TEXT)
def test_segments_alternate(text: str) -> None:
    flags = [marked for _, marked in reveal(text)]
    assert all(first != second for first, second in pairwise(flags))


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert reveal_text(text) == text


@given(JSON)
def test_a_value_is_written_out_completely(value: object) -> None:
    assert json.loads(restore(reveal_text(written_out(value)))) == value


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("refund\u202e00.54$", "⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩"),
        ("a\u2066b", "⟨U+2066 LEFT-TO-RIGHT ISOLATE⟩"),
        ("pay\u200bpal", "⟨U+200B ZERO WIDTH SPACE⟩"),
        ("a\u200b\u200b\u200b", "⟨U+200B ZERO WIDTH SPACE ×3⟩"),
        ("beep\x07", "⟨U+0007 BELL⟩"),
        ("over\rwritten", "⟨U+000D CARRIAGE RETURN⟩"),
        ("\x1b[2J", "⟨U+001B ESCAPE⟩"),
        ("x\x7f", "⟨U+007F DELETE⟩"),
        ("x\x85", "⟨U+0085 CONTROL⟩"),
        ("no\u00a0break", "⟨U+00A0 NO-BREAK SPACE⟩"),
        ("tag\U000e0061", "⟨U+E0061 TAG LATIN SMALL LETTER A⟩"),
        ("blank\u3164", "⟨U+3164 HANGUL FILLER⟩"),
        ("half\ud800", "⟨U+D800 LONE SURROGATE⟩"),
        ("own\ue000", "⟨U+E000 PRIVATE USE⟩"),
        ("pаypal", "⟨U+0430 CYRILLIC SMALL LETTER A⟩"),
        ("ｐaypal", "⟨U+FF50 FULLWIDTH LATIN SMALL LETTER P⟩"),
        ("shop.example⁄evil", "⟨U+2044 FRACTION SLASH⟩"),
        ("pay 1٠0", "⟨U+0660 ARABIC-INDIC DIGIT ZERO⟩"),
        ("A\u0301\u0301\u0301\u0301\u0301", "⟨U+0301 COMBINING ACUTE ACCENT ×2⟩"),
        ("a\ufe0fb", "⟨U+FE0F VARIATION SELECTOR-16⟩"),
        ("⟨U+202E⟩", "⟨U+27E8 MATHEMATICAL LEFT ANGLE BRACKET⟩"),
    ],
)
def test_what_is_marked(text: str, mark: str) -> None:
    assert mark in [label for label, marked in reveal(text) if marked]


@pytest.mark.parametrize(
    "text",
    [
        "Zoë naïvely paid 5 € – “as agreed” … ½ off ™",
        "Мы перенесли заказ на среду, а сор убрали",
        "返品をお願いします。",
        "שלום עולם",
        "α = 0.05, Δt in µm",
        "👩\u200d👩\u200d👧 ❤️ 1️⃣ 👍🏽",
        "two\r\nlines\tand a tab\n",
        "٤٥",
    ],
)
def test_ordinary_writing_is_left_alone(text: str) -> None:
    assert reveal(text) == [(text, False)]


def test_a_word_entirely_of_look_alikes_is_marked_unless_the_text_is_at_home_in_that_script() -> None:
    assert any(marked for _, marked in reveal("send it to раура"))
    assert not any(marked for _, marked in reveal("Росу и осу видел"))


def test_marks_get_short_when_there_are_very_many() -> None:
    shown = reveal_text("\u200b\u200c" * 5_000)
    assert shown.startswith("⟨U+200B ZERO WIDTH SPACE⟩⟨U+200C ZERO WIDTH NON-JOINER⟩")
    assert shown.endswith("⟨U+200B⟩⟨U+200C⟩")
    assert len(shown) < 150_000


def test_sizes() -> None:
    assert str(size_of("")) == "0 characters"
    assert str(size_of("a")) == "1 character"
    assert str(size_of("é" * 12_040)) == "12,040 characters"
    assert str(size_of("a\nb")) == "3 characters in 2 lines"
    assert size_of("é\ud800").bytes == 5
