"""What was agreed after incidents: actions with an owner, a day and a state."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy.orm import Session

from assent.domain.errors import Conflict, NotFound
from assent.domain.incidents import MAX_WORDS, FollowUpState, words_of
from assent.domain.people import Actor
from assent.store.incident_events import note
from assent.store.tables import IncidentActionRow, IncidentRow, PersonRow


def agree(session: Session, incident_id: str, text: str, *, owner_id: str, due: date, at: datetime, by: Actor) -> str:
    """Keep what shall be done; gives its id.

    Raises:
        NotFound: There is no such incident, or nobody with the owner's id.
        InvalidInput: There is no text.
        TooLarge: It is too long.
    """
    if session.get(IncidentRow, incident_id) is None:
        raise NotFound(f"There is no incident {incident_id!r}.", where="incident")
    owner = _owner(session, owner_id)
    row = IncidentActionRow(
        id=f"todo-{uuid.uuid4().hex[:12]}",
        incident_id=incident_id,
        text=words_of(text, "text", most=1_000),
        owner_id=owner_id,
        due=due,
        state=FollowUpState.OPEN.value,
        created_at=at,
        created_by=by.model_dump(mode="json"),
    )
    session.add(row)
    body = {"action": row.id, "text": row.text, "owner": owner, "due": due.isoformat()}
    note(session, incident_id, "action_agreed", body, at=at, by=by)
    return row.id


def settle(session: Session, action_id: str, state: FollowUpState, *, words: str = "", at: datetime, by: Actor) -> str:
    """Say that an action is done or dropped, or open again; gives its incident's id.

    Raises:
        NotFound: There is no such action.
        InvalidInput: It is dropped without a word why.
        Conflict: It is in that state already.
    """
    row = _row(session, action_id)
    words = words_of(words, "note", most=MAX_WORDS, needed=state is FollowUpState.DROPPED)
    if row.state == state.value:
        raise Conflict(f"It is {state.value} already.", where="state")
    row.state, row.note = state.value, words
    row.settled_at = None if state is FollowUpState.OPEN else at
    body = {"action": row.id, "text": row.text, "to": state.value, "note": words}
    note(session, row.incident_id, "action_moved", body, at=at, by=by)
    return row.incident_id


def hand_over(
    session: Session, action_id: str, *, owner_id: str | None, due: date | None, at: datetime, by: Actor
) -> str:
    """Give an action another owner or day; gives its incident's id.

    Raises:
        NotFound: There is no such action, or nobody with the owner's id.
    """
    row = _row(session, action_id)
    if owner_id is not None:
        _owner(session, owner_id)
        row.owner_id = owner_id
    row.due = due or row.due
    body = {"action": row.id, "owner": _owner(session, row.owner_id), "due": row.due.isoformat()}
    note(session, row.incident_id, "action_handed", body, at=at, by=by)
    return row.incident_id


def _row(session: Session, action_id: str) -> IncidentActionRow:
    row = session.get(IncidentActionRow, action_id, with_for_update=True)
    if row is None:
        raise NotFound(
            f"There is no action {action_id!r} of an incident.",
            where="action",
            todo="`assent incident actions` shows all.",
        )
    return row


def _owner(session: Session, owner_id: str) -> str:
    row = session.get(PersonRow, owner_id)
    if row is None:
        raise NotFound(
            f"There is nobody here with the id {owner_id!r}.", where="owner", todo="`assent people list` shows all."
        )
    return row.name
