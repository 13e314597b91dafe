"""The dialogs that end a pause: which one, what it takes, and the second person's word."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError, Conflict, NotFound
from assent.domain.pauses import PausePhase, ResumeAnswers
from assent.domain.people import Via
from assent.gateway import stop_rights
from assent.store.queries import pauses
from assent.store.queries.pauses import PauseView
from assent_slack.blocks.dialogs import telling_dialog
from assent_slack.blocks.pieces import Message, paragraph, plain, words
from assent_slack.blocks.stopping import CHOICES, agree_dialog, choose_dialog, resume_dialog
from assent_slack.buttons import WAIT_VIEW, Opened
from assent_slack.clicks import Click
from assent_slack.deciding import refused
from assent_slack.dependencies import Dependencies
from assent_slack.people import Known
from assent_slack.stopping import NOT_RESUMED, open_view, resumed
from assent_slack.telling import FAILURES, why

log = logging.getLogger(__name__)

TITLE = "Resume"


async def open_resume(
    deps: Dependencies, client: AsyncWebClient, click: Click, trigger: str, pause_id: str, changed: str = ""
) -> None:
    """Open the dialog that ends a pause, or that asks which one.

    Args:
        deps: What listeners work with.
        client: With the workspace's token.
        click: Whose.
        trigger: What Slack opens a dialog for, for three seconds.
        pause_id: Which pause; empty to be asked.
        changed: What was typed already of what was changed.
    """
    opened = Opened(channel=click.channel_id, response_url=click.response_url, pause_id=pause_id)
    view_id = await open_view(deps, client, click, trigger, _waiting())
    if not view_id:
        return
    try:
        known = await deps.people.recognise(click)
        view = await asyncio.to_thread(_filled, deps, known, opened, changed)
    except AssentError as error:
        view = telling_dialog(TITLE, refused(error, NOT_RESUMED, deps.links.stop()).blocks)
    try:
        await client.views_update(view_id=view_id, view=view)
    except FAILURES as error:
        log.warning("A dialog was not filled: %s", why(error))


def resume_view(deps: Dependencies, known: Known, opened: Opened, changed: str = "") -> dict[str, Any]:
    """The dialog of one pause, as it stands.

    Raises:
        NotFound: There is no such pause.
        Forbidden: They may not resume it.
        Conflict: It has ended, or lets its runs go already.
    """
    with deps.database.read() as session:
        pause = pauses.one(session, opened.pause_id)
        rules = stop_rights.rules_for(session, pause.scope)
        stop_rights.require_resume(session, known.person.acting(Via.SLACK), rules, deps.clock())
    if not pause.active:
        raise Conflict(f"The pause {pause.id} has already ended.", where="pause")
    if pause.phase is PausePhase.SECOND_WANTED:
        return agree_dialog(opened, pause, deps.links.stop())
    return resume_dialog(opened, pause, changed=changed)


async def resume(
    deps: Dependencies, known: Known, opened: Opened, answers: ResumeAnswers | None, *, at_once: bool
) -> Message:
    """End a pause for somebody, or give a second person's word on what their dialog showed (no answers).

    Raises:
        AssentError: It still holds.
    """
    by = known.person.acting(Via.SLACK)
    if answers is None:
        state = await deps.gateway.second_resume(opened.pause_id, by=by, asked_at=opened.asked_at)
    else:
        state = await deps.gateway.resume(opened.pause_id, by=by, answers=answers, at_once=at_once)
    return resumed(state, opened.pause_id, deps.links.stop())


def _filled(deps: Dependencies, known: Known, opened: Opened, changed: str) -> dict[str, Any]:
    if opened.pause_id:
        return resume_view(deps, known, opened, changed)
    with deps.database.read() as session:
        held: tuple[PauseView, ...] = pauses.active(session, limit=CHOICES)
    if not held:
        raise NotFound("Nothing is paused.", where="pause")
    if len(held) == 1:
        return resume_view(deps, known, opened.model_copy(update={"pause_id": held[0].id}), changed)
    return choose_dialog(opened, held)


def _waiting() -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": WAIT_VIEW,
        "title": plain(TITLE),
        "close": plain("Cancel"),
        "blocks": [paragraph(words("One moment …", italic=True))],
    }
