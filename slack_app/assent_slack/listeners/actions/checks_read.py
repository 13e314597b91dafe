"""The button on the app's own page that says that one has read what is announced about checks."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import InvalidInput
from assent.domain.people import Via
from assent.store import checks
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message
from assent_slack.buttons import CHECKS_READ
from assent_slack.clicks import Click
from assent_slack.deciding import answer
from assent_slack.dependencies import Dependencies
from assent_slack.people import Known


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the button."""

    @app.action(CHECKS_READ)
    async def read(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        value = str(action.get("value", ""))

        async def doing(known: Known) -> Message:
            return await _read(deps, known, value)

        url = deps.links.inbox()
        deps.work.start(answer(deps, client, Click.on_button(body), doing, lead="Nothing was noted.", url=url))


async def _read(deps: Dependencies, known: Known, value: str) -> Message:
    until = _until(value)

    def keep() -> None:
        with deps.database.write() as session:
            checks.read(session, known.person.acting(Via.SLACK), until=until, at=deps.clock())

    await asyncio.to_thread(keep)
    await deps.homes.show(known.user)
    return notice("✔ You have read that some requests may be checks.", deps.links.inbox())


def _until(value: str) -> datetime:
    """The newest announcement that was shown beside the button.

    Raises:
        InvalidInput: The button is not one that this version made.
    """
    try:
        until = datetime.fromisoformat(value)
    except ValueError:
        until = None
    if until is None or until.tzinfo is None:
        raise InvalidInput("It is not said what was read.", where="button", todo="Open your inbox and read it there.")
    return until
