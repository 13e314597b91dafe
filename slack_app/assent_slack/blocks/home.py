"""The app's own page in Slack: what waits for whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assent.domain.words import counted, money
from assent.store.checks import Announcement
from assent.store.queries.inbox import InboxRow
from assent_slack.blocks.check import announcement
from assent_slack.blocks.excerpts import one_line, told
from assent_slack.blocks.pieces import (
    Block,
    Element,
    actions,
    button,
    header,
    link,
    moment,
    paragraph,
    rich,
    section,
    words,
)
from assent_slack.buttons import DIRECT, OPEN, STOP
from assent_slack.links import Links

SHOWN = 40
"""Requests that the page shows: with two blocks each it stays below Slack's hundred."""

LINE_ROOM = 280


def home(
    rows: Sequence[InboxRow],
    total: int,
    capped: bool,
    links: Links,
    *,
    direct: bool,
    grants: int = 0,
    unread: Sequence[Announcement] = (),
) -> dict[str, Any]:
    """The page of somebody who is known.

    Args:
        rows: What waits for them, soonest due first, at most :data:`SHOWN`.
        total: How much waits for them.
        capped: There may be more than ``total``.
        links: Where the pages are.
        direct: Whether they get direct messages.
        grants: Standing grants that wait for their word.
        unread: Announcements of seeded checks that they have not read.
    """
    blocks = [*announcement(unread, links), header("What waits for you"), *_grants(grants, links)]
    blocks += _waiting(rows, total, capped, links)
    blocks += _settings(links, direct)
    return {"type": "home", "blocks": blocks}


def stranger_home(why: str, links: Links) -> dict[str, Any]:
    """The page of somebody who may not see anything."""
    return {"type": "home", "blocks": [header("Assent"), paragraph(*told(why, 2_500, links.inbox()))]}


def _grants(waiting: int, links: Links) -> list[Block]:
    if not waiting:
        return []
    said = f"{counted(waiting, 'standing grant')} {'waits' if waiting == 1 else 'wait'} for your word: "
    return [paragraph(words(said, bold=True), link(links.grants_to_confirm(), "look and confirm"))]


def _waiting(rows: Sequence[InboxRow], total: int, capped: bool, links: Links) -> list[Block]:
    if not rows:
        return [paragraph(words("Nothing waits for you."))]
    blocks: list[Block] = []
    for row in rows[:SHOWN]:
        blocks.append(_line(row, links))
        blocks.append(actions(f"home-{row.id}", [button("Look and decide", OPEN, url=links.request(row.id))]))
    hidden = total - len(rows[:SHOWN])
    if hidden > 0:
        more = f"{hidden:,}{' or more' if capped else ''} more on the web: "
        blocks.append(paragraph(words(more), link(links.inbox(), "open the inbox")))
    return blocks


def _line(row: InboxRow, links: Links) -> Block:
    headline, _ = one_line(row.headline, LINE_ROOM)
    elements: list[Element] = [words(headline if headline.strip() else "(it says nothing)", bold=True)]
    if row.amount is not None:
        elements.append(words(f" · {money(row.amount)}", bold=True))
    below = [*told(row.agent, 100, links.request(row.id)), words(" · decide before "), moment(row.expires_at)]
    return rich([section([*elements, words("\n")]), section(below)])


def _settings(links: Links, direct: bool) -> list[Block]:
    said = "You get direct messages about them." if direct else "You get no direct messages."
    turn = button(
        "Stop direct messages" if direct else "Send me direct messages", DIRECT, value="off" if direct else "on"
    )
    return [
        paragraph(words(said, italic=True)),
        actions(
            "settings",
            [
                turn,
                button("Open the inbox", OPEN, url=links.inbox()),
                button("Stop…", STOP, value="{}", style="danger"),
            ],
        ),
    ]
