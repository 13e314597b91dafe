"""The web pages, one module each; what they show is rendered on the server and works without scripts."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from assent_ui.pages import agents, inbox, ledger, live, request, run, runs, sign_in, stop, system, undo
from assent_ui.rendering.environment import STATIC

router = APIRouter(include_in_schema=False)
for _page in (inbox, request, runs, run, agents, stop, undo, ledger, system, live, sign_in):
    router.include_router(_page.router)


def include_pages(app: FastAPI) -> None:
    """Add every page and their static files; ``app.state.deps`` must be there when a request comes."""
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
