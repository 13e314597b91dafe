"""Hooks by which monitoring systems pause: made by people, called by programs, and never able to resume."""

from __future__ import annotations

import secrets
import uuid
from contextlib import suppress
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy.orm import Session

from assent.domain import signed_calls
from assent.domain.errors import AssentError, NotFound, NotSignedIn
from assent.domain.pause_hooks import PauseHookTerms, cause_of, read_body, wanted
from assent.domain.pauses import PauseInput
from assent.domain.people import Actor
from assent.domain.signed_calls import SECRET_BYTES, SignedCall, written_secret
from assent.gateway import stop_rights
from assent.gateway.stop_scopes import require_scope
from assent.gateway.stopping import StopDoor
from assent.store import pause_hooks, pauses, stop_calls
from assent.store.pause_hooks import PauseHook
from assent.store.sealing import Sealer
from assent.store.stop_calls import StopEvent

PAUSED = "paused"
HELD_ALREADY = "held already"
HELD_AGAIN = "held again"
NOT_ASKED = "not asked to pause"
SEEN_BEFORE = "seen before"


class HookUse(BaseModel):
    """What came of a call to a hook.

    Attributes:
        hook: The hook's name.
        what: ``paused``, ``held already`` (its last pause is in force), ``held again`` (that pause was letting its runs
            go, and holds all of them again), ``not asked to pause`` (the call does not say what the hook waits for) or
            ``seen before`` (the same message again).
        pause_id: The pause that the message led to; empty if to none.
    """

    hook: str
    what: str
    pause_id: str = ""


class PauseHookDoor(StopDoor):
    """What monitoring systems come through."""

    async def add_pause_hook(self, terms: PauseHookTerms, sealer: Sealer, *, by: Actor) -> tuple[PauseHook, str]:
        """Make a hook; gives it and its secret, which is shown this once.

        Runs that its pauses compensate are rolled back in the name of whoever makes it.

        Raises:
            NotFound: There is nothing that its scope names.
            Forbidden: They may not have runs rolled back, and it would.
            Conflict: There is a hook of this name, or there are too many.
            Unavailable: The database is away.
        """

        def make() -> tuple[PauseHook, str]:
            with self._database.write() as session:
                at = self._clock()
                require_scope(session, terms.scope)
                stop_rights.require_disposition(session, by, terms.disposition, at)
                return pause_hooks.add(session, sealer, terms, at=at, by=by)

        return await self._in_thread(make)

    async def revoke_pause_hook(self, name: str, *, by: Actor) -> PauseHook:
        """Take no more calls of a hook; what it paused stays paused.

        Raises:
            NotFound: There is none of this name.
            Unavailable: The database is away.
        """

        def end() -> PauseHook:
            with self._database.write() as session:
                return pause_hooks.revoke(session, name, at=self._clock(), by=by)

        return await self._in_thread(end)

    async def pause_by_hook(self, name: str, call: SignedCall, sealer: Sealer) -> HookUse:
        """Take a call to a hook: pause what it stops, unless its last pause still holds.

        Raises:
            NotSignedIn: There is no such hook, or the call is not signed by its secret, just now. Who calls without
                the secret is not told which; the ledger is.
            InvalidInput: The hook looks at the body, and it is no JSON.
            Unavailable: The database is away; nothing was paused.
        """
        at = self._clock()

        def believe() -> PauseHook:
            with self._database.read() as session:
                hook, why_not = _known(session, name)
            # Without a hook, a secret that nobody has: who calls learns the same from both.
            secret = sealer.open(hook.sealed_secret, owner=hook.id) if hook else _nobodys_secret()
            try:
                signed_calls.check(call, secret, now=at)
            except NotSignedIn as error:
                why = error.what if hook else why_not
                self._refusals.record("pause_hook.refused", why, where=f"hook {name}"[:200])
                raise
            assert hook is not None
            return hook

        hook = await self._in_thread(believe)
        body = read_body(hook.terms, call.body)
        asks, cause = wanted(hook.terms, body), cause_of(hook.terms, body)

        def take() -> HookUse:
            with self._database.write() as session:
                return self._take_call(session, hook, call.id, cause if asks else None, at)

        use = await self._in_thread(take)
        if use.what == PAUSED:
            known = PauseInput(
                pause_id=use.pause_id, scope=hook.terms.scope, cause=cause, by=hook.actor, requested_at=at
            )
            with suppress(AssentError):
                await self.announce_pause(known)
        return use

    def _take_call(
        self, session: Session, believed: PauseHook, message_id: str, cause: str | None, at: datetime
    ) -> HookUse:
        name = believed.terms.name
        hook, before = pause_hooks.take(session, name, message_id, at=at)
        if hook.id != believed.id:
            raise NotFound(f"The hook {name} was revoked.", where="hook", todo="Sign with the new one's secret.")
        if before is not None:
            return HookUse(hook=name, what=SEEN_BEFORE, pause_id=before)
        pause_id, what = "", NOT_ASKED
        if cause is not None:
            held = pause_hooks.holds(session, hook)
            pause_id = hook.pause_id if held else f"pause-{uuid.uuid4().hex[:12]}"
            what = HELD_ALREADY if held else PAUSED
            if held and pauses.fall_back(session, pause_id, cause, at):
                what = HELD_AGAIN
        if what == PAUSED:
            pauses.begin(
                self._database,
                session,
                pause_id=pause_id,
                scope=hook.terms.scope,
                cause=cause or "",
                by=hook.actor,
                at=at,
                disposition=hook.terms.disposition,
                on_behalf_of=hook.created_by,
            )
            stop_calls.tell(session, [StopEvent.PAUSED], pause_id, hook.terms.scope, at=at)
        pause_hooks.note_use(session, hook, message_id, at=at, pause_id=pause_id, what=what)
        return HookUse(hook=name, what=what, pause_id=pause_id)


def _known(session: Session, name: str) -> tuple[PauseHook | None, str]:
    """The hook of a name, or why there is none."""
    try:
        return pause_hooks.named(session, name), ""
    except NotFound as error:
        return None, error.what


def _nobodys_secret() -> str:
    return written_secret(secrets.token_bytes(SECRET_BYTES))
