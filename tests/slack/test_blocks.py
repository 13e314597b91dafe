"""Whatever an agent writes: Slack takes the message, nothing in it is alive, and nothing of it is silently missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.domain.actions import AdmissionEffect, Reason
from assent.domain.approvals import ApprovalStatus, RequestCard
from assent.domain.effects import ResourceChange
from assent.domain.forms import form_of
from assent.domain.hostile_text import restore, written_out
from assent.domain.people import Actor, Via
from assent.domain.runs import RunStatus
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.inbox import InboxRow
from assent.store.queries.runs import RunView
from assent_slack.blocks import limits
from assent_slack.blocks.controls import CHANNEL, controls
from assent_slack.blocks.dialogs import reason_dialog, talk_dialog
from assent_slack.blocks.excerpts import excerpt, one_line, told
from assent_slack.blocks.form import edit_dialog
from assent_slack.blocks.home import home
from assent_slack.blocks.lists import pending_list, run_summary
from assent_slack.blocks.notes import notes
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message, escaped, section
from assent_slack.blocks.request import request_message
from assent_slack.buttons import APPROVE, Asking, Deciding
from assent_slack.links import Links
from assent_slack.standing import Standing, Vote
from tests.slack.fake_blocks import buttons, faults, live, reading, too_long, view_faults, walk, width
from tests.slack.office import PAGES, card

LINKS = Links(PAGES)
AT = datetime(2030, 1, 1, tzinfo=UTC)
DIGEST = "ab" * 32
ATTACKS = [
    "<!channel> <!here> <!everyone>",
    "<@U024BE7LH> and <#C024BE7LR|general> and <!subteam^S1>",
    "<https://evil.example.com|https://assent.example.com>",
    "https://evil.example.com/ mailto:a@b.c",
    "*bold* _italic_ ~strike~ `code` ```block``` > quote",
    "&lt;!channel&gt; &amp;lt;",
    ":white_check_mark: Approved by Ann",
    "pay \u202e0005\u202c to \u200bBob",
    "раураӏ.com",
    "⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩",
    "\x00\x07\x1b[31m",
    "\ud800 lone",
    " ",
    "",
    "\n\n\n",
    "👩‍👩‍👧‍👦" * 50,
    "𝔘𝔫𝔦" * 700,
    "a" * 100_000,
    "\u202e" * 5_000,
    "a\u202e" * 5_000,
    "<" * 5_000,
    "\\" * 3_000 + '"' * 3_000,
]

hostile = st.one_of(
    st.text(),
    st.text(alphabet="<>&!@#|*_~`:\u202e\u200b⟨⟩\ud800\n\t\r 𝔘é字a"),
    st.sampled_from(ATTACKS),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=20), st.integers(1, 400)),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), hostile)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(hostile, inner, max_size=5)),
    max_leaves=12,
)
records = st.one_of(st.none(), st.dictionaries(hostile, values, max_size=6))
changes = st.builds(ResourceChange, resource=hostile, before=records, after=records)
reasons = st.builds(Reason, rule=hostile, effect=st.just(AdmissionEffect.APPROVE), sentence=hostile)
cards = st.builds(
    RequestCard,
    headline=hostile,
    agent=hostile,
    agent_title=hostile,
    run_id=hostile,
    goal=hostile,
    action_type=hostile,
    action_title=hostile,
    arguments=st.dictionaries(hostile, values, max_size=6),
    changes=st.lists(changes, max_size=6),
    preview_note=hostile,
    stopped_because=st.lists(reasons, max_size=12),
    undo=hostile,
    agent_words=hostile,
    amount=st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    on_silence=hostile,
)


def view_of(shown: RequestCard, status: ApprovalStatus = ApprovalStatus.PENDING, reason: str = "") -> ApprovalView:
    """A request as the store reads it."""
    closed = status is not ApprovalStatus.PENDING
    return ApprovalView(
        id="ap-0000000000000001",
        action_id="run-1:a1",
        run_id=shown.run_id,
        agent=shown.agent,
        type=shown.action_type,
        digest=DIGEST,
        headline=shown.headline,
        amount=shown.amount,
        card=shown,
        status=status,
        created_at=AT,
        expires_at=AT + timedelta(hours=1),
        decided_at=AT if closed else None,
        decided_by=Actor(id="ann", name=shown.agent, via=Via.WEB) if closed else None,
        decision_reason=reason,
    )


def message_of(view: ApprovalView, *votes: Vote) -> Message:
    """A request as it is posted in a channel."""
    standing = Standing(view, votes=votes)
    return request_message(view, LINKS, controls(standing, CHANNEL, LINKS))


def row_of(view: ApprovalView) -> InboxRow:
    """A request as a list has it."""
    return InboxRow(
        id=view.id,
        agent=view.agent,
        type=view.type,
        digest=view.digest,
        headline=view.headline[:200],
        size=len(view.headline),
        why="",
        amount=view.amount,
        status=view.status,
        created_at=view.created_at,
        expires_at=view.expires_at,
        changed_at=None,
        decided_at=None,
        decided_by=None,
    )


def check(message: Message) -> None:
    """Slack takes it, and nothing in it is alive."""
    assert faults(message.blocks) == []
    assert not too_long(message.blocks)
    assert limits.size(message.blocks) <= limits.MESSAGE_BYTES
    assert width(message.text) < 1_000
    assert live({"text": message.text, "blocks": message.blocks}, PAGES) == []
    json.dumps(message.blocks).encode()
    (message.text + reading(message.blocks)).encode()


@given(shown=cards, status=st.sampled_from(ApprovalStatus), reason=hostile)
@settings(max_examples=150, deadline=None)
def test_any_request_becomes_a_message_that_slack_takes(
    shown: RequestCard, status: ApprovalStatus, reason: str
) -> None:
    message = message_of(view_of(shown, status, reason))
    check(message)
    deciding = [button for name, button in buttons({"blocks": message.blocks}).items() if name == APPROVE]
    if status is ApprovalStatus.PENDING:
        assert Deciding.read(deciding[0]["value"]) == Deciding(a="ap-0000000000000001", d=DIGEST)
    else:
        assert deciding == []


@given(text=hostile, room=st.integers(-10, 4_000))
@settings(max_examples=300, deadline=None)
def test_an_excerpt_is_a_beginning_and_counts_the_rest(text: str, room: int) -> None:
    shown = excerpt(text, room)
    seen = "".join(restore(segment.text) if segment.marked else segment.text for segment in shown.segments)
    assert text.startswith(seen)
    assert shown.left_out == len(text) - len(seen)
    assert width(shown.text) <= max(room, 0)
    assert all(segment.text for segment in shown.segments)
    said = reading([section(told(text, room, f"{PAGES}/x"))])
    assert (f"{shown.left_out:,} more character" in said) == bool(shown.left_out)


@given(text=hostile, room=st.integers(1, 400))
@settings(max_examples=300, deadline=None)
def test_one_line_says_whether_it_is_whole(text: str, room: int) -> None:
    line, whole = one_line(text, room)
    assert "\n" not in line
    assert width(escaped(line)) <= room
    assert whole or line.endswith("…")
    if whole and not re.search(r"[\n\t]", text):
        assert restore(line) == text


@given(text=hostile)
@settings(max_examples=100, deadline=None)
def test_everything_else_that_is_said_is_safe_too(text: str) -> None:
    view = view_of(card(headline=text))
    check(notice(text, LINKS.inbox()))
    rows = [row_of(view)] * 40
    check(pending_list(rows, 1_234, LINKS))
    vote = Vote("d", "approve", Actor(id="a", name=text, via=Via.WEB), AT, text, True, False, "")
    check(message_of(view, vote))
    standing = Standing(view, votes=(vote,))
    for note in notes(standing, PAGES, [("approval.reminder", 1, AT), ("approval.escalated", 2, AT)]):
        check(note.message)
    run = RunView(
        "run-1", text, text, None, RunStatus.HELD, Actor(id="a", name=text, via=Via.API), AT, None, text, AT, 3, text
    )
    check(run_summary(run, LINKS))
    shown, _ = one_line(text, limits.HEADER)
    asking = Asking(deciding=Deciding(a="ap-1", d=DIGEST))
    form = form_of({"type": "object"}, {"text": text, "inner": {text: [text, 1, True, None]}})
    dialogs = [
        reason_dialog(asking, shown or "-"),
        talk_dialog(asking, shown or "-"),
        edit_dialog(asking, form, text, LINKS.request("ap-1")),
    ]
    for view_json in (
        *dialogs,
        home([replace(row, id=str(n)) for n, row in enumerate(rows)], 41, True, LINKS, direct=True),
    ):
        assert view_faults(view_json) == []
        assert live(view_json, PAGES) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_known_attacks_in_every_field(attack: str) -> None:
    shown = card(
        headline=attack,
        agent=attack,
        goal=attack,
        action_title=attack,
        arguments={attack: [attack, {attack: attack}]},
        changes=[ResourceChange(resource=attack, before={attack: attack}, after={attack: [attack], "b": attack})],
        preview_note=attack,
        stopped_because=[Reason(rule=attack, effect=AdmissionEffect.APPROVE, sentence=attack)] * 30,
        undo=attack,
        agent_words=attack,
        on_silence=attack,
    )
    for status in ApprovalStatus:
        check(message_of(view_of(shown, status, attack)))


def test_an_ordinary_request_is_shown_whole() -> None:
    message = message_of(view_of(card()))
    assert message.text == "Approval needed: Refund $45.00 to the card ending 4242 for order W123"
    text = reading(message.blocks)
    for part in [
        "Refund $45.00 to the card ending 4242 for order W123",
        "In short\nMoves: 45.00\nAction: Refund an order (shop.refund)\nAgent: refunds\nRun: run-1",
        "What changes\nshop/orders/W123: changed\n• paid: 45 → 0",
        "Why it stopped\n• It moves money.",
        "How it is undone\nCharge the card again, within 30 days.",
        "Who decides\nDecide before 2030-01-01 01:00 UTC.\nthen it is rejected",
        "What the agent says\nIn the agent’s own words. Nobody has checked them.\nThe parcel never arrived.",
        "What it was asked\nIts task\nAnswer the customer's complaint",
        written_out({"order": "W123", "amount": 45}),
        "[Approve][Reject][Edit][Open in Assent]",
        "[Comment or ask][Stop…]",
        "Request ap-0000000000000001",
    ]:
        assert part in text
    assert "more" not in text


def test_long_content_is_counted_and_linked() -> None:
    arguments = {"note": "x" * 50_000}
    message = message_of(view_of(card(arguments=arguments, headline="Send " + "y" * 5_000)))
    text = reading(message.blocks)
    found = re.findall(r"… ([\d,]+) more characters: open in Assent", text)
    call = re.search(
        r"The whole call\nArguments of the call, [\d,]+ characters\n(.*?) … ([\d,]+) more", text, re.DOTALL
    )
    assert call is not None
    assert len(call[1].strip("\n")) + int(call[2].replace(",", "")) == len(written_out(arguments))
    assert len(found) == 2
    links = {node["url"] for node in walk(message.blocks) if node.get("type") == "link"}
    assert links == {f"{PAGES}/approvals/ap-0000000000000001"}


def test_fields_and_records_that_do_not_fit_are_counted() -> None:
    record = {f"field{number}": "x" * 100 for number in range(100)}
    changes = [ResourceChange(resource=f"shop/orders/{number}", before=record, after=None) for number in range(30)]
    text = reading(message_of(view_of(card(changes=changes))).blocks)
    fields, records = text.count("• field"), text.count(": deleted")
    more = [int(number) for number in re.findall(r"… (\d+) more fields: open in Assent", text)]
    assert fields + sum(more) == 100 * records
    assert f"… {30 - records} more records: open in Assent" in text


def test_reasons_that_do_not_fit_are_counted() -> None:
    because = [Reason(rule="limit", effect=AdmissionEffect.APPROVE, sentence=f"Reason {n}.") for n in range(100)]
    text = reading(message_of(view_of(card(stopped_because=because))).blocks)
    shown = len(re.findall(r"• Reason \d+\.", text))
    assert f"{100 - shown} more entries: open in Assent" in text


def test_hidden_characters_are_marked_and_a_written_mark_is_not_one() -> None:
    message = message_of(view_of(card(agent_words="pay \u202e0005\u202c ⟨U+200B ZERO WIDTH SPACE⟩")))
    coded = [
        node["text"] for node in walk(message.blocks) if isinstance(node.get("style"), dict) and "code" in node["style"]
    ]
    assert coded == [
        "⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩",
        "⟨U+202C POP DIRECTIONAL FORMATTING⟩",
        "⟨U+27E8 MATHEMATICAL LEFT ANGLE BRACKET⟩",
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, {"a": 1}, "shop/x: created\n• a: 1"),
        ({"a": 1}, None, "shop/x: deleted\n• a: 1"),
        ({"a": 1}, {"a": 1, "b": 2}, "shop/x: changed\n• b: 2 (new)"),
        ({"a": 1}, {"a": 1}, "shop/x: not changed"),
        (None, None, "shop/x: content not known"),
        ({"a": ""}, {"a": None}, 'shop/x: changed\n• a: "" → nothing'),
        ({"a": [1, 2]}, {"a": [1, 3]}, "shop/x: changed\n• a › 2: 2 → 3"),
    ],
)
def test_changes_are_told_field_by_field(before: Any, after: Any, said: str) -> None:
    changed = [ResourceChange(resource="shop/x", before=before, after=after)]
    assert said in reading(message_of(view_of(card(changes=changed))).blocks)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (ApprovalStatus.APPROVED, "✔ Approved by refunds (web)"),
        (ApprovalStatus.REJECTED, "✖ Rejected by refunds (web)"),
        (ApprovalStatus.EXPIRED, "⧗ Expired by refunds (web)"),
        (ApprovalStatus.WITHDRAWN, "↩ Withdrawn by refunds (web)"),
    ],
)
def test_a_closed_request_says_how_in_words(status: ApprovalStatus, said: str) -> None:
    message = message_of(view_of(card(), status, "No longer needed"))
    text = reading(message.blocks)
    assert said in text
    assert "No longer needed" in text
    assert "[Approve]" not in text
