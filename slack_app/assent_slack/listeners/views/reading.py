"""Reading what a dialog gives back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from assent_slack.buttons import REASON_BLOCK, REASON_FIELD, Asking
from assent_slack.clicks import Click

OUTDATED = "This dialog is from another version of Assent: do it on the web."


def asking_of(view: Mapping[str, Any]) -> Asking | None:
    """What a dialog remembers; ``None`` if this version did not make it."""
    try:
        return Asking.model_validate_json(str(view.get("private_metadata", "")))
    except ValidationError:
        return None


def typed_text(view: Mapping[str, Any]) -> str:
    """What was typed as the reason or text."""
    fields = view.get("state", {}).get("values", {}).get(REASON_BLOCK, {})
    return str((fields.get(REASON_FIELD) or {}).get("value") or "").strip()


def click_of(body: Mapping[str, Any], asking: Asking) -> Click:
    """Who submitted a dialog, and where they are answered."""
    return Click.in_dialog(body, channel_id=asking.channel, response_url=asking.response_url)
