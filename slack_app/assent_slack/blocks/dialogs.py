"""Dialogs."""

from __future__ import annotations

from typing import Any

from assent_slack.blocks import limits
from assent_slack.blocks.pieces import paragraph, plain, words
from assent_slack.buttons import REASON_BLOCK, REASON_FIELD, REJECT_VIEW, Rejecting


def reason_dialog(rejecting: Rejecting, headline: str) -> dict[str, Any]:
    """Ask why a request is rejected.

    Args:
        rejecting: What the dialog gives back.
        headline: What the message said will happen, as it was shown.
    """
    field = {
        "type": "plain_text_input",
        "action_id": REASON_FIELD,
        "multiline": True,
        "min_length": 1,
        "max_length": limits.REASON,
        "focus_on_load": True,
        "placeholder": plain("What is wrong, and what would be right?"),
    }
    return {
        "type": "modal",
        "callback_id": REJECT_VIEW,
        "private_metadata": rejecting.written(),
        "title": plain("Reject the request"),
        "submit": plain("Reject"),
        "close": plain("Cancel"),
        "blocks": [
            paragraph(words(headline, bold=True)),
            {
                "type": "input",
                "block_id": REASON_BLOCK,
                "label": plain("Why?"),
                "hint": plain("The agent gets your reason, and may propose something better."),
                "element": field,
            },
        ],
    }
