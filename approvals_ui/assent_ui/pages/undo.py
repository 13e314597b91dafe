"""Undo: what will be undone, and what cannot? Shown first; confirming is bound to exactly what was shown."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, Forbidden, InvalidInput, NotFound, PreviewChanged
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.undo_steps import Undoable
from assent.gateway.undo_authority import rules_now
from assent.gateway.undo_rights import may_do
from assent.store.queries import rollback_steps, rollbacks, runs
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent.store.queries.rollbacks import RollbackView
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.undo_choose import choosing, read_scope, scope_query
from assent_ui.rendering import rollbacks as pictures
from assent_ui.rendering.environment import record_link
from assent_ui.rendering.undo_steps import lay_out

router = APIRouter()

SHOWN = 25
"""Effects on a page."""


class Looked(BaseModel):
    """What an address or a form says of the scope."""

    scope: str = ""
    id: str = ""
    version: str = ""
    ago: str = ""
    since: str = ""
    until: str = ""
    later: str = ""

    def read(self, here: Place) -> RollbackScope:
        """The scope."""
        return read_scope(self.scope, self.fields, here.clock(), with_later=bool(self.later))

    @property
    def fields(self) -> dict[str, str]:
        """What was typed."""
        return self.model_dump(include={"id", "version", "ago", "since", "until", "later"})


class Confirmed(Looked):
    """The form under a preview."""

    preview: str = ""
    digest: str = ""
    reason: str = ""


@router.get("/rollbacks/new", response_class=HTMLResponse)
def ask(here: Here, wanted: Annotated[Looked, Query()]) -> HTMLResponse:
    """The form with what a link names; a link alone has nothing looked at, because that asks other systems."""
    return choosing(here, wanted.scope, wanted.fields)


@router.post("/rollbacks/new", response_class=HTMLResponse)
async def look(here: Here, form: Annotated[Looked, Form()], named: Annotated[Looked, Query()]) -> Response:
    """Look at what a rollback would do, of what the form or its address names, and lead to the preview."""
    wanted = form if form.scope else named
    try:
        plan = await here.gateway.preview_rollback(wanted.read(here), by=here.viewer.actor)
    except (InvalidInput, NotFound) as error:
        return await here.in_thread(partial(choosing, here, wanted.scope, wanted.fields, error))
    return RedirectResponse(f"/rollbacks/{plan.rollback_id}", status_code=303)


@router.post("/rollbacks")
async def start(here: Here, form: Annotated[Confirmed, Form()]) -> Response:
    """Undo exactly what a preview showed; where the world changed since, lead to the new preview."""
    scope = form.read(here)
    try:
        if not (form.preview and form.digest):
            raise InvalidInput("Undoing begins with a preview.", where="preview", todo="Look at it, then confirm it.")
        begun = await here.gateway.rollback(
            scope,
            by=here.viewer.actor,
            reason=typed(form.reason).strip(),
            preview_id=form.preview,
            digest=form.digest,
        )
    except PreviewChanged as error:
        return await _shown_anew(here, scope, form, error)
    except Forbidden:
        raise
    except AssentError as error:
        return await here.in_thread(partial(_again, here, form, error))
    return RedirectResponse(f"/rollbacks/{begun.id}", status_code=303)


async def _shown_anew(here: Place, scope: RollbackScope, form: Confirmed, error: PreviewChanged) -> Response:
    """Lead to how the world is now, with what was seen before to compare it with."""
    new = error.preview_id
    if not new:
        new = (await here.gateway.preview_rollback(scope, by=here.viewer.actor)).rollback_id
    query = urlencode({"was": form.preview, "reason": form.reason})
    return RedirectResponse(f"/rollbacks/{new}?{query}", status_code=303)


def _again(here: Place, form: Confirmed, problem: AssentError) -> HTMLResponse:
    """The preview once more, with why it was not confirmed; an older one may be forgotten."""
    with here.database.read() as session:
        try:
            preview = rollbacks.header(session, form.preview)
        except NotFound:
            raise problem from None
        return preview_page(here, session, preview, problem=problem, reason=form.reason)


def preview_page(
    here: Place,
    session: Session,
    preview: RollbackView,
    *,
    verdict: str = "",
    cursor: str | None = None,
    was: str = "",
    reason: str = "",
    problem: AssentError | None = None,
) -> HTMLResponse:
    """A preview: totals as a picture, the effects page by page, and the button that is bound to its digest."""
    chosen = Undoable(verdict) if verdict in list(Undoable) else None
    page = rollback_steps.page(session, preview.id, verdict=chosen, request=PageRequest(SHOWN, cursor))
    scope, address = preview.scope, f"/rollbacks/{preview.id}"
    kept = {"verdict": chosen.value} if chosen else {}
    return here.show(
        session,
        "rollback_preview.html",
        "undo",
        status=problem.status if problem else 200,
        preview=preview,
        totals=preview.totals,
        picture=pictures.of_verdicts(preview.totals),
        steps=lay_out(page.items),
        chosen=chosen.value if chosen else "",
        here_address=f"{address}?{urlencode(kept)}",
        next_address=f"{address}?{urlencode({**kept, 'cursor': page.next_cursor})}",
        next_cursor=page.next_cursor,
        later=cursor is not None,
        goal=goal_of(session, scope),
        query=scope_query(scope),
        include_later=include_later(scope),
        conflicts_with_ours=_ours_stands_in_the_way(session, preview),
        changed=_changed(session, seen, preview.id) if (seen := was or preview.preview_id) else None,
        reason=reason or preview.reason,
        back=_back(scope),
        still_running=_still_running(session, scope),
        problem=problem,
        may=may_do(session, scope, here.viewer.actor, here.clock(), planned=preview.totals.by_agent),
        rules=rules_now(session, preview.totals, here.viewer.actor, here.clock()),
    )


def include_later(scope: RollbackScope) -> str:
    """The query of a preview of the same scope that undoes later work first; empty if it does already."""
    wanted = scope.model_copy(update={"with_later": True})
    return "" if scope.with_later else urlencode(scope_query(wanted))


def goal_of(session: Session, scope: RollbackScope) -> str:
    """The goal of the one run that a scope is about; empty if it is not about one."""
    try:
        return runs.one(session, scope.run_id).goal if scope.run_id else ""
    except NotFound:
        return ""


def _ours_stands_in_the_way(session: Session, preview: RollbackView) -> bool:
    if preview.scope.with_later or not preview.totals.by_verdict.get(Undoable.CONFLICT):
        return False
    first = rollback_steps.page(session, preview.id, verdict=Undoable.CONFLICT, request=PageRequest(SHOWN))
    return any(not work.in_plan for placed in first.items for work in placed.step.later)


def _changed(session: Session, was: str, now: str) -> list[str]:
    """What the first effects of two previews differ in, in words; none if the older one is forgotten."""
    both = (rollback_steps.page(session, id, request=PageRequest(MAX_LIMIT)).items for id in (was, now))
    before, after = ([placed.step for placed in steps] for steps in both)
    return pictures.what_changed(before, after) if before else []


def _still_running(session: Session, scope: RollbackScope) -> bool:
    if scope.kind is not RollbackScopeKind.RUN:
        return False
    try:
        return not runs.one(session, scope.id).status.ended
    except NotFound:
        return False


def _back(scope: RollbackScope) -> str:
    if scope.run_id:
        return f"/runs/{scope.run_id}"
    return record_link(scope.id) if scope.kind is RollbackScopeKind.RECORD else f"/undo?kind={scope.kind.value}"
