"""Seeded checks: announced before any is shown, and told gently for what they were as soon as they are over."""

from __future__ import annotations

from collections.abc import Sequence

from assent.domain.checks import ANNOUNCED, Check, CheckStatus
from assent.store.checks import Announcement
from assent_slack.blocks.excerpts import told
from assent_slack.blocks.notices import fallback
from assent_slack.blocks.pieces import Block, Message, actions, button, link, paragraph, quote, rich, section, words
from assent_slack.buttons import CHECKS_READ
from assent_slack.links import Links

BECAUSE_ROOM = 600
REASON_ROOM = 600
AGENTS_ROOM = 1_500


def announcement(unread: Sequence[Announcement], links: Links) -> list[Block]:
    """That somebody may be shown checks, to be read before any is shown; nothing if they have read it all."""
    if not unread:
        return []
    agents = "; ".join(f"{each.agent} (at most one in {each.one_in:,}, {each.a_day} a day for you)" for each in unread)
    until = max(each.announced_at for each in unread).isoformat()
    return [
        paragraph(words("Some requests may be checks", bold=True)),
        paragraph(words(f"{ANNOUNCED} This holds for "), *told(agents, AGENTS_ROOM, links.inbox()), words(".")),
        actions("checks", [button("I have read it", CHECKS_READ, value=until)]),
    ]


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
