"""Web, Slack and plain text show the same facts, each within its limits, and nothing in any of them is alive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.domain.approvals import ApprovalStatus, RequestCard
from assent.domain.card_content import Content, Fact, Points, Quote, Raw, Sentence, content
from assent.domain.card_records import Record
from assent.domain.card_text import exact, plain_text
from assent.domain.hostile_text import reveal_text
from assent.store.queries.approvals import ApprovalView
from assent_slack.blocks import limits
from assent_slack.blocks.pieces import Message
from assent_slack.blocks.request import request_message
from assent_slack.links import Links
from assent_ui.rendering.environment import build_environment
from tests.cards.made import AT, ATTACKS, cards, full_card
from tests.pages.reading import PageReader
from tests.slack.fake_blocks import faults, live, reading, too_long

PAGES = "https://assent.example.com"
REQUEST = "ap-0000000000000001"
_PAGE = """<!doctype html><main><h1>{{ card_content(approval.card).headline.text }}</h1>
{% include "partials/card.html" %}{% include "partials/card_call.html" %}</main>"""


def view_of(card: RequestCard) -> ApprovalView:
    """A request as the store reads it."""
    return ApprovalView(
        id=REQUEST,
        action_id="run-1:a1",
        run_id=card.run_id,
        agent=card.agent,
        type=card.action_type,
        digest="ab" * 32,
        headline=card.headline,
        amount=card.amount,
        card=card,
        status=ApprovalStatus.PENDING,
        created_at=AT,
        expires_at=AT + timedelta(hours=1),
        decided_at=None,
        decided_by=None,
        decision_reason="",
    )


def in_slack(card: RequestCard) -> Message:
    """A request as a message."""
    return request_message(view_of(card), Links(PAGES))


def on_the_web(card: RequestCard) -> PageReader:
    """The part of the page that is the request's content."""
    environment = build_environment(lambda: datetime(2031, 1, 1, tzinfo=UTC))
    shown: Any = SimpleNamespace(card=card, id=REQUEST, type=card.action_type, action_id="run-1:a1", digest="ab" * 32)
    return PageReader(environment.from_string(_PAGE).render(approval=shown))


def facts(shown: Content) -> Iterator[str]:
    """Every fact of the content, as any place must show it."""
    yield shown.headline.text
    for section in shown.sections:
        yield section.title if section.key != "facts" else ""
        for item in section.items:
            match item:
                case Fact():
                    yield from (item.label, item.text.text, item.name)
                case Sentence():
                    yield item.text.text
                case Points():
                    yield item.more
                    for point in item.points:
                        yield from (point.text.text, point.note.text, point.request)
                        yield exact(point.at) if point.at else ""
                case Quote():
                    yield from (item.label, item.text.text, item.text.more)
                case Record():
                    yield from (item.resource, item.becomes)
                    yield f"{item.same} field unchanged" if item.same else ""
                    for field in item.fields:
                        yield from field.path
                        yield from (each.text for each in (field.before, field.after) if each is not None)
                case Raw():
                    yield from (item.label, f"{item.size:,} characters", item.text.text)


def squeezed(text: str) -> str:
    """A text for comparing: without white space, marks of line ends, and case."""
    return re.sub(r"[\s|]+", "", text).casefold()


def test_all_three_places_show_the_same_facts() -> None:
    card = full_card()
    web = on_the_web(card)
    times = " ".join(attributes.get("title", "") for tag, attributes in web.tags if tag == "time")
    places = {
        "plain": squeezed(plain_text(content(card))),
        "slack": squeezed(reading(in_slack(card).blocks)),
        "web": squeezed(f"{web.text} {times}"),
    }
    for fact in facts(content(card)):
        for place, text in places.items():
            if place == "web" and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", fact):
                assert "1jan2030,12:30:00utc" in text
            else:
                assert squeezed(fact) in text, (place, fact)


def test_every_fact_of_the_card_is_in_the_content() -> None:
    card = full_card()
    shown = squeezed(plain_text(content(card)))
    skipped = {"arguments", "changes", "undo", "money", "text", "card_version"}
    kept_silent = {"rule", "effect", "id", "via", "key", "action_id", "one", "unit"}

    def words(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from () if name in kept_silent else words(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from words(inner)
        elif isinstance(value, str) and not re.match(r"\d{4}-\d\d-|P\d", value):
            yield value

    for word in words(card.model_dump(mode="json", exclude=skipped)):
        assert squeezed(word) in shown, word
    assert "3items,1recipient" in shown


@given(card=cards)
@settings(max_examples=60, deadline=None)
def test_slack_takes_any_card(card: RequestCard) -> None:
    message = in_slack(card)
    assert faults(message.blocks) == []
    assert len(message.blocks) <= limits.MESSAGE_BLOCKS
    assert not too_long(message.blocks)
    assert limits.size(message.blocks) <= limits.MESSAGE_BYTES
    assert live({"text": message.text, "blocks": message.blocks}, PAGES) == []
    (message.text + reading(message.blocks)).encode()


@given(card=cards)
@settings(max_examples=40, deadline=None)
def test_slack_says_what_it_leaves_out(card: RequestCard) -> None:
    blocks = in_slack(card).blocks
    text = squeezed(reading(blocks))
    for fact in facts(content(card)):
        if squeezed(reveal_text(fact)) not in text:
            assert re.search(r"…[\d,]+more|↵|⇥", text), fact


@given(card=cards)
@settings(max_examples=40, deadline=None)
def test_the_page_takes_any_card(card: RequestCard) -> None:
    page = on_the_web(card)
    check_page(page)
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("attack", ATTACKS)
def test_known_attacks_everywhere(attack: str) -> None:
    values: dict[str, Any] = {
        "headline": attack,
        "agent": attack,
        "agent_title": attack,
        "run_id": attack,
        "goal": attack,
        "action_type": attack,
        "action_title": attack,
        "arguments": {attack: [attack, {attack: attack}]},
        "changes": [{"resource": attack, "before": {attack: attack}, "after": {attack: [attack], "b": attack}}],
        "preview_note": attack,
        "agent_words": attack,
        "on_silence": attack,
        "target": {"words": attack, "resource": attack},
        "received": {"text": attack, "left_out": 1},
        "looked_at": {"readings": [{"key": "r", "sentence": attack, "resource": attack, "at": AT}] * 8, "total": 8},
        "earlier": [
            {"approval_id": attack, "headline": attack, "verdict": "rejected", "by": attack, "reason": attack, "at": AT}
        ],
    }
    card = full_card(**values)
    check_page(on_the_web(card))
    message = in_slack(card)
    assert faults(message.blocks) == []
    assert live({"text": message.text, "blocks": message.blocks}, PAGES) == []


def check_page(page: PageReader) -> None:
    """Nothing in it is alive that Assent did not put there, and nothing steers the eye."""
    allowed = {"main", "h1", "h2", "section", "div", "dl", "dt", "dd", "p", "ul", "li", "span", "bdi", "mark", "a"}
    allowed |= {"figure", "figcaption", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "ins", "del", "pre"}
    allowed |= {"details", "summary", "time", "svg", "path", "circle", "strong"}
    assert {tag for tag, _ in page.tags} <= allowed
    assert not set(page.text) & set("\u202e\u2066\u2069\u200b\u2028\x07\x1b\x00\x9b")
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "srcdoc"}], tag
    for address in page.addresses:
        assert re.match(r"/(approvals|runs|records)[/?]", address), address


@given(times=st.integers(1, 60))
@settings(max_examples=5, deadline=None)
def test_many_records_and_reasons_are_counted_in_slack(times: int) -> None:
    record = {"resource": "shop/orders/1", "before": {"field": "x" * 100}, "after": {"field": "y" * 100}}
    because = [{"rule": "limit", "effect": "approve", "sentence": f"Reason {n}: {'z' * 80}."} for n in range(times)]
    text = reading(in_slack(full_card(changes=[record] * times, stopped_because=because)).blocks)
    shown = text.count("shop/orders/1: changed")
    assert shown == times or f"{times - shown} more record" in text
    reasons = len(re.findall(r"Reason \d+:", text))
    assert reasons == times or re.search(rf"{times - reasons} more entr(y|ies)", text)
