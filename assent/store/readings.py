"""What a run was given, and what it looked at before it proposed something."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.canonical import Json
from assent.store.tables import ActionRow, RunRow

LOOKED_BACK = 200
"""Newest actions of a run among which readings are looked for, so that a long run costs no more than a short one."""


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """A reading action that was done."""

    key: str
    type: str
    sentence: str
    arguments: dict[str, Json]
    at: datetime


def of_run(
    session: Session, run_id: str, *, types: Collection[str], limit: int
) -> tuple[tuple[ReadingRow, ...], int, bool]:
    """The newest readings of a run.

    Args:
        session: A session.
        run_id: The run.
        types: Names of the action types that only read.
        limit: Readings wanted.

    Returns:
        The newest ones, oldest of them first; how many were found; whether there may be more than were counted.
    """
    newest = (
        select(col(ActionRow.action_id), col(ActionRow.type), col(ActionRow.status))
        .where(col(ActionRow.run_id) == run_id)
        .order_by(col(ActionRow.proposed_at).desc(), col(ActionRow.action_id).desc())
        .limit(LOOKED_BACK)
    )
    seen = session.execute(newest).all()
    ids = [row.action_id for row in seen if row.type in types and row.status == ActionStatus.DONE.value]
    if not ids:
        return (), 0, len(seen) == LOOKED_BACK
    wanted = select(
        col(ActionRow.action_id),
        col(ActionRow.key),
        col(ActionRow.type),
        col(ActionRow.sentence),
        col(ActionRow.arguments),
        col(ActionRow.proposed_at),
    ).where(col(ActionRow.action_id).in_(ids[:limit]))
    rows = {
        row.action_id: ReadingRow(row.key, row.type, row.sentence, row.arguments, row.proposed_at)
        for row in session.execute(wanted)
    }
    return tuple(rows[each] for each in reversed(ids[:limit])), len(ids), len(seen) == LOOKED_BACK


def received(session: Session, run_id: str) -> Json:
    """What a run was given to start with; ``None`` if nothing, or if the run is not written yet."""
    return session.execute(select(col(RunRow.received)).where(col(RunRow.run_id) == run_id)).scalar_one_or_none()
