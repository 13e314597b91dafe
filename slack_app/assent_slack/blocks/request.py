"""An approval request as a message: what will happen, why it stopped, how it is undone, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from assent.domain.approvals import ApprovalStatus
from assent.domain.card_content import Content, content
from assent.domain.checks import Check
from assent.store.queries.approvals import ApprovalView
from assent_slack.blocks import limits
from assent_slack.blocks.card import call_block, card_blocks, headline_blocks
from assent_slack.blocks.check import check_outcome
from assent_slack.blocks.excerpts import one_line
from assent_slack.blocks.outcome import outcome, outcome_words
from assent_slack.blocks.pieces import Block, Message, context, escaped
from assent_slack.links import Links

SCALES = (1.0, 0.6, 0.35, 0.2, 0.1, 0.04)
"""Shares of the usual room that are tried until the whole message fits."""


def request_message(
    view: ApprovalView, links: Links, controls: Sequence[Block] = (), check: Check | None = None
) -> Message:
    """Lay a request out as it stands, with its outcome once it is closed.

    Args:
        view: The request.
        links: Where the pages are.
        controls: The rows of buttons under it.
        check: The seeded check that it is; it looks like any other until it is over, and says then what it was.
    """
    headline, _ = one_line(view.headline, limits.FALLBACK)
    lead, ended = "Approval needed", None
    if view.status is not ApprovalStatus.PENDING:
        url = links.request(view.id)
        lead = outcome_words(view) if check is None else check.told[0]
        ended = outcome(view, url) if check is None else check_outcome(check, links)
    shown = content(view.card)
    blocks: list[Block] = []
    for scale in SCALES:
        blocks = _blocks(view, shown, links, scale, controls, ended)
        if limits.size(blocks) <= limits.MESSAGE_BYTES:
            break
    return Message(f"{escaped(lead)}: {escaped(headline)}", blocks)


def _blocks(
    view: ApprovalView, shown: Content, links: Links, scale: float, controls: Sequence[Block], ended: Block | None
) -> list[Block]:
    url = links.request(view.id)
    blocks = headline_blocks(shown, scale, url)
    if ended is not None:
        blocks.append(ended)
    blocks += card_blocks(shown, scale, url, view.expires_at if ended is None else None)
    # Where the changes say what happens, the buttons come first: on a phone the raw call is a long way to scroll.
    call = call_block(shown, scale, url)
    blocks += [*controls, call] if view.card.changes else [call, *controls]
    blocks.append(context(f"Request {view.id} · run {_short(view.run_id)} · digest {view.digest[:12]}"))
    return blocks


def _short(text: str) -> str:
    shown, _ = one_line(text, 120)
    return shown
