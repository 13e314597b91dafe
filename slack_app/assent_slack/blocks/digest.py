"""The message in the place of many: how many requests wait for somebody, and where they are."""

from __future__ import annotations

from datetime import datetime

from assent.domain.words import counted
from assent.store import digests
from assent_slack.blocks.notices import fallback
from assent_slack.blocks.pieces import Message, actions, button, moment, paragraph, words
from assent_slack.buttons import OPEN
from assent_slack.links import Links


def digest_message(waiting: int, most: int, at: datetime, links: Links) -> Message:
    """Lay a digest out.

    Args:
        waiting: How many requests wait for its reader.
        most: How many they get as direct messages within an hour; 0 for any number.
        at: When they were counted.
        links: Where the pages are.
    """
    said = digests.how_many_in_words(waiting)
    why = f"More came within an hour than the {counted(most, 'direct message')} you get in one. " if most else ""
    where = "Soonest due first, they are in the inbox and in the Home tab above. " if waiting else ""
    return Message(
        fallback(said),
        [
            paragraph(words(said, bold=True), words("\n"), words(f"{why}{where}Counted "), moment(at)),
            actions("digest", [button("Open the inbox", OPEN, url=links.inbox())]),
        ],
    )
