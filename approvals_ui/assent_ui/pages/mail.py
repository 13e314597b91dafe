"""The page behind the link of a mail: looking at it uses nothing up, its one button signs in and opens what it says."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import quote

import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import TooOften
from assent.domain.people import Via
from assent.store.mail_links import MailLink, Opens, RefusedLink
from assent_ui.auth import Viewer, address_of, browser_of, maybe_person, refuse_other_sites
from assent_ui.deps import Deps, DepsHere
from assent_ui.identity import tries
from assent_ui.pages.sign_in import entered

router = APIRouter()


@router.get("/mail/{token}", response_class=HTMLResponse)
async def ask(
    token: str, request: Request, deps: DepsHere, viewer: Annotated[Viewer | None, Depends(maybe_person)]
) -> Response:
    """Say what the link opens, and as whom. Programs that look into mails fetch this and do no harm."""
    try:
        link = await deps.read(lambda session: deps.mail_links.look(session, token, at=deps.clock()))
    except RefusedLink as error:
        if viewer is not None and viewer.id == error.person_id and error.opens is not None:
            # Whoever opens their own link again, still signed in, finds what it opened.
            return RedirectResponse(_page_of(error.opens), status_code=303)
        return await _refusal(request, deps, error)
    if viewer is not None and viewer.id == link.person.id:
        return RedirectResponse(_page_of(link.opens), status_code=303)
    return _page(deps, link=link, token=token, viewer=viewer)


@router.post("/mail/{token}")
async def enter(token: str, request: Request, deps: DepsHere) -> Response:
    """Use the link up: a session as its person, and on to what it opens."""
    refuse_other_sites(request, deps)
    browser, at = browser_of(request, deps), deps.clock()
    try:
        link, opened = await deps.write(
            lambda session: deps.mail_links.open(session, deps.sign_in, token, at=at, browser=browser)
        )
    except RefusedLink as error:
        return await _refusal(request, deps, error)
    return entered(deps, opened, RedirectResponse(_page_of(link.opens), status_code=303))


async def _refusal(request: Request, deps: Deps, error: RefusedLink) -> Response:
    """Say why; only what is refused is counted, for a mail scanner fetches many good links from one address."""
    try:
        await tries.count(request, deps, "mail link")
    except TooOften as too_often:
        return _page(deps, error=too_often)
    body = {"address": address_of(request), "person": error.person_id, **(error.opens.named if error.opens else {})}
    said = {name: value for name, value in body.items() if value}
    record = partial(deps.refusals.record, "session.refused", error.what, where=error.where, via=Via.WEB, body=said)
    await anyio.to_thread.run_sync(record)
    return _page(deps, error=error)


def _page(
    deps: Deps,
    *,
    link: MailLink | None = None,
    token: str = "",
    viewer: Viewer | None = None,
    error: RefusedLink | TooOften | None = None,
) -> HTMLResponse:
    opens = error.opens if isinstance(error, RefusedLink) else link.opens if link else None
    html = deps.templates.get_template("mail_link.html").render(
        viewer=None,
        place="",
        link=link,
        action=f"/mail/{quote(token, safe='')}",
        other=viewer.name if viewer is not None and link is not None else "",
        error=error,
        noun=opens.noun if opens else "",
        page=_page_of(opens) if opens else "",
    )
    headers = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    return HTMLResponse(html, status_code=error.status if error else 200, headers=headers)


def _page_of(opens: Opens) -> str:
    return opens.path or f"/approvals/{quote(opens.id, safe='')}"
