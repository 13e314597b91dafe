"""How each person chose to be reached. Every change is a ledger event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.people import Actor
from assent.domain.reaching import Reaching
from assent.store import ledger
from assent.store.people import Person
from assent.store.tables import PersonRow, ReachingRow, SlackUserRow

_UNCHOSEN = Reaching()


def of_person(session: Session, person_id: str) -> Reaching:
    """What somebody chose."""
    row = session.get(ReachingRow, person_id)
    return _UNCHOSEN if row is None else Reaching.model_validate(row.chosen)


def of_people(session: Session, person_ids: Iterable[str]) -> Mapping[str, Reaching]:
    """What each of some people chose."""
    wanted = list(person_ids)
    if not wanted:
        return {}
    rows = session.execute(select(ReachingRow).where(col(ReachingRow.person_id).in_(wanted))).scalars()
    chosen = {row.person_id: Reaching.model_validate(row.chosen) for row in rows}
    return {person_id: chosen.get(person_id, _UNCHOSEN) for person_id in wanted}


def choose(session: Session, person: Person, wanted: Reaching, *, at: datetime, by: Actor) -> Reaching:
    """Keep what somebody chose; it holds for everything that is sent from now on.

    Direct messages in Slack are on or off for all of their Slack users alike.
    """
    # The person first: two that choose at the same moment find no row of this one to wait for.
    session.execute(select(col(PersonRow.id)).where(col(PersonRow.id) == person.id).with_for_update())
    row = session.get(ReachingRow, person.id, with_for_update=True)
    before = _UNCHOSEN if row is None else Reaching.model_validate(row.chosen)
    if wanted == before:
        return before
    chosen = wanted.model_dump(mode="json")
    if row is None:
        session.add(ReachingRow(person_id=person.id, chosen=chosen, updated_at=at))
    else:
        row.chosen, row.updated_at = chosen, at
    if wanted.slack != before.slack:
        users = update(SlackUserRow).where(col(SlackUserRow.person_id) == person.id)
        session.execute(users.values(direct=wanted.slack).execution_options(synchronize_session="fetch"))
    session.flush()
    body = {"person": person.id, "email": person.email, "before": before.model_dump(mode="json"), "after": chosen}
    ledger.append(session, at=at, kind="person.reaching_chosen", actor=by, body=body)
    return wanted
