"""Labels of runs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.store.tables import RunLabelRow


def labels_of(session: Session, run_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The labels of some runs, in the order of the alphabet; runs without any are left out."""
    if not run_ids:
        return {}
    found = select(RunLabelRow).where(col(RunLabelRow.run_id).in_(run_ids))
    labels: dict[str, list[str]] = {}
    for row in session.execute(found).scalars():
        labels.setdefault(row.run_id, []).append(row.label)
    return {run_id: tuple(sorted(each)) for run_id, each in labels.items()}
