"""Keeping in the ledger what a person was refused, where it is a decision ahead of time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from assent.domain.canonical import Json
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NeedsProof
from assent.domain.people import Actor
from assent.store.refusals import Refusals


@contextlib.contextmanager
def refusals_kept(refusals: Refusals, kind: str, by: Actor, body: Mapping[str, Json]) -> Iterator[None]:
    """Write down why somebody was refused within the block, and let the refusal pass on.

    That they must prove first who they are is no refusal: they are about to do it.
    """
    try:
        yield
    except (Forbidden, Conflict, InvalidInput) as error:
        if not isinstance(error, NeedsProof):
            refusals.record(kind, error.what, where=error.where, via=by.via, actor=by, body=body)
        raise
