"""The pieces of Block Kit that Assent uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from assent_slack.blocks import limits

Block = dict[str, Any]
Element = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted.

    Attributes:
        text: What notifications and screen readers get; already escaped.
        blocks: What is shown.
    """

    text: str
    blocks: list[Block]


def escaped(text: str) -> str:
    """A text in which none of Slack's three control characters is left."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str) -> Element:
    """A text object that knows no markup; its control characters are escaped all the same, as Slack asks."""
    return {"type": "plain_text", "text": escaped(text), "emoji": False}


def words(text: str, *, bold: bool = False, italic: bool = False, strike: bool = False, code: bool = False) -> Element:
    """A stretch of rich text, shown character for character."""
    asked = {"bold": bold, "italic": italic, "strike": strike, "code": code}
    style = {name: True for name, wanted in asked.items() if wanted}
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def link(url: str, text: str) -> Element:
    """A link; both parts are Assent's own."""
    return {"type": "link", "url": url, "text": text}


def moment(at: datetime) -> Element:
    """A point in time, shown in the reader's time zone."""
    return {
        "type": "date",
        "timestamp": int(at.timestamp()),
        "format": "{date_short_pretty} at {time}",
        "fallback": at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def section(elements: Sequence[Element]) -> Element:
    """A paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def quote(elements: Sequence[Element]) -> Element:
    """A quotation in rich text."""
    return {"type": "rich_text_quote", "elements": list(elements)}


def preformatted(elements: Sequence[Element]) -> Element:
    """Rich text in a fixed pitch."""
    return {"type": "rich_text_preformatted", "elements": list(elements)}


def bullets(items: Sequence[Sequence[Element]]) -> Element:
    """A list in rich text."""
    return {"type": "rich_text_list", "style": "bullet", "elements": [section(item) for item in items]}


def rich(objects: Sequence[Element]) -> Block:
    """A block of rich text out of paragraphs, quotations and lists."""
    return {"type": "rich_text", "elements": list(objects)}


def paragraph(*elements: Element) -> Block:
    """A block of one paragraph."""
    return rich([section(elements)])


def header(text: str) -> Block:
    """The headline of a message; the caller has seen to its length."""
    return {"type": "header", "text": plain(text)}


def context(text: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [plain(text)]}


def button(
    text: str, action_id: str, *, value: str | None = None, url: str | None = None, style: str | None = None
) -> Element:
    """A button that says something to Assent, or opens a page."""
    given = {"value": value, "url": url, "style": style}
    return {
        "type": "button",
        "action_id": action_id,
        "text": plain(text),
        **{name: content for name, content in given.items() if content is not None},
    }


def menu(action_id: str, pages: Sequence[tuple[str, str]]) -> Element:
    """A menu of pages to open, two to five, each with its text of at most 75 characters and its address."""
    options = [{"text": plain(text), "value": str(number), "url": url} for number, (text, url) in enumerate(pages)]
    return {"type": "overflow", "action_id": action_id, "options": options}


def confirmed(button: Element, title: str, text: str, yes: str) -> Element:
    """A button that asks once more before it says anything; all texts are Assent's own, ``title`` of 100 characters."""
    confirm = {"title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain("Cancel")}
    return {**button, "confirm": {**confirm, "style": "danger"}}


def actions(block_id: str, elements: Sequence[Element]) -> Block:
    """A row of buttons."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def cost(elements: Sequence[Element]) -> int:
    """What elements take of the room of a block."""
    return sum(limits.width(element.get("text", "")) + limits.ELEMENT for element in elements)
