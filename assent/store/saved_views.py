"""Saved views of the inbox: filters and an order under a name, a person's own, with a link that anybody may follow."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.store.statements import rows_changed
from assent.store.tables import PersonRow, SavedViewRow

MAX_VIEWS = 30
"""Views that a person may have."""

MAX_NAME = 60
"""Characters of a view's name."""

MAX_QUERY = 1_000
"""Characters of its filters."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A saved view.

    Attributes:
        id: What its link ends with.
        person_id: Whose it is.
        owner: Their name.
        name: What they call it.
        query: Filters and order, as in an address.
    """

    id: str
    person_id: str
    owner: str
    name: str
    query: str


def of_person(session: Session, person_id: str) -> Sequence[SavedView]:
    """A person's views by name."""
    rows = session.execute(_views().where(col(SavedViewRow.person_id) == person_id).limit(MAX_VIEWS))
    return sorted((SavedView(*row) for row in rows), key=lambda view: view.name.casefold())


def one(session: Session, view_id: str) -> SavedView:
    """A view by its link.

    Raises:
        NotFound: There is none.
    """
    row = session.execute(_views().where(col(SavedViewRow.id) == view_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such view.", where="view", todo="Whoever made it may have removed it.")
    return SavedView(*row)


def save(session: Session, *, person_id: str, name: str, query: str, at: datetime) -> str:
    """Keep a view; one of the same name is replaced, and keeps its link.

    Returns:
        Its id.

    Raises:
        InvalidInput: It has no name, or too long a one.
        Conflict: The person has :data:`MAX_VIEWS` already.
    """
    named = " ".join(name.split())
    if not 1 <= len(named) <= MAX_NAME:
        raise InvalidInput(f"A view's name has 1 to {MAX_NAME} characters.", where="name")
    if len(query) > MAX_QUERY:
        raise InvalidInput("These are too many filters to save.", where="query")
    same = select(SavedViewRow).where(col(SavedViewRow.person_id) == person_id, col(SavedViewRow.name) == named)
    known = session.execute(same.with_for_update()).scalar_one_or_none()
    if known is not None:
        known.query = query
        return known.id
    if len(of_person(session, person_id)) >= MAX_VIEWS:
        raise Conflict(f"You have {MAX_VIEWS} views already.", where="view", todo="Remove one first.")
    view_id = secrets.token_urlsafe(9)
    values = {"id": view_id, "person_id": person_id, "name": named, "query": query, "created_at": at}
    session.execute(insert(SavedViewRow), [values])
    return view_id


def remove(session: Session, view_id: str, *, person_id: str) -> bool:
    """Remove a person's own view; false if they have no such view."""
    mine = delete(SavedViewRow).where(col(SavedViewRow.id) == view_id, col(SavedViewRow.person_id) == person_id)
    return rows_changed(session.execute(mine)) > 0


def _views() -> Select[str, str, str, str, str]:
    return select(
        col(SavedViewRow.id),
        col(SavedViewRow.person_id),
        col(PersonRow.name),
        col(SavedViewRow.name),
        col(SavedViewRow.query),
    ).join(PersonRow, col(PersonRow.id) == col(SavedViewRow.person_id))
