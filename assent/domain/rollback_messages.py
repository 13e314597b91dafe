"""Signals to the workflow ``Rollback``: what changed in its row; it looks there, and takes nothing else from them."""

from __future__ import annotations

from pydantic import BaseModel

from assent.domain.people import Actor


class RollbackChanged(BaseModel):
    """The row was decided on, withdrawn, held or let go on: look at once.

    Attributes:
        id: Unique id of the message.
        by: Who changed it.
    """

    id: str
    by: Actor
