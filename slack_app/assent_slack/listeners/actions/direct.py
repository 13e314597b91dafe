"""The button on the app's own page that turns direct messages off and on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.people import Via
from assent.store import reaching
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message
from assent_slack.buttons import DIRECT
from assent_slack.clicks import Click
from assent_slack.deciding import answer
from assent_slack.dependencies import Dependencies
from assent_slack.people import Known


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the button."""

    @app.action(DIRECT)
    async def direct(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        wanted = str(action.get("value", "")) == "on"

        async def doing(known: Known) -> Message:
            return await want_direct(deps, known, wanted)

        url = deps.links.inbox()
        deps.work.start(answer(deps, client, Click.on_button(body), doing, lead="Nothing was changed.", url=url))


async def want_direct(deps: Dependencies, known: Known, wanted: bool) -> Message:
    """Keep whether somebody wants direct messages, and show it on their page of the app."""

    def keep() -> None:
        with deps.database.write() as session:
            chosen = reaching.of_person(session, known.person.id).model_copy(update={"slack": wanted})
            by = known.person.acting(Via.SLACK)
            reaching.choose(session, known.person, chosen, at=deps.clock(), by=by)

    await asyncio.to_thread(keep)
    await deps.homes.show(replace(known.user, direct=wanted))
    said = (
        "You get direct messages about what you are asked."
        if wanted
        else ("You get no more direct messages from Assent. Your page of the app still lists what waits for you.")
    )
    return notice(f"✔ {said}", deps.links.inbox())
