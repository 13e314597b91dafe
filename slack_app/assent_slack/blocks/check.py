"""A seeded check that is over: what it was, told gently, at once to whoever answered it and then in its message."""

from __future__ import annotations

from assent.domain.checks import Check, CheckStatus
from assent_slack.blocks.excerpts import told
from assent_slack.blocks.notices import fallback
from assent_slack.blocks.pieces import Block, Message, link, paragraph, quote, rich, section, words
from assent_slack.links import Links

BECAUSE_ROOM = 600
REASON_ROOM = 600


def check_outcome(check: Check, links: Links) -> Block:
    """What it was, and why it should be refused; in the place of who closed a request."""
    title, comfort = check.told
    url = links.request(check.id)
    shape = "✔" if check.status is CheckStatus.CAUGHT else "◆"
    objects = [
        section(
            [
                words(f"{shape} {title}\n", bold=True),
                words(f"{comfort}\n"),
                words("Why it should be refused: ", bold=True),
                *told(check.because, BECAUSE_ROOM, url),
                words("\nIt was made from an "),
                link(links.request(check.source_id), "earlier request"),
                words(" that was approved."),
            ]
        )
    ]
    if check.reason:
        objects += [section([words("You said:")]), quote(told(check.reason, REASON_ROOM, url))]
    return rich(objects)


def check_notice(check: Check, links: Links) -> Message:
    """The same for one person alone, with the page that shows all of it."""
    opening = paragraph(link(links.request(check.id), "Open in Assent"))
    return Message(fallback(check.told[0]), [check_outcome(check, links), opening])
