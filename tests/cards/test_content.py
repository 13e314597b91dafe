"""What approvers see: nothing is lost, nothing hides, and every place shows the same facts."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.domain.approvals import RequestCard, approval_digest
from assent.domain.canonical import Json, digest_of
from assent.domain.card_content import Content, Fact, Points, Quote, Raw, Sentence, content
from assent.domain.card_records import Record
from assent.domain.card_text import plain_text
from assent.domain.hostile_text import restore, reveal_text, written_out
from assent.domain.passages import BEGINNING, CARD, NAME, SENTENCE, WHOLE, Passage
from tests.cards.made import ATTACKS, cards, full_card, hostile

TITLES = [
    "IN SHORT",
    "WHAT CHANGES",
    "WHAT WAS EDITED",
    "WHAT IT IS PROPOSED INSTEAD OF",
    "WHY IT STOPPED",
    "HOW IT IS UNDONE",
    "WHO DECIDES",
    "WHAT THE AGENT SAYS",
    "WHAT IT WAS ASKED",
    "WHAT IT LOOKED AT",
    "EARLIER DECISIONS ON THE SAME RECORD",
    "THE WHOLE CALL",
]


def passages(shown: Content) -> Iterator[Passage]:
    """Every text of the content."""
    yield shown.headline
    for section in shown.sections:
        for item in section.items:
            match item:
                case Fact() | Sentence() | Quote() | Raw():
                    yield item.text
                case Points():
                    for point in item.points:
                        yield from (point.text, point.note)
                case Record():
                    for field in item.fields:
                        yield from (each for each in (field.before, field.after) if each is not None)


def hidden(text: str) -> set[str]:
    """Characters that steer a terminal or a reader's eye."""
    return {
        each for each in text if each not in "\n\t" and unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Cs")
    }


@given(card=cards)
@settings(max_examples=60, deadline=None)
def test_plain_text_hides_nothing_and_only_assent_begins_a_line(card: RequestCard) -> None:
    text = plain_text(content(card))
    assert hidden(text) - {"\u200d"} == set()
    text.encode()
    headline, *lines = text.removesuffix("\n").split("\n")
    assert not headline or headline[0] != " " or card.headline.startswith(" ")
    begun = [line for line in lines if line and not line.startswith("  ")]
    assert set(begun) <= set(TITLES)
    assert len(begun) == len(set(begun))


@given(card=cards)
@settings(max_examples=60, deadline=None)
def test_no_argument_is_lost(card: RequestCard) -> None:
    for whole in (False, True):
        call = content(card, whole=whole).section("call")
        assert call is not None
        (raw,) = call.items
        assert isinstance(raw, Raw)
        written = written_out(card.arguments)
        assert written.startswith(raw.text.text)
        assert len(raw.text.text) + raw.text.left_out == raw.size == len(written)
        assert not whole or json.loads(raw.text.text) == card.arguments


@given(card=cards)
@settings(max_examples=60, deadline=None)
def test_what_is_left_out_is_counted_and_a_card_has_a_size(card: RequestCard) -> None:
    bounded, whole = list(passages(content(card))), list(passages(content(card, whole=True)))
    assert sum(len(each.text) for each in bounded) <= CARD + 400 * len(bounded)
    for short, long in zip(bounded, whole, strict=True):
        assert long.text.startswith(short.text)
        assert short.left_out == long.left_out + len(long.text) - len(short.text)
        assert len(short.text) <= WHOLE
        assert short.text == long.text or len(short.text) <= BEGINNING
    assert len(bounded[0].text) <= SENTENCE
    records = [item for section in content(card).sections for item in section.items if isinstance(item, Record)]
    assert all(len(name) <= NAME for record in records for field in record.fields for name in field.path)


@given(card=cards)
@settings(max_examples=60, deadline=None)
def test_plain_text_can_be_turned_back(card: RequestCard) -> None:
    quoted = card.agent_words
    lines = plain_text(content(card, whole=True)).split("\n")
    if quoted:
        start = lines.index("WHAT THE AGENT SAYS") + 2
        end = next(at for at in range(start, len(lines)) if not lines[at].startswith("    | "))
        said = "\n".join(line.removeprefix("    | ") for line in lines[start:end])
        assert restore(said).splitlines() == quoted.replace("\r\n", "\n").splitlines() or said == reveal_text(quoted)


@pytest.mark.parametrize("attack", ATTACKS)
def test_known_attacks_in_every_text(attack: str) -> None:
    card = full_card(headline=attack, agent_words=attack, goal=attack, arguments={attack: [attack, {attack: attack}]})
    text = plain_text(content(card))
    assert hidden(text) == set()
    assert [line for line in text.split("\n")[1:] if line and not line.startswith("  ")] == TITLES


def test_a_megabyte_of_arguments_is_an_excerpt_with_its_size_and_whole_when_asked_for() -> None:
    text = "<i>" + "word " * 200_000 + "\u202eend"
    card = full_card(arguments={"text": text}, changes=[{"resource": "a", "before": None, "after": {"text": text}}])
    shown = plain_text(content(card))
    assert len(shown) < 30_000
    size = len(written_out(card.arguments))
    assert f"Arguments of the call, {size:,} characters:" in shown
    assert f"… {size - BEGINNING:,} more characters" in shown
    assert f"… {len(text) - BEGINNING:,} more characters" in shown
    whole = plain_text(content(card, whole=True))
    assert whole.count("word " * 200_000 + "⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩end") == 2


def test_deep_and_huge_values_are_shown() -> None:
    deep: Json = "bottom"
    for _ in range(99):
        deep = {"a": [deep]} if isinstance(deep, str) else [deep]
    numbers = {"big": 2**53 - 1, "tiny": 5e-324, "vast": 1.7976931348623157e308, "less": -0.0}
    card = full_card(arguments={"deep": deep, **numbers}, changes=[], amount=1.7976931348623157e308)
    assert "more characters" in plain_text(content(card))
    text = plain_text(content(card, whole=True))
    for part in ["bottom", "9007199254740991", "5e-324", "1.7976931348623157e+308", "USD 179,769,313,486,231,570,000"]:
        assert part in text


def test_money_is_shown_exactly_and_the_raw_call_is_complete() -> None:
    text = plain_text(content(full_card()))
    assert "Moves    USD 4.97" in text
    assert "paid: 45.00 → 40.03" in text
    assert "refunded: 4.97 (new)" in text
    assert "amount: 9.50 → 4.97" in text
    assert '"amount": 4.969999999999999' in text


def test_part_of_a_cent_is_never_rounded_away() -> None:
    text = plain_text(content(full_card(amount=4.965, arguments={"amount": 4.965})))
    assert "USD 4.965" in text


def test_every_section_of_a_full_card_in_order() -> None:
    text = plain_text(content(full_card()))
    assert re.findall(r"^[A-Z ]+$", text, re.MULTILINE) == TITLES
    for line in [
        "  Agent    The refund clerk (refunds)",
        "  Action   Refund an order (shop.refund)",
        "  About    order W123 (shop/orders/W123)",
        "  Reaches  3 items, 1 recipient",
        "  Card     version 3",
        "  Run      run-1",
        "  shop/orders/W123: changed",
        "    colour: red (removed)",
        "    1 field unchanged",
        "  Ann Approver edited the arguments; this is revision 2.",
        "  - Refund 45.00 for order W123: rejected — Too much. — request ap-0000000000000007",
        "  - Over 4.00 a person decides.",
        "  Approval needs one of finance and 2 of sre.",
        "  If nobody decides within 1h, it is rejected.",
        "  Only if  The order is unchanged.",
        "  Until    30 d after it was done",
        "    | The parcel never arrived.",
        '    | {"mail": "Where is my parcel?"} … 12,040 more characters',
        "  - Look up order W123. — shop/orders/W123 — 2030-01-01 12:30 UTC",
        "  - … at least 6 more readings before these, in the run",
        "  - Approved by Bo Owner: “Fine this once.” — Refund 3.00 for order W123 — 2030-01-01 12:30 UTC"
        " — request ap-0000000000000008",
    ]:
        assert f"\n{line}\n" in text, line


def test_a_card_of_the_first_release_keeps_its_digest() -> None:
    card = RequestCard.model_validate(
        {
            "headline": "Pay 40 to bob",
            "agent": "desk-clerk",
            "run_id": "run-1",
            "action_type": "desk.pay",
            "action_title": "Pay",
            "arguments": {"to": "bob", "amount": 40},
            "undo": "Take 40 back from bob",
        }
    )
    first: dict[str, Json] = {
        "headline": "Pay 40 to bob",
        "agent": "desk-clerk",
        "agent_title": "",
        "run_id": "run-1",
        "goal": "",
        "action_type": "desk.pay",
        "action_title": "Pay",
        "arguments": {"to": "bob", "amount": 40},
        "changes": [],
        "preview_note": "",
        "stopped_because": [],
        "undo": "Take 40 back from bob",
        "agent_words": "",
        "amount": None,
        "on_silence": "",
    }
    assert card.bound() == first
    digest = approval_digest(
        run_id="run-1",
        action_id="run-1:a",
        action_type="desk.pay",
        arguments=card.arguments,
        card_version=1,
        shown=card,
    )
    assert digest == digest_of(
        {
            "run": "run-1",
            "action": "run-1:a",
            "type": "desk.pay",
            "arguments": card.arguments,
            "card_version": 1,
            "shown": first,
        }
    )


@given(card=cards, name=st.sampled_from(sorted(set(RequestCard.model_fields) - {"changes", "stopped_because"})))
@settings(max_examples=60, deadline=None)
def test_a_digest_covers_everything_that_is_shown(card: RequestCard, name: str) -> None:
    other = full_card(text="The text")
    if getattr(other, name) == getattr(card, name):
        return
    changed = card.model_copy(update={name: getattr(other, name)})
    assert digest_of_text(changed) != digest_of_text(card)
    again = RequestCard.model_validate_json(card.model_dump_json())
    assert digest_of_text(again) == digest_of_text(card)


def digest_of_text(card: RequestCard) -> str:
    """A digest of what is bound; of any numbers, which canonical JSON would refuse."""
    return digest_of(json.dumps(card.bound(), sort_keys=True))


@given(text=hostile)
@settings(max_examples=100, deadline=None)
def test_an_agent_cannot_write_a_section(text: str) -> None:
    card = full_card(agent_words=text, goal=text, headline=f"Pay {text}")
    shown = plain_text(content(card)).split("\n")
    assert [line for line in shown[1:] if line and not line.startswith("  ")] == TITLES
