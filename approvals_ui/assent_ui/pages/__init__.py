"""The web pages, one module each; what they show is rendered on the server and works without scripts."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from assent_ui.pages import (
    account,
    agents,
    cards,
    checks,
    drills,
    grants,
    groups,
    inbox,
    incident,
    incident_actions,
    incident_find,
    incident_report,
    incidents,
    keys,
    ledger,
    live,
    mail,
    mail_queue,
    openid,
    people,
    quality,
    reaching,
    request,
    request_edit,
    request_grant,
    request_hand,
    request_plan,
    request_talk,
    run,
    runs,
    several,
    sign_in,
    slack,
    stop,
    system,
    undo,
    webhooks,
    whole,
)
from assent_ui.rendering.environment import STATIC

router = APIRouter(include_in_schema=False)
for _page in (
    inbox,
    several,
    request,
    request_edit,
    request_talk,
    request_grant,
    request_plan,
    request_hand,
    runs,
    run,
    agents,
    drills,
    grants,
    incidents,
    incident_actions,
    incident_find,
    incident_report,
    incident,
    stop,
    undo,
    ledger,
    system,
    live,
    sign_in,
    mail,
    mail_queue,
    webhooks,
    reaching,
    whole,
    account,
    cards,
    groups,
    keys,
    openid,
    people,
    slack,
    quality,
    checks,
):
    router.include_router(_page.router)


def include_pages(app: FastAPI) -> None:
    """Add every page and their static files; ``app.state.deps`` must be there when a request comes."""
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
