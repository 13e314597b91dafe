"""The dialog for a comment or a question to the agent: it writes into the talk about a request."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import NotFound
from assent.domain.people import Via
from assent_slack.blocks.dialogs import QUESTION
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message
from assent_slack.buttons import KIND_BLOCK, KIND_FIELD, REASON_BLOCK, TALK_VIEW, Asking
from assent_slack.checking import asked_about
from assent_slack.deciding import answer
from assent_slack.dependencies import Dependencies
from assent_slack.listeners.views.reading import OUTDATED, asking_of, click_of, typed_text
from assent_slack.people import Known


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the dialog."""

    @app.view(TALK_VIEW)
    async def said(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        text, asking = typed_text(view), asking_of(view)
        if not text or asking is None:
            told = "Write something." if asking is not None else OUTDATED
            await ack(response_action="errors", errors={REASON_BLOCK: told})
            return
        await ack()
        question, name = _kind(view) == QUESTION, str(view.get("id", ""))

        async def doing(known: Known) -> Message:
            return await _write(deps, known, asking, text, question, name)

        url = deps.links.request(asking.deciding.approval_id)
        deps.work.start(
            answer(deps, client, click_of(body, asking), doing, lead="Nothing was written.", url=url, typed=text)
        )


async def _write(deps: Dependencies, known: Known, asking: Asking, text: str, question: bool, view: str) -> Message:
    by, approval_id = known.person.acting(Via.SLACK), asking.deciding.approval_id
    # The same dialog sent twice is written once.
    made = f"{view}\n{known.person.id}\n{text}"
    id = f"c-{hashlib.sha256(made.encode()).hexdigest()[:16]}"
    url = deps.links.request(approval_id)
    say = deps.gateway.ask if question else deps.gateway.comment
    try:
        await say(approval_id, text, by=by, comment_id=id)
    except NotFound:
        if (told := await asked_about(deps, known.person, approval_id, text)) is None:
            raise
        return told
    if question:
        return notice("✔ The agent is asked. Its answer appears in the thread.", url)
    return notice("✔ Your comment is in the thread and on the page of the request.", url)


def _kind(view: Mapping[str, Any]) -> str:
    chosen = view.get("state", {}).get("values", {}).get(KIND_BLOCK, {}).get(KIND_FIELD) or {}
    return str((chosen.get("selected_option") or {}).get("value", ""))
