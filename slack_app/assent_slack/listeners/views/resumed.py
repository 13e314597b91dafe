"""The dialogs Resume: which pause, then what it takes, or a second person's word."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError
from assent.domain.pauses import MAX_CHECKS, ResumeAnswers
from assent_slack.blocks.dialogs import telling_dialog
from assent_slack.blocks.pieces import Message
from assent_slack.buttons import (
    AT_ONCE_BLOCK,
    CAUSE_BLOCK,
    CHANGED_BLOCK,
    CHECKS_BLOCK,
    CHOOSE_VIEW,
    PAUSE_BLOCK,
    RESUME_VIEW,
)
from assent_slack.deciding import refused
from assent_slack.dependencies import Dependencies
from assent_slack.people import Known
from assent_slack.resuming import TITLE, resume, resume_view
from assent_slack.stopping import NOT_RESUMED, Sent, sent_of, take


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the dialogs."""

    @app.view(CHOOSE_VIEW)
    async def chosen(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        sent = sent_of(body, view)
        opened = sent.opened.model_copy(update={"pause_id": sent.choice(PAUSE_BLOCK)})
        try:
            known = await deps.people.recognise(sent.click)
            shown = await asyncio.to_thread(resume_view, deps, known, opened)
        except AssentError as error:
            shown = telling_dialog(TITLE, refused(error, NOT_RESUMED, deps.links.stop()).blocks)
        await ack(response_action="update", view=shown)

    @app.view(RESUME_VIEW)
    async def resumed(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        sent = sent_of(body, view)
        checks = [line.strip() for line in sent.text(CHECKS_BLOCK).splitlines() if line.strip()]
        if len(checks) > MAX_CHECKS:
            await ack(response_action="errors", errors={CHECKS_BLOCK: f"Name {MAX_CHECKS} checks at most."})
            return
        answers = None if sent.opened.agreeing else _answers(sent, checks)

        async def doing(known: Known) -> Message:
            return await resume(deps, known, sent.opened, answers, at_once=sent.ticked(AT_ONCE_BLOCK))

        fields = {} if answers is None else {"cause": CAUSE_BLOCK, "changed": CHANGED_BLOCK, "checks": CHECKS_BLOCK}
        await take(deps, client, ack, sent, doing, lead=NOT_RESUMED, fields=fields)


def _answers(sent: Sent, checks: list[str]) -> ResumeAnswers:
    return ResumeAnswers(cause=sent.text(CAUSE_BLOCK), changed=sent.text(CHANGED_BLOCK), checks=checks)
