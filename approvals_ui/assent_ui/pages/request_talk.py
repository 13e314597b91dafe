"""Comments about a request, and questions to the agent that asks."""

from __future__ import annotations

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from assent.domain.errors import AssentError
from assent_ui.clicks import own_decision_id
from assent_ui.pages import checks
from assent_ui.pages.context import Here
from assent_ui.pages.request_parts import refused_in_thread

router = APIRouter()


@router.post("/approvals/{approval_id}/comments")
async def write(
    here: Here, approval_id: str, text: str = Form(""), kind: str = Form("comment"), click: str = Form("")
) -> Response:
    """Write a comment, or ask the agent."""
    if (check := await here.in_thread(lambda: checks.shown_to(here, approval_id))) is not None:
        return await checks.question(here, check, text)
    entry_id = own_decision_id(click, here.viewer.id)
    say = here.gateway.ask if kind == "question" else here.gateway.comment
    try:
        entry = await say(approval_id, text, by=here.viewer.actor, comment_id=f"c-{entry_id}" if entry_id else None)
    except AssentError as error:
        return await refused_in_thread(here, approval_id, error, typed={"text": text, "kind": kind})
    return RedirectResponse(f"/approvals/{approval_id}#talk-{entry.id}", status_code=303)
