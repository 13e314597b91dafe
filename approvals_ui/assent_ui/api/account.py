"""One's own account: sessions, password, passkeys, and a fresh proof."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from assent.domain.assurance import FRESH_FOR
from assent.store import groups, passkeys, passwords, sessions
from assent_ui.api import identity_schemas as schemas
from assent_ui.api import schemas as common
from assent_ui.api.answers import problems
from assent_ui.api.callers import api_person
from assent_ui.auth import Viewer, keep_session
from assent_ui.deps import DepsHere
from assent_ui.identity import proving
from assent_ui.identity.own import may_change_proofs, own_person, store_password

router = APIRouter(prefix="/me", tags=["account"])

Me = Annotated[Viewer, Depends(api_person)]


@router.get("/account", responses=problems())
async def show_account(viewer: Me, deps: DepsHere) -> schemas.AccountOut:
    """How you sign in. Passkeys are made in the web page alone."""

    def look(session: Session) -> schemas.AccountOut:
        return schemas.AccountOut(
            password_set_at=passwords.set_at(session, viewer.id),
            passkeys=[schemas.PasskeyOut.model_validate(key) for key in passkeys.of_person(session, viewer.id)],
            groups=sorted(groups.groups_of(session, viewer.id)),
            fresh_until=viewer.proven_at + FRESH_FOR if viewer.proven_at else None,
        )

    return await deps.read(look)


@router.get("/sessions", responses=problems())
async def list_sessions(viewer: Me, deps: DepsHere) -> common.Page[schemas.SessionOut]:
    """Where you are signed in, the newest first."""
    found = await deps.read(lambda session: sessions.of_person(session, viewer.id, at=deps.clock()))
    shown = [schemas.SessionOut.model_validate(each) for each in found]
    items = [each.model_copy(update={"current": each.id == viewer.session_id}) for each in shown]
    return common.Page(items=items)


@router.delete("/sessions", status_code=204, responses=problems())
async def end_other_sessions(viewer: Me, deps: DepsHere) -> None:
    """End every session of yours but this one."""
    at = deps.clock()
    await deps.write(
        lambda session: sessions.end_all(session, viewer.id, at=at, by=viewer.actor, but=viewer.session_id)
    )


@router.delete("/sessions/{session_id}", status_code=204, responses=problems(404))
async def end_session(session_id: str, viewer: Me, deps: DepsHere) -> None:
    """End one session of yours, at once."""
    at = deps.clock()
    await deps.write(lambda session: sessions.end(session, viewer.id, session_id, at=at, by=viewer.actor))


@router.post("/confirm", status_code=204, responses=problems(429))
async def confirm(body: schemas.PasswordIn, request: Request, viewer: Me, deps: DepsHere, response: Response) -> None:
    """Prove by password that it is you; for five minutes the session may do what needs a fresh proof.

    The session goes on under a new cookie.
    """
    opened = await proving.password_confirm(request, deps, viewer, body.password)
    keep_session(response, deps, opened.token, seconds=int((opened.expires_at - deps.clock()).total_seconds()))


@router.put("/password", status_code=204, responses=problems())
async def set_password(body: schemas.PasswordIn, viewer: Me, deps: DepsHere) -> None:
    """Set or change your password; your other sessions end.

    Needs a fresh proof; just after signing in, who has nothing to give one sets their first password without.
    """
    person = await deps.read(lambda session: may_change_proofs(session, viewer, deps))
    await store_password(deps, viewer, person, body.password)


@router.delete("/password", status_code=204, responses=problems())
async def remove_password(viewer: Me, deps: DepsHere) -> None:
    """Do without a password. Needs a fresh proof."""
    at = deps.clock()

    def remove(session: Session) -> None:
        passwords.remove(session, may_change_proofs(session, viewer, deps), at=at, by=viewer.actor)

    await deps.write(remove)


@router.patch("/passkeys/{passkey_id}", status_code=204, responses=problems(404))
async def name_passkey(passkey_id: str, body: schemas.PasskeyName, viewer: Me, deps: DepsHere) -> None:
    """Call a passkey of yours something else."""
    at = deps.clock()

    def rename(session: Session) -> None:
        passkeys.rename(session, own_person(session, viewer), passkey_id, body.name, at=at, by=viewer.actor)

    await deps.write(rename)


@router.delete("/passkeys/{passkey_id}", status_code=204, responses=problems(404))
async def remove_passkey(passkey_id: str, viewer: Me, deps: DepsHere) -> None:
    """Take a passkey of yours away. Needs a fresh proof."""
    at = deps.clock()

    def remove(session: Session) -> None:
        person = may_change_proofs(session, viewer, deps)
        passkeys.remove(session, person, passkey_id, at=at, by=viewer.actor)

    await deps.write(remove)
