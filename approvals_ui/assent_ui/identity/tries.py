"""Tries to prove who one is: each is counted first, and those that fail are written down."""

from __future__ import annotations

from functools import partial

import anyio.to_thread
from fastapi import Request

from assent.domain.canonical import Json
from assent.domain.errors import AssentError, TooOften
from assent.domain.people import Via
from assent.store import attempts
from assent.store.people import Person
from assent_ui.auth import address_of
from assent_ui.deps import Deps


async def count(request: Request, deps: Deps, kind: str, name: str = "") -> None:
    """Count a proof that is tried from a network address: a password, a passkey, a one-time link.

    Args:
        request: The request that tries it.
        deps: What the web server works with.
        kind: What is tried.
        name: The account that it is tried for; empty if none is named.

    Raises:
        TooOften: It was tried too often.
    """
    limits = {attempts.address(kind, address_of(request)): attempts.PER_ADDRESS}
    if name:
        limits[attempts.account(kind, name)] = attempts.PER_ACCOUNT
    await _take(request, deps, limits)


async def count_begun(request: Request, deps: Deps) -> None:
    """Count something that was begun before anybody is known.

    Raises:
        TooOften: It was begun too often.
    """
    await _take(request, deps, {attempts.address("begun", address_of(request)): attempts.BEGUN_PER_ADDRESS})


async def refuse(deps: Deps, error: AssentError, request: Request, person: Person | None = None) -> None:
    """Write a refused proof down, unless this minute had its share of them."""
    body: dict[str, Json] = {"address": address_of(request)}
    if person is not None:
        # Only of known people: what was typed as an address may be a secret that went into the wrong field.
        body["person"] = person.id
    record = partial(deps.refusals.record, "session.refused", error.what, where=error.where, via=Via.WEB, body=body)
    await anyio.to_thread.run_sync(record)


async def _take(request: Request, deps: Deps, limits: dict[str, int]) -> None:
    try:
        await anyio.to_thread.run_sync(partial(attempts.take, deps.database, limits, at=deps.clock()))
    except TooOften as error:
        if error.first:
            await refuse(deps, error, request)
        raise
