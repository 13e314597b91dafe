"""Webhooks: one's own, those of the installation, and what still waits to be called."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError
from assent.domain.people import Role
from assent.store import outbox, webhooks
from assent.store.queries.paging import PageRequest
from assent.store.webhooks import WEBHOOK
from assent_ui.deps import Deps, DepsHere
from assent_ui.pages.context import Here, Place

router = APIRouter()

SHOWN = 50
"""Waiting calls that the page shows."""

_TO = "add a webhook"
Text = Annotated[str, Form()]


@router.get("/system/webhooks", response_class=HTMLResponse)
def show(here: Here, deps: DepsHere) -> HTMLResponse:
    """The list and the queue."""
    return _page(here, deps)


@router.post("/system/webhooks", response_class=HTMLResponse)
def add(here: Here, deps: DepsHere, url: Text = "", whose: Text = "") -> HTMLResponse:
    """Add one; its secret is shown this once."""
    everybody = whose == "everybody"
    if everybody:
        here.viewer.require(Role.ADMIN, f"{_TO} of the installation")
    here.viewer.require_fresh(_TO)
    try:
        with here.database.write() as session:
            _, secret = webhooks.add(
                session,
                deps.webhook_sealer,
                url=url.strip(),
                at=deps.clock(),
                by=here.viewer.actor,
                internal=deps.webhooks_internal,
                person_id="" if everybody else here.viewer.id,
            )
    except AssentError as error:
        return _page(here, deps, problem=error)
    return _page(here, deps, secret=secret)


@router.post("/system/webhooks/retry")
def retry(here: Here, deps: DepsHere) -> Response:
    """Try what failed again at once."""
    here.viewer.require(Role.OPERATOR, "retry what a webhook did not take")
    with here.database.write() as session:
        outbox.hurry(session, WEBHOOK, at=deps.clock())
    return RedirectResponse("/system/webhooks", status_code=303)


@router.post("/system/webhooks/{webhook_id}/remove")
def remove(here: Here, deps: DepsHere, webhook_id: str) -> Response:
    """Call it no more; an administrator may say so of any."""
    own = None if here.viewer.may(Role.ADMIN) else here.viewer.id
    with here.database.write() as session:
        webhooks.remove(session, webhook_id, at=deps.clock(), by=here.viewer.actor, person_id=own)
    return RedirectResponse("/system/webhooks", status_code=303)


def _page(here: Place, deps: Deps, *, secret: str = "", problem: AssentError | None = None) -> HTMLResponse:
    admin = here.viewer.may(Role.ADMIN)
    with here.database.read() as session:
        shared = webhooks.of_owner(session)
        return here.show(
            session,
            "webhooks.html",
            "system",
            status=problem.status if problem else 200,
            problem=problem,
            own=webhooks.of_owner(session, here.viewer.id),
            shared=shared,
            hosts={each.id: each.host for each in webhooks.every(session)},
            backlog=outbox.backlog(session, WEBHOOK),
            calls=outbox.queue(session, WEBHOOK, request=PageRequest(SHOWN)).items,
            on=WEBHOOK in deps.channels,
            secret=secret,
            admin=admin,
            may_retry=here.viewer.may(Role.OPERATOR),
        )
