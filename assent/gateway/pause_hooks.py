"""Hooks by which monitoring systems pause: made by people, called by programs, and never able to resume."""

from __future__ import annotations

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
from assent.domain.signed_calls import SignedCall
from assent.gateway.stop_scopes import require_scope
from assent.gateway.stopping import StopDoor
from assent.store import pause_hooks, pauses
from assent.store.pause_hooks import PauseHook
from assent.store.sealing import Sealer

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

        Raises:
            NotFound: There is nothing that its scope names.
            Conflict: There is a hook of this name, or there are too many.
            Unavailable: The database is away.
        """

        def make() -> tuple[PauseHook, str]:
            with self._database.write() as session:
                require_scope(session, terms.scope)
                return pause_hooks.add(session, sealer, terms, at=self._clock(), by=by)

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
                hook = pause_hooks.named(session, name)
            signed_calls.check(call, sealer.open(hook.sealed_secret, owner=hook.id), now=at)
            return hook

        try:
            hook = await self._in_thread(believe)
        except (NotFound, NotSignedIn) as error:
            said, where = error.what, f"hook {name}"[:200]
            await self._in_thread(lambda: self._refusals.record("pause_hook.refused", said, where=where))
            if isinstance(error, NotSignedIn):
                raise
            raise NotSignedIn(
                "There is no hook of this name that takes calls.",
                where="hook",
                todo="`assent pause hook list` shows those that do.",
            ) from error
        body = read_body(hook.terms, call.body)
        asks, cause = wanted(hook.terms, body), cause_of(hook.terms, body)

        def take() -> HookUse:
            with self._database.write() as session:
                return self._take_call(session, name, call.id, cause if asks else None, at)

        use = await self._in_thread(take)
        if use.what == PAUSED:
            known = PauseInput(
                pause_id=use.pause_id, scope=hook.terms.scope, cause=cause, by=hook.actor, requested_at=at
            )
            with suppress(AssentError):
                await self.announce_pause(known)
        return use

    def _take_call(self, session: Session, name: str, message_id: str, cause: str | None, at: datetime) -> HookUse:
        hook, before = pause_hooks.take(session, name, message_id, at=at)
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
            )
        pause_hooks.note_use(session, hook, message_id, at=at, pause_id=pause_id, what=what)
        return HookUse(hook=name, what=what, pause_id=pause_id)
