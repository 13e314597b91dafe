"""Editing what a request asks for: a form out of the action type's schema, then the difference, then sent."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.canonical import Json
from assent.domain.errors import AssentError, BrokenArguments, Conflict, InvalidInput, NotFound
from assent.domain.forms import Form, form_of, read_form
from assent.domain.hostile_text import restore_all
from assent.domain.revisions import argument_changes, with_kept_secrets
from assent.store.queries.revisions import Editable
from assent_ui.clicks import own_decision_id
from assent_ui.pages import checks
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.request_parts import refused_in_thread

router = APIRouter()

PATIENCE = 5.0
"""Seconds that the run has to take an edit up before the page comes back without knowing."""


@router.get("/approvals/{approval_id}/edit", response_class=HTMLResponse)
def show(here: Here, approval_id: str) -> HTMLResponse:
    """The form as the arguments are now."""
    return _page(here, approval_id)


@router.post("/approvals/{approval_id}/edit")
async def send(here: Here, approval_id: str, request: Request) -> Response:
    """Look at the difference (``step=look``), go back to the form, or send it (``step=send``)."""
    sent = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    # Forms show hidden characters as marks; here they become what they were again.
    values = restore_all({name: typed(value) for name, value in sent.items()})
    step = values.get("step", "look")
    if step == "back":
        return await here.in_thread(lambda: _page(here, approval_id, values))
    check = await here.in_thread(lambda: checks.shown_to(here, approval_id))
    try:
        start, form = await _form_of(here, approval_id)
        read = read_form(form, values)
        if read.faults:
            raise BrokenArguments(read.faults)
        if start.digest != values.get("digest"):
            raise Conflict("It was edited meanwhile.", where="digest")
        if step != "send":
            return await here.in_thread(lambda: _page(here, approval_id, values, arguments=read.arguments))
        if check is not None:
            reason, digest = values.get("reason", ""), values.get("digest", "")
            return await checks.change(here, check, read.arguments, digest=digest, reason=reason)
        edit = await here.gateway.revise(
            approval_id,
            read.arguments,
            digest=values.get("digest", ""),
            by=here.viewer.actor,
            reason=values.get("reason", ""),
            edit_id=own_decision_id(values.get("click"), here.viewer.id),
        )
        made = await here.gateway.edited(edit.id, wait_seconds=PATIENCE)
    except InvalidInput as error:
        problem = error
        return await here.in_thread(lambda: _page(here, approval_id, values, error=problem))
    except AssentError as error:
        if check is not None:
            problem_now = error
            return await here.in_thread(lambda: checks.page_of(here, check, error=problem_now))
        return await refused_in_thread(here, approval_id, error, typed={"reason": values.get("reason", "")})
    if made is not None and made.revision is None:
        refused = Conflict(made.why_not, where="arguments", todo="The request stays as it is.")
        return await here.in_thread(lambda: _page(here, approval_id, values, error=refused))
    return RedirectResponse(f"/approvals/{approval_id}?edited={edit.id}", status_code=303)


def _page(
    here: Place,
    approval_id: str,
    values: dict[str, str] | None = None,
    *,
    arguments: dict[str, Json] | None = None,
    error: AssentError | None = None,
) -> HTMLResponse:
    with here.database.read() as session:
        start = checks.start_of(session, approval_id, here.viewer.id)
        context = checks.about(here, session, approval_id) | _form(session, start, values or {})
        if arguments is not None and start.type is not None:
            secrets = start.type.secrets
            after = with_kept_secrets(arguments, start.raw, secrets)
            context["changes"] = argument_changes(start.raw, after, secrets)
        faults = dict(error.faults) if isinstance(error, BrokenArguments) else {}
        general = "" if error is None or faults else f"{error.what} {error.todo}".strip()
        context |= {"faults": faults, "general": general, "values": values or {}, "looking": arguments is not None}
        status = error.status if error else 200
        return here.show(session, "request_edit.html", "inbox", status=status, **context)


async def _form_of(here: Place, approval_id: str) -> tuple[Editable, Form]:
    """What an edit starts from, and the form for it.

    Raises:
        NotFound: There is neither a request nor a check of the viewer's of this id.
    """
    try:
        return await here.gateway.edit_form(approval_id)
    except NotFound:
        found = await here.gateway.check_form(approval_id, here.viewer.id)
        if found is None:
            raise
        return found


def _form(session: Session, start: Editable, values: dict[str, str]) -> dict[str, Any]:
    form: Form | None = None
    if start.type is not None:
        form = form_of(start.type.arguments, start.arguments, secrets=start.type.secrets)
    return {"form": form, "start": start, "changes": [], "digest": values.get("digest") or start.digest}
