"""Stopping and letting go on from Slack: dialogs open at once, and what they give back goes through the gateway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError, Forbidden
from assent.domain.pauses import Disposition, ResumeState, Scope
from assent.domain.people import Via
from assent_slack.blocks.dialogs import telling_dialog
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message, paragraph, words
from assent_slack.buttons import FORM_FIELD, Opened
from assent_slack.clicks import Click
from assent_slack.deciding import refused
from assent_slack.dependencies import Dependencies
from assent_slack.people import Known
from assent_slack.telling import FAILURES, tell, why

log = logging.getLogger(__name__)

NOT_STOPPED = "Nothing was stopped."
NOT_RESUMED = "Nothing was resumed."
TITLE = "Stop and resume"

_LATER = Message("One moment …", [paragraph(words("One moment …", italic=True))])


async def open_view(deps: Dependencies, client: AsyncWebClient, click: Click, trigger: str, view: Any) -> str:
    """Open a dialog; gives its id, empty if Slack did not open it, of which the person was told."""
    try:
        answer = await client.views_open(trigger_id=trigger, view=view)
    except FAILURES as error:
        log.warning("A dialog did not open: %s", why(error))
        text = "✖ Slack did not open the dialog in time. Nothing was done: try again, or do it in Assent."
        await tell(client, click, notice(text, deps.links.stop()))
        return ""
    return str((answer.get("view") or {}).get("id", ""))


async def stop(deps: Dependencies, known: Known, scope: Scope, disposition: Disposition, cause: str) -> Message:
    """Stop a scope for somebody, if they may.

    Raises:
        AssentError: It was not stopped.
    """
    pause_id = await deps.gateway.pause(scope, by=known.person.acting(Via.SLACK), cause=cause, disposition=disposition)
    how = {
        Disposition.FREEZE: "",
        Disposition.DRAIN: " What was approved before goes on.",
        Disposition.COMPENSATE: " Its open runs are rolled back as soon as nothing is under way.",
    }[disposition]
    text = f"❚❚ Paused: {scope.sentence}. No effect in it begins from now on.{how} To go on: /assent resume {pause_id}"
    return notice(text, deps.links.stop())


def resumed(state: ResumeState, pause_id: str, url: str) -> Message:
    """What came of asking that something goes on."""
    said = {
        ResumeState.SECOND_WANTED: f"◌ {pause_id} still holds: a second person has to agree. They type "
        f"/assent resume {pause_id}, or do it in Assent.",
        ResumeState.RELEASING: f"▶ {pause_id} lets its runs go: first one, then a few, then all.",
        ResumeState.ENDED: f"▶ Resumed: {pause_id} is over.",
    }[state]
    return notice(said, url)


@dataclass(frozen=True, slots=True)
class Sent:
    """A submitted dialog about pauses."""

    view: Mapping[str, Any]
    opened: Opened
    click: Click

    def text(self, block: str) -> str:
        """What a field says; empty if it says nothing."""
        return str(self._field(block).get("value") or "").strip()

    def choice(self, block: str) -> str:
        """What was chosen of a menu or of radio buttons."""
        return str((self._field(block).get("selected_option") or {}).get("value", ""))

    def ticked(self, block: str) -> bool:
        """Whether a box is ticked."""
        return bool(self._field(block).get("selected_options"))

    def _field(self, block: str) -> Mapping[str, Any]:
        values = (self.view.get("state") or {}).get("values") or {}
        return (values.get(block) or {}).get(FORM_FIELD) or {}


def opened_of(view: Mapping[str, Any]) -> Opened:
    """What a dialog remembers; nothing if this version did not make it."""
    try:
        return Opened.model_validate_json(str(view.get("private_metadata") or "{}"))
    except ValueError:
        return Opened()


def sent_of(body: Mapping[str, Any], view: Mapping[str, Any]) -> Sent:
    """A submitted dialog, and who sent it."""
    opened = opened_of(view)
    click = Click.in_dialog(body, channel_id=opened.channel, response_url=opened.response_url)
    return Sent(view, opened, click)


async def take(
    deps: Dependencies,
    client: AsyncWebClient,
    ack: AsyncAck,
    sent: Sent,
    doing: Callable[[Known], Awaitable[Message]],
    *,
    lead: str,
    fields: Mapping[str, str],
) -> None:
    """Do what a dialog asks for: what is wrong is said in it while it is open, what was done is told privately.

    Args:
        deps: What listeners work with.
        client: With the workspace's token.
        ack: Slack's acknowledgement, which closes the dialog or shows errors in it.
        sent: The dialog.
        doing: Does it, for the person that this is.
        lead: What a refusal begins with.
        fields: Which block shows what is wrong with a field of the domain.
    """

    async def do() -> Message:
        return await doing(await deps.people.recognise(sent.click))

    working = asyncio.create_task(do())
    done, _ = await asyncio.wait({working}, timeout=deps.answer_patience_seconds)
    error = working.exception() if done else None
    if isinstance(error, AssentError) and error.where in fields:
        await ack(response_action="errors", errors={fields[error.where]: f"{error.what} {error.todo}".strip()})
        return
    if sent.click.channel_id or sent.click.response_url:
        await ack()
        deps.work.start(_finish(deps, client, sent, working, lead))
        return
    # Opened on the app's own page, where nothing can be answered but in the dialog itself.
    if done:
        message = await _outcome(deps, sent, working, lead)
        await ack(response_action="update", view=telling_dialog(TITLE, message.blocks))
        return
    await ack(response_action="update", view=telling_dialog(TITLE, _LATER.blocks))
    deps.work.start(_finish_in_dialog(deps, client, sent, working, lead))


async def _finish(
    deps: Dependencies, client: AsyncWebClient, sent: Sent, working: asyncio.Task[Message], lead: str
) -> None:
    await tell(client, sent.click, await _outcome(deps, sent, working, lead))


async def _finish_in_dialog(
    deps: Dependencies, client: AsyncWebClient, sent: Sent, working: asyncio.Task[Message], lead: str
) -> None:
    message = await _outcome(deps, sent, working, lead)
    try:
        view = telling_dialog(TITLE, message.blocks)
        await client.views_update(view_id=str(sent.view.get("id", "")), view=view)
    except FAILURES as error:
        log.warning("A dialog does not say what came of it: %s", why(error))


async def _outcome(deps: Dependencies, sent: Sent, working: asyncio.Task[Message], lead: str) -> Message:
    url = deps.links.stop()
    try:
        return await working
    except AssentError as error:
        if isinstance(error, Forbidden):
            deps.refused(error.what, where=f"{sent.click.team_id}/{sent.click.user_id} at stop")
        return refused(error, lead, url)
    except Exception:
        log.exception("A dialog about a pause failed")
        return notice("✖ Something in Assent failed, and it is not certain whether it was done. Look here:", url)
