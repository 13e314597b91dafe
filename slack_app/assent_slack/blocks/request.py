"""An approval request as a message: what will happen, why it stopped, how it is undone, and the two buttons."""

from __future__ import annotations

from dataclasses import dataclass

from assent.domain.approvals import ApprovalStatus, RequestCard
from assent.domain.hostile_text import written_out
from assent.domain.words import counted, money
from assent.store.queries.approvals import ApprovalView
from assent_slack.blocks import limits
from assent_slack.blocks.changes import changes
from assent_slack.blocks.excerpts import excerpt, more, one_line, told
from assent_slack.blocks.outcome import outcome, outcome_words
from assent_slack.blocks.pieces import (
    Block,
    Element,
    Message,
    actions,
    bullets,
    button,
    context,
    cost,
    escaped,
    header,
    link,
    moment,
    paragraph,
    preformatted,
    quote,
    rich,
    section,
    words,
)
from assent_slack.buttons import APPROVE, DECIDE_BLOCK, OPEN, REJECT, Deciding
from assent_slack.links import Links

SCALES = (1.0, 0.6, 0.35, 0.2, 0.1, 0.04)
"""Shares of the usual room that are tried until the whole message fits."""

REASON_ROOM = 500

_NOTHING_SAID = "(it says nothing)"


@dataclass(frozen=True, slots=True)
class _Rooms:
    """Characters that each part of the message may take."""

    sentence: int
    changes: int
    reasons: int
    undo: int
    goal: int
    agent_words: int
    call: int

    @classmethod
    def scaled(cls, scale: float) -> _Rooms:
        usual = {
            "sentence": 1_200,
            "changes": 2_200,
            "reasons": 1_500,
            "undo": 600,
            "goal": 600,
            "agent_words": 1_200,
            "call": 2_400,
        }
        return cls(**{name: int(room * scale) for name, room in usual.items()})


def request_message(view: ApprovalView, links: Links) -> Message:
    """Lay a request out as it stands: with buttons while it waits, with its outcome once it is closed."""
    headline, _ = one_line(view.headline, limits.FALLBACK)
    lead = "Approval needed" if view.status is ApprovalStatus.PENDING else outcome_words(view)
    blocks: list[Block] = []
    for scale in SCALES:
        blocks = _blocks(view, links, _Rooms.scaled(scale))
        if limits.size(blocks) <= limits.MESSAGE_BYTES:
            break
    return Message(f"{escaped(lead)}: {escaped(headline)}", blocks)


def _blocks(view: ApprovalView, links: Links, rooms: _Rooms) -> list[Block]:
    card, url = view.card, links.request(view.id)
    blocks = [*_headline(view.headline, rooms.sentence, url)]
    if view.status is not ApprovalStatus.PENDING:
        blocks.append(outcome(view, url))
    blocks.append(_facts(view, url))
    blocks.append(changes(card, rooms.changes, url))
    blocks.append(_reasons(card, rooms.reasons, url))
    blocks.append(_labelled("How it is undone", card.undo or "It cannot be undone.", rooms.undo, url))
    if card.goal:
        blocks.append(_labelled("What the agent was asked", card.goal, rooms.goal, url))
    if card.agent_words:
        blocks.append(_agent_words(card.agent_words, rooms.agent_words, url))
    # Where the changes say what happens, the buttons come first: on a phone the raw call is a long way to scroll.
    ending = [_buttons(view, url), _call(card, rooms.call, url)]
    blocks += ending if card.changes else reversed(ending)
    blocks.append(context(f"Request {view.id} · run {_short(view.run_id)} · digest {view.digest[:12]}"))
    return blocks


def _headline(sentence: str, room: int, url: str) -> list[Block]:
    shown, whole = one_line(sentence, limits.HEADER)
    blocks = [header(shown if shown.strip() else _NOTHING_SAID)]
    if not whole:
        blocks.append(paragraph(*told(sentence, room, url)))
    return blocks


def _facts(view: ApprovalView, url: str) -> Block:
    card = view.card
    elements = [
        *told(card.agent, 200, url, bold=True),
        words(" wants to: "),
        *told(card.action_title or card.action_type, 200, url),
    ]
    if card.amount is not None:
        elements += [words(" · "), words(money(card.amount), bold=True)]
    if view.status is ApprovalStatus.PENDING:
        elements += [words(" · decide before "), moment(view.expires_at)]
        if card.on_silence:
            elements += [words(" · "), *told(card.on_silence, 300, url)]
    return paragraph(*elements)


def _reasons(card: RequestCard, room: int, url: str) -> Block:
    title = section([words("Why it needs a person", bold=True)])
    items: list[list[Element]] = []
    for reason in card.stopped_because:
        item = told(reason.sentence or reason.rule, min(room, REASON_ROOM), url)
        room -= cost(item)
        if room < 0:
            break
        items.append(item)
    hidden = len(card.stopped_because) - len(items)
    if hidden:
        items.append([words(f"{counted(hidden, 'more reason')}: ", italic=True), link(url, "open in Assent")])
    if not items:
        items.append([words("Its card says that a person decides.")])
    return rich([title, bullets(items)])


def _labelled(label: str, text: str, room: int, url: str) -> Block:
    return paragraph(words(f"{label}: ", bold=True), *told(text, room, url))


def _agent_words(text: str, room: int, url: str) -> Block:
    shown = excerpt(text, room)
    objects = [section([words("In the agent's own words", bold=True), words(" (nobody has checked them)")])]
    if shown.segments:
        objects.append(quote(shown.elements()))
    if shown.left_out:
        objects.append(section(more(shown.left_out, url)))
    return rich(objects)


def _call(card: RequestCard, room: int, url: str) -> Block:
    shown = excerpt(written_out(card.arguments), room)
    objects = [section([words("The whole call: ", bold=True), *told(card.action_type, 200, url)])]
    if shown.segments:
        objects.append(preformatted(shown.elements()))
    if shown.left_out:
        objects.append(section(more(shown.left_out, url)))
    return rich(objects)


def _buttons(view: ApprovalView, url: str) -> Block:
    open_page = button("Open in Assent", OPEN, url=url)
    if view.status is not ApprovalStatus.PENDING:
        return actions(DECIDE_BLOCK, [open_page])
    value = Deciding(a=view.id, d=view.digest).written()
    return actions(
        DECIDE_BLOCK,
        [
            button("Approve", APPROVE, value=value, style="primary"),
            button("Reject", REJECT, value=value, style="danger"),
            open_page,
        ],
    )


def _short(text: str) -> str:
    shown, _ = one_line(text, 120)
    return shown
