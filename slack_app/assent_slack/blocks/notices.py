"""What one person is told, so that nobody else sees it."""

from __future__ import annotations

from assent.domain.errors import AssentError
from assent_slack.blocks import limits
from assent_slack.blocks.excerpts import one_line, told
from assent_slack.blocks.pieces import Message, escaped, link, paragraph, words

ROOM = 2_500


def notice(text: str, url: str, link_text: str = "Open in Assent") -> Message:
    """A few sentences, which may repeat what an agent wrote, and the page that helps."""
    return Message(fallback(text), [paragraph(*told(text, ROOM, url), words(" "), link(url, link_text))])


def refusal(error: AssentError, lead: str, url: str, link_text: str = "Open in Assent") -> Message:
    """What was not done, why, and what to do instead."""
    return notice(f"✖ {lead} {error.what} {error.todo}".rstrip(), url, link_text)


def fallback(text: str) -> str:
    """A text for notifications."""
    shown, _ = one_line(text, limits.FALLBACK)
    return escaped(shown)
