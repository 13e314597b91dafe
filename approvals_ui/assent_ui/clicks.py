"""Ids of decisions that a browser or a program sends."""

from __future__ import annotations

import uuid


def own_decision_id(decision_id: str | None, person: str) -> str | None:
    """The id of a click, made its person's own, so that nobody can use up another's.

    Args:
        decision_id: What was sent, so that sending it twice counts once; empty if nothing was.
        person: Id of the person who sent it.
    """
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{person}:{decision_id}").hex if decision_id else None
