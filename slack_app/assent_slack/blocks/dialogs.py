"""Dialogs."""

from __future__ import annotations

from typing import Any

from assent_slack.blocks import limits
from assent_slack.blocks.pieces import Block, paragraph, plain, words
from assent_slack.buttons import (
    KIND_BLOCK,
    KIND_FIELD,
    REASON_BLOCK,
    REASON_FIELD,
    REJECT_VIEW,
    TALK_VIEW,
    WAIT_VIEW,
    Asking,
)

COMMENT = "comment"
QUESTION = "question"


def reason_dialog(asking: Asking, headline: str, *, objecting: bool = False) -> dict[str, Any]:
    """Ask why a request is rejected, or what speaks against it.

    Args:
        asking: What the dialog gives back.
        headline: What the message said will happen, as it was shown.
        objecting: It runs unless somebody objects.
    """
    return modal(
        REJECT_VIEW,
        asking,
        title="Object" if objecting else "Reject the request",
        submit="Object" if objecting else "Reject",
        blocks=[
            paragraph(words(headline, bold=True)),
            text_input("Why?", "What is wrong, and what would be right?", hint=REASON_HINT),
        ],
    )


REASON_HINT = "The agent gets your reason, and may propose something better."


def talk_dialog(asking: Asking, headline: str) -> dict[str, Any]:
    """Ask for a comment, or a question to the agent."""
    options = [
        _option(COMMENT, "A comment for everybody who decides"),
        _option(QUESTION, "A question to the agent; its answer appears here"),
    ]
    kind = {
        "type": "input",
        "block_id": KIND_BLOCK,
        "label": plain("What is it?"),
        "element": {
            "type": "radio_buttons",
            "action_id": KIND_FIELD,
            "options": options,
            "initial_option": options[0],
        },
    }
    return modal(
        TALK_VIEW,
        asking,
        title="Comment or ask",
        submit="Send",
        blocks=[
            paragraph(words(headline, bold=True)),
            kind,
            text_input("Text", "", hint="Everybody who may see the request can read it."),
        ],
    )


def waiting_dialog(asking: Asking, title: str) -> dict[str, Any]:
    """What a dialog shows until its content is there."""
    return modal(WAIT_VIEW, asking, title=title, submit=None, blocks=[paragraph(words("One moment …", italic=True))])


def telling_dialog(title: str, blocks: list[Block]) -> dict[str, Any]:
    """A dialog that only says something."""
    return {
        "type": "modal",
        "callback_id": WAIT_VIEW,
        "title": plain(title),
        "close": plain("Close"),
        "blocks": blocks,
    }


def modal(callback: str, asking: Asking, *, title: str, submit: str | None, blocks: list[Block]) -> dict[str, Any]:
    """A dialog; its title has :data:`limits.VIEW_TITLE` characters at most."""
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": asking.written(),
        "title": plain(title),
        **({"submit": plain(submit)} if submit else {}),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def text_input(label: str, placeholder: str, *, hint: str, optional: bool = False) -> Block:
    """The field for a reason or a comment."""
    field: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": REASON_FIELD,
        "multiline": True,
        "min_length": 1,
        "max_length": limits.REASON,
        "focus_on_load": not optional,
        **({"placeholder": plain(placeholder)} if placeholder else {}),
    }
    return {
        "type": "input",
        "block_id": REASON_BLOCK,
        "label": plain(label),
        "hint": plain(hint),
        "optional": optional,
        "element": field,
    }


def _option(value: str, text: str) -> dict[str, Any]:
    return {"value": value, "text": plain(text)}
