"""The dialog that edits: what is wrong is said at its fields; what is right goes to the run."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError, BrokenArguments, Forbidden, NotFound
from assent.domain.forms import read_form
from assent.domain.people import Via
from assent_slack import checking
from assent_slack.blocks.form import errors_of, values_of
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message
from assent_slack.buttons import EDIT_VIEW, REASON_BLOCK, Asking
from assent_slack.clicks import Click
from assent_slack.deciding import refused
from assent_slack.dependencies import Dependencies
from assent_slack.listeners.views.reading import OUTDATED, asking_of, click_of, typed_text
from assent_slack.telling import tell

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A submitted dialog."""

    view: Mapping[str, Any]
    asking: Asking
    click: Click
    reason: str


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the dialog."""

    @app.view(EDIT_VIEW)
    async def edited(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        asking = asking_of(view)
        if asking is None:
            await ack(response_action="errors", errors={REASON_BLOCK: OUTDATED})
            return
        sent = _Sent(view, asking, click_of(body, asking), typed_text(view))
        sending = asyncio.create_task(_send(deps, sent))
        done, _ = await asyncio.wait({sending}, timeout=deps.answer_patience_seconds)
        if done and isinstance(error := sending.exception(), AssentError):
            # The dialog is still open: it says what is wrong where it is wrong.
            _record(deps, sent, error)
            await ack(response_action="errors", errors=_errors(view, error))
            return
        await ack()
        deps.work.start(_finish(deps, client, sent, sending))


async def _send(deps: Dependencies, sent: _Sent) -> str | Message:
    """Send the change to the run; gives its id, or what is told at once.

    Raises:
        AssentError: It was not sent.
    """
    known = await deps.people.recognise(sent.click)
    deciding = sent.asking.deciding
    _, form = await checking.edit_form(deps, known.person, deciding.approval_id)
    result = read_form(form, values_of(sent.view, form))
    if result.faults:
        raise BrokenArguments(result.faults)
    made = f"{sent.view.get('id')}\n{known.person.id}\n{deciding.digest}"
    try:
        edit = await deps.gateway.revise(
            deciding.approval_id,
            result.arguments,
            digest=deciding.digest,
            by=known.person.acting(Via.SLACK),
            reason=sent.reason,
            # The same dialog delivered twice is one edit.
            edit_id=f"slack-{hashlib.sha256(made.encode()).hexdigest()[:32]}",
        )
    except NotFound:
        told = await checking.changed(deps, known.person, deciding, result.arguments, sent.reason)
        if told is None:
            raise
        return told
    return edit.id


async def _finish(
    deps: Dependencies, client: AsyncWebClient, sent: _Sent, sending: asyncio.Task[str | Message]
) -> None:
    """Tell what came of a change whose dialog is closed."""
    url = deps.links.request(sent.asking.deciding.approval_id)
    try:
        made = await sending
        message = made if isinstance(made, Message) else await _result(deps, made, url)
    except AssentError as error:
        _record(deps, sent, error)
        message = refused(error, "Nothing was changed.", url, sent.reason)
    except Exception:
        log.exception("A change of %s failed", sent.asking.deciding.approval_id)
        message = notice("✖ Something in Assent failed, and it is not certain whether anything was changed:", url)
    await tell(client, sent.click, message)


async def _result(deps: Dependencies, edit_id: str, url: str) -> Message:
    made = await deps.gateway.edited(edit_id, wait_seconds=deps.verdict_patience_seconds)
    if made is None:
        return notice("◌ Your change is with the run. The message changes as soon as the run has taken it.", url)
    if made.revision is None:
        return notice(f"✖ Your change was not taken. {made.why_not}", url)
    return notice(f"✔ Your change is revision {made.revision}. It is shown to everybody who decides.", url)


def _errors(view: Mapping[str, Any], error: AssentError) -> dict[str, str]:
    if isinstance(error, BrokenArguments):
        return errors_of(view, error.faults)
    return errors_of(view, {"": f"{error.what} {error.todo}".strip()})


def _record(deps: Dependencies, sent: _Sent, error: AssentError) -> None:
    if isinstance(error, Forbidden):
        where = f"{sent.click.team_id}/{sent.click.user_id} at {sent.asking.deciding.approval_id}"
        deps.refused(error.what, where=where)
