"""The dialog for a reason: it rejects, or objects."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.approvals import Verb
from assent_slack.buttons import REASON_BLOCK, REJECT_VIEW
from assent_slack.deciding import decide
from assent_slack.dependencies import Dependencies
from assent_slack.listeners.views.reading import OUTDATED, asking_of, click_of, typed_text


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the dialog."""

    @app.view(REJECT_VIEW)
    async def reject(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        reason = typed_text(view)
        if not reason:
            await ack(response_action="errors", errors={REASON_BLOCK: "Say why: the agent is given your reason."})
            return
        asking = asking_of(view)
        if asking is None:
            await ack(response_action="errors", errors={REASON_BLOCK: OUTDATED})
            return
        await ack()
        deps.work.start(decide(deps, client, click_of(body, asking), asking.deciding, Verb.REJECT, reason))
