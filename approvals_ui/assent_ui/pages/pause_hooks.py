"""Monitoring systems that may stop: the hooks by which they call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError
from assent.domain.pause_hooks import terms_of
from assent.domain.pauses import Scope, ScopeKind
from assent.store import pause_hooks
from assent_ui.api.pause_hooks import hook_content, may_make_hooks, require_maker
from assent_ui.deps import Deps, DepsHere
from assent_ui.pages.context import Here, Place
from assent_ui.pages.stop_choices import choice
from assent_ui.pages.stop_view import DISPOSITIONS

router = APIRouter()

Text = Annotated[str, Form()]


@router.get("/stop/hooks", response_class=HTMLResponse)
def show(here: Here, deps: DepsHere) -> HTMLResponse:
    """The hooks that take calls."""
    return _page(here, deps)


@router.post("/stop/hooks", response_class=HTMLResponse)
async def add(
    here: Here,
    deps: DepsHere,
    name: Text = "",
    scope: Text = "everything",
    scope_name: Text = "",
    cause: Text = "",
    only_when: Text = "",
    disposition: Text = "",
) -> Response:
    """Make one; its secret is shown this once."""
    require_maker(here.viewer)
    here.viewer.require_fresh("make a hook that pauses")
    try:
        terms = terms_of(
            name=name,
            kind=scope,
            scope_name=scope_name,
            cause=cause,
            disposition=disposition,
            when=only_when,
        )
        _, secret = await deps.gateway.add_pause_hook(terms, deps.webhook_sealer, by=here.viewer.actor)
    except AssentError as error:
        typed = {"name": name, "scope": scope, "scope_name": scope_name, "cause": cause, "only_when": only_when}
        return await here.in_thread(partial(_page, here, deps, problem=error, typed=typed))
    return await here.in_thread(partial(_page, here, deps, secret=secret, made=terms.name))


@router.post("/stop/hooks/{name}/revoke")
async def revoke(here: Here, deps: DepsHere, name: str) -> Response:
    """Take no more calls of one."""
    require_maker(here.viewer)
    await deps.gateway.revoke_pause_hook(name, by=here.viewer.actor)
    return RedirectResponse("/stop/hooks", status_code=303)


def _page(
    here: Place,
    deps: Deps,
    *,
    secret: str = "",
    made: str = "",
    problem: AssentError | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    with here.database.read() as session:
        found = pause_hooks.of_installation(session)
        return here.show(
            session,
            "pause_hooks.html",
            "stop",
            status=problem.status if problem else 200,
            problem=problem,
            hooks=[(hook, hook_content(hook, deps.public_url)) for hook in found],
            kinds=[choice(Scope(kind=kind)) for kind in ScopeKind],
            dispositions=[(each.value, *words) for each, words in DISPOSITIONS.items()],
            secret=secret,
            made=made,
            typed=typed or {},
            may_make=may_make_hooks(here.viewer),
        )
