"""Hooks by which monitoring systems pause: made by people, called with a signature instead of a key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field
from starlette.requests import ClientDisconnect

from assent.domain.errors import Forbidden, InvalidInput, TooLarge
from assent.domain.pause_hooks import MAX_BODY, MAX_CAUSE, HookName, terms_of
from assent.domain.pauses import Disposition
from assent.domain.people import Actor, Role
from assent.domain.signed_calls import SignedCall
from assent.store import pause_hooks
from assent.store.pause_hooks import PauseHook
from assent_ui.api import schemas
from assent_ui.api.answers import problems
from assent_ui.api.callers import api_person
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["pauses"])

Name = Annotated[str, Path(max_length=60)]


class PauseHookIn(schemas.In):
    """A hook to make; what it stops and why is fixed from then on."""

    name: HookName = Field(description="What it is called in its address: small letters, digits and hyphens.")
    scope: schemas.ScopeIn
    cause: str = Field(
        min_length=1,
        max_length=MAX_CAUSE,
        description="Why it pauses; `{path.of.a.field}` stands for what a call's body says there.",
        examples=["{commonLabels.alertname}: {commonAnnotations.summary}"],
    )
    disposition: Disposition = Disposition.FREEZE
    only_when: str = Field(
        default="",
        max_length=500,
        description="Only calls whose body says so pause: `status=firing`. Others are taken and do nothing.",
    )


class PauseHookOut(schemas.Out):
    """A hook by which a monitoring system pauses."""

    name: str
    url: str = Field(description="Where it is called.")
    scope: schemas.ScopeOut
    cause: str
    disposition: Disposition
    only_when: str
    created_at: datetime
    created_by: Actor
    called_at: datetime | None = Field(description="When it was called last.")
    calls: int = Field(description="How many messages it took.")
    pause_id: str | None = Field(description="The pause that it made last.")


class NewPauseHookOut(PauseHookOut):
    """A hook that was just made."""

    secret: str = Field(description="What calls are signed with; shown this once.")


class HookUseOut(schemas.Out):
    """What came of a call to a hook."""

    hook: str
    what: str = Field(description="`paused`, `held already`, `held again`, `not asked to pause` or `seen before`.")
    pause_id: str | None


def may_make_hooks(viewer: Viewer) -> bool:
    """Whether a person may make and revoke hooks: an owner or an admin."""
    return viewer.may(Role.OWNER)


async def hook_maker(viewer: Annotated[Viewer, Depends(api_person)]) -> Viewer:
    """The signed-in person, who may make and revoke hooks.

    Raises:
        Forbidden: They may not.
    """
    require_maker(viewer)
    return viewer


def require_maker(viewer: Viewer) -> None:
    """Refuse who may not make hooks.

    Raises:
        Forbidden: They are neither owner nor admin.
    """
    if not may_make_hooks(viewer):
        raise Forbidden(
            "You may not make or revoke hooks that pause.", where="role", todo="It needs the role owner or admin."
        )


Maker = Annotated[Viewer, Depends(hook_maker)]


@router.get("/hooks/pause", responses=problems(), dependencies=[Depends(api_person)])
async def list_pause_hooks(deps: DepsHere) -> schemas.Page[PauseHookOut]:
    """Hooks by which monitoring systems pause, by name; all of them, at most 100."""
    found = await deps.read(pause_hooks.of_installation)
    return schemas.Page(items=[PauseHookOut(**hook_content(hook, deps.public_url)) for hook in found])


@router.post("/hooks/pause", status_code=201, responses=problems(404, 409))
async def add_pause_hook(body: PauseHookIn, viewer: Maker, deps: DepsHere, response: Response) -> NewPauseHookOut:
    """Make a hook. Needs the role owner or admin, and a proof of the last minutes of who you are."""
    viewer.require_fresh("make a hook that pauses")
    terms = terms_of(
        name=body.name,
        kind=body.scope.kind,
        scope_name=body.scope.name,
        cause=body.cause,
        disposition=body.disposition,
        when=body.only_when,
    )
    hook, secret = await deps.gateway.add_pause_hook(terms, deps.webhook_sealer, by=viewer.actor)
    response.headers["Location"] = f"/api/v1/hooks/pause/{hook.terms.name}"
    return NewPauseHookOut(**hook_content(hook, deps.public_url), secret=secret)


@router.post("/hooks/pause/{name}/revocation", responses=problems(404))
async def revoke_pause_hook(name: Name, viewer: Maker, deps: DepsHere) -> PauseHookOut:
    """Take no more calls of a hook; what it paused stays paused. Needs the role owner or admin."""
    return PauseHookOut(**hook_content(await deps.gateway.revoke_pause_hook(name, by=viewer.actor), deps.public_url))


@router.post("/hooks/pause/{name}", responses=problems())
async def pause_by_hook(name: Name, request: Request, deps: DepsHere) -> HookUseOut:
    """Pause, as a monitoring system: signed as Standard Webhooks has it, with the hook's secret instead of a key.

    When this answers `paused`, no effect in the hook's scope begins any more. The same message sent again pauses
    once; another one pauses once while the hook's last pause holds. Nothing sent here resumes.
    """
    call = SignedCall(
        id=request.headers.get("webhook-id", ""),
        timestamp=request.headers.get("webhook-timestamp", ""),
        signatures=request.headers.get("webhook-signature", ""),
        body=await _body(request),
    )
    use = await deps.gateway.pause_by_hook(name, call, deps.webhook_sealer)
    return HookUseOut(hook=use.hook, what=use.what, pause_id=use.pause_id or None)


def hook_content(hook: PauseHook, public_url: str) -> dict[str, Any]:
    """A hook as the API shows it."""
    terms = hook.terms
    return {
        "name": terms.name,
        "url": f"{public_url}/api/v1/hooks/pause/{terms.name}",
        "scope": {"kind": terms.scope.kind, "name": terms.scope.name},
        "cause": terms.cause,
        "disposition": terms.disposition,
        "only_when": terms.only_when.written if terms.only_when else "",
        "created_at": hook.created_at,
        "created_by": hook.created_by,
        "called_at": hook.called_at,
        "calls": hook.calls,
        "pause_id": hook.pause_id or None,
    }


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                raise TooLarge(f"A call to a hook has at most {MAX_BODY:,} bytes.", where="body")
    except ClientDisconnect as error:
        raise InvalidInput("The call broke off.", where="body", todo="Send it again; nothing was paused.") from error
    return body
