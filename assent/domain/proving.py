"""Proving undos: each is tried on scratch records by a worker, and what came of it is kept."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from assent.domain.people import Actor


class ProveUndos(BaseModel):
    """Input of the workflow ``ProveUndos``: try the undos of these action types, one after the other.

    Attributes:
        agent: In whose name; its card lists the types.
        types: Names of the action types.
        by: Who asked for it.
    """

    agent: str
    types: list[str]
    by: Actor


class ProveUndo(BaseModel):
    """Try the undo of one action type."""

    agent: str
    type: str
    by: Actor


class TriedUndo(BaseModel):
    """What came of trying one undo.

    Attributes:
        type: The action type.
        worked: It works; ``None`` if it could not be tried, which says nothing about it and is not kept.
        said: What was checked, what went wrong, or why it could not be tried.
        at: When.
    """

    type: str
    worked: bool | None
    said: str
    at: datetime


class TriedUndos(BaseModel):
    """What came of trying several, in the order asked for."""

    items: list[TriedUndo]
