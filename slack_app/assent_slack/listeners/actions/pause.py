"""The button Pause the agent, after Slack asked once more."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Role, Via
from assent.store.queries import approvals
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message
from assent_slack.buttons import PAUSE, Deciding
from assent_slack.clicks import Click
from assent_slack.deciding import answer
from assent_slack.dependencies import Dependencies
from assent_slack.people import Known, require


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the button."""

    @app.action(PAUSE)
    async def pause(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        value = str(action.get("value", ""))

        async def doing(known: Known) -> Message:
            return await _pause(deps, known, value)

        deps.work.start(
            answer(deps, client, Click.on_button(body), doing, lead="Nothing was paused.", url=deps.links.stop())
        )


async def _pause(deps: Dependencies, known: Known, value: str) -> Message:
    require(known.person, Role.OPERATOR, "pause or resume")
    deciding = Deciding.read(value)
    agent = await asyncio.to_thread(_agent, deps, deciding)
    scope = Scope(kind=ScopeKind.AGENT, name=agent)
    pause_id = await deps.gateway.pause(
        scope, by=known.person.acting(Via.SLACK), cause=f"From the request {deciding.approval_id} in Slack."
    )
    text = (
        f"❚❚ Paused: {scope.sentence}. No effect in it begins from now on. To go on: /assent resume {pause_id} REASON"
    )
    return notice(text, deps.links.stop())


def _agent(deps: Dependencies, deciding: Deciding) -> str:
    with deps.database.read() as session:
        return approvals.one(session, deciding.approval_id).agent
