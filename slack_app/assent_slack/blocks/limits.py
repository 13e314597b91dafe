"""Slack's limits for messages, and how text is measured against them.

Source: Slack's Block Kit reference. The limit of a whole message is not documented; messages of more than about 13,200
characters are refused with ``msg_blocks_too_long``, so Assent stays below 12,000 bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

MESSAGE_BLOCKS = 50
MESSAGE_BYTES = 12_000
VIEW_BLOCKS = 100
TEXT = 3_000
HEADER = 150
BUTTON = 75
BUTTON_VALUE = 2_000
FALLBACK = 300
"""Characters of the text that notifications and screen readers get; Slack takes more, a notification shows less."""
VIEW_TITLE = 24
PRIVATE_METADATA = 3_000
REASON = 3_000
"""Characters that a text field of a modal takes."""
ELEMENT = 60
"""What a piece of rich text costs beyond its own characters."""


def width(text: str) -> int:
    """Characters as Slack counts them: UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def size(blocks: Sequence[dict[str, Any]]) -> int:
    """Bytes of a message's blocks as they are sent."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))
