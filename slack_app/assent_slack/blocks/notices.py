"""What one person is told, so that nobody else sees it."""

from __future__ import annotations

from assent.domain.errors import AssentError
from assent_slack.blocks import limits
from assent_slack.blocks.excerpts import excerpt, one_line
from assent_slack.blocks.pieces import Message, escaped, link, paragraph, words

ROOM = 2_500


def notice(text: str, *, url: str | None = None, link_text: str = "Open in Assent") -> Message:
    """A few sentences, which may repeat what an agent wrote, and a page that helps."""
    elements = excerpt(text, ROOM).elements() or [words("(nothing)")]
    if url is not None:
        elements += [words(" "), link(url, link_text)]
    return Message(fallback(text), [paragraph(*elements)])


def refusal(error: AssentError, *, lead: str, url: str | None = None) -> Message:
    """What was not done, why, and what to do instead."""
    advice = f" {error.todo}" if error.todo else ""
    return notice(f"✖ {lead} {error.what}{advice}", url=url)


def fallback(text: str) -> str:
    """A text for notifications."""
    shown, _ = one_line(text, limits.FALLBACK)
    return escaped(shown)
