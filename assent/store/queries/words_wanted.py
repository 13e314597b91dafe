"""Standing grants that wait for one person's word: what their inbox says besides the requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assent.store import electorate, words_asked
from assent.store.queries import grants
from assent.store.queries.grants import GrantView

LOOKED_AT = 50
"""Pending grants that are looked at, the newest first; hardly ever is there more than one."""


def grants_for(session: Session, person_id: str, now: datetime) -> tuple[GrantView, ...]:
    """The pending grants that somebody's word would bring nearer, and who has not given it; newest first."""
    waiting = grants.newest_pending(session, now=now, most=LOOKED_AT)
    tokens = electorate.tokens_of(session, person_id, now) if waiting else frozenset()
    found = []
    for view, electorates in waiting:
        # Cheap first: whoever is nobody that a grant could mean is not weighed.
        named = {token for each in electorates for token in (*(need.token for need in each.needs), *each.also)}
        if named & tokens and words_asked.is_needed(session, view.id, electorates, person_id, now):
            found.append(view)
    return tuple(found)
