"""Lists: what waits, and what there is to say about a run."""

from __future__ import annotations

from collections.abc import Sequence

from assent.domain.runs import RunStatus
from assent.domain.words import counted, money
from assent.store.queries.inbox import InboxRow
from assent.store.queries.runs import RunView
from assent_slack.blocks.excerpts import one_line, told
from assent_slack.blocks.notices import fallback
from assent_slack.blocks.pieces import (
    Block,
    Element,
    Message,
    bullets,
    link,
    moment,
    paragraph,
    rich,
    section,
    words,
)
from assent_slack.links import Links

SHOWN = 10
"""Requests that a list shows; the page shows all."""

_STATUS = {
    RunStatus.RUNNING: "▶ running",
    RunStatus.WAITING: "◌ waiting for a person",
    RunStatus.HELD: "❚❚ held by a pause",
    RunStatus.COMPLETED: "✔ completed",
    RunStatus.FAILED: "✖ failed",
    RunStatus.STOPPED: "■ stopped",
}


def pending_list(views: Sequence[InboxRow], total: int, links: Links) -> Message:
    """The requests that wait, soonest due first.

    Args:
        views: The first :data:`SHOWN` of them.
        total: How many there are.
        links: Where the pages are.
    """
    return Message(fallback(_how_many(total)), _pending_blocks(views, total, links))


def run_summary(run: RunView, links: Links) -> Message:
    """A run in a few lines."""
    url = links.run(run.run_id)
    lines = [
        [words("Run ", bold=True), *told(run.run_id, 200, url, bold=True), words(f" · {_STATUS[run.status]}")],
        [words("Agent: "), *told(run.agent, 200, url)],
        [words("Asked to: "), *told(run.goal or "—", 500, url)],
        [words("Last step: "), *told(run.last_step or "—", 400, url), words(" · "), moment(run.last_at)],
        [words(f"{counted(run.actions, 'action')} · "), link(url, "open in Assent, undo from there")],
    ]
    if run.message:
        lines.insert(4, [words("It ended with: "), *told(run.message, 400, url)])
    shown, _ = one_line(run.run_id, 80)
    return Message(fallback(f"Run {shown}: {_STATUS[run.status]}"), [rich([section(line) for line in _apart(lines)])])


def _apart(lines: list[list[Element]]) -> list[list[Element]]:
    return [[*line, words("\n")] for line in lines[:-1]] + [lines[-1]]


def _how_many(total: int) -> str:
    if not total:
        return "Nothing waits for you."
    return f"{counted(total, 'request')} {'waits' if total == 1 else 'wait'} for you"


def _pending_blocks(views: Sequence[InboxRow], total: int, links: Links) -> list[Block]:
    if not views:
        return [paragraph(words("Nothing waits for you."))]
    items = [_line(view, links) for view in views[:SHOWN]]
    objects = [section([words(_how_many(total), bold=True)]), bullets(items)]
    hidden = total - len(items)
    if hidden > 0:
        objects.append(section([words(f"… {hidden:,} more: "), link(links.inbox(), "open the inbox")]))
    return [rich(objects)]


def _line(view: InboxRow, links: Links) -> list[Element]:
    headline, _ = one_line(view.headline, 120)
    amount = [words(f" · {money(view.amount)}", bold=True)] if view.amount is not None else []
    return [
        words(headline if headline.strip() else "(it says nothing)"),
        *amount,
        words(" · before "),
        moment(view.expires_at),
        words(" · "),
        link(links.request(view.id), "open"),
    ]
