"""The dialog for a reason: it rejects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.approvals import Verb
from assent_slack.buttons import REASON_BLOCK, REASON_FIELD, REJECT_VIEW, Rejecting
from assent_slack.clicks import Click
from assent_slack.deciding import decide
from assent_slack.dependencies import Dependencies


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the dialog."""

    @app.view(REJECT_VIEW)
    async def reject(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        reason = _reason(view)
        if not reason:
            await ack(response_action="errors", errors={REASON_BLOCK: "Say why: the agent is given your reason."})
            return
        try:
            rejecting = Rejecting.model_validate_json(str(view.get("private_metadata", "")))
        except ValidationError:
            await ack(response_action="errors", errors={REASON_BLOCK: "This dialog is outdated: reject in Assent."})
            return
        await ack()
        click = Click.in_dialog(body, rejecting)
        deps.work.start(decide(deps, client, click, rejecting.deciding, Verb.REJECT, reason))


def _reason(view: Mapping[str, Any]) -> str:
    fields = view.get("state", {}).get("values", {}).get(REASON_BLOCK, {})
    return str((fields.get(REASON_FIELD) or {}).get("value") or "").strip()
