"""The web pages, one module each; what they show is rendered on the server and works without scripts."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from assent_ui.pages import (
    account,
    agents,
    breakers,
    cards,
    checks,
    drills,
    effects,
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
    pause_hooks,
    people,
    quality,
    reaching,
    records,
    request,
    request_edit,
    request_grant,
    request_hand,
    request_plan,
    request_talk,
    rollback,
    run,
    runs,
    several,
    sign_in,
    slack,
    stop,
    system,
    undo,
    undo_choose,
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
    breakers,
    drills,
    grants,
    incidents,
    incident_actions,
    incident_find,
    incident_report,
    incident,
    stop,
    pause_hooks,
    undo,
    undo_choose,
    rollback,
    effects,
    ledger,
    records,
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
