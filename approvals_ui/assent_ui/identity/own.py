"""Changing how one signs in: when that is allowed, and a new password."""

from __future__ import annotations

from datetime import timedelta

import anyio.to_thread
from sqlalchemy.orm import Session

from assent.domain.assurance import Proof
from assent.domain.errors import NeedsProof
from assent.domain.people import Assurance
from assent.store import passkeys, passwords, people, sessions
from assent.store.people import Person
from assent_ui.auth import Viewer
from assent_ui.deps import Deps
from assent_ui.identity import proving

FIRST_PROOF_WITHIN = timedelta(minutes=15)
"""How long after signing in somebody may set their first password or passkey: with none, there is no fresh proof."""


async def store_password(deps: Deps, viewer: Viewer, person: Person, password: str) -> None:
    """Check a new password and keep it; the person's other sessions end.

    Raises:
        InvalidInput: It breaks a rule.
        NeedsProof: The proof ran out meanwhile.
    """
    passwords.check_rules(password, person)
    made = await anyio.to_thread.run_sync(passwords.hashed, password)
    at = deps.clock()

    def keep(session: Session) -> None:
        passwords.keep(session, may_change_proofs(session, viewer, deps), made, at=at, by=viewer.actor)
        sessions.end_all(session, viewer.id, at=at, by=viewer.actor, but=viewer.session_id)

    await deps.write(keep)


def may_change_proofs(session: Session, viewer: Viewer, deps: Deps) -> Person:
    """The viewer, if they may change how they prove who they are.

    That needs a fresh proof. Who has nothing to prove it with may set up the first one just after signing in.

    Raises:
        NeedsProof: They must prove it first, or sign in anew.
    """
    person = own_person(session, viewer)
    if viewer.assurance is Assurance.FRESH:
        return person
    if has_proof(session, deps, person.id):
        viewer.require_fresh("change how you sign in")
    if not may_set_up(viewer, deps):
        raise NeedsProof(
            "Your first password or passkey is set within 15 minutes of signing in.",
            where="assurance",
            todo="Sign out, and sign in with a new one-time link.",
            needed=Assurance.FRESH.value,
        )
    return person


def may_set_up(viewer: Viewer, deps: Deps) -> bool:
    """Whether somebody signed in just now, and by more than a link in a mail, which is made to open one request."""
    return viewer.how is not Proof.MAIL and deps.clock() - viewer.signed_in_at <= FIRST_PROOF_WITHIN


def has_proof(session: Session, deps: Deps, person_id: str) -> bool:
    """Whether somebody has anything to prove anew with who they are."""
    by_openid = deps.openid is not None and proving.signed_in_with(session, person_id, deps.openid.settings.issuer)
    by_passkey = deps.passkeys is not None and bool(passkeys.of_person(session, person_id))
    return by_openid or by_passkey or passwords.set_at(session, person_id) is not None


def own_person(session: Session, viewer: Viewer) -> Person:
    """The viewer, as the store knows them."""
    person = people.one(session, viewer.id)
    assert person is not None
    return person
