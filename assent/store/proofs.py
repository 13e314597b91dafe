"""Proofs that undos work: on scratch records, or for real in a rollback."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.effects import UndoStatus
from assent.domain.people import SYSTEM, Actor
from assent.store import ledger
from assent.store.tables import EffectRow, RollbackStepRow, UndoProofRow, UndoRow

TRIAL, ROLLBACK = "trial", "rollback"


@dataclass(frozen=True, slots=True)
class Proof:
    """One time that an undo was seen to work, or not to.

    Attributes:
        type: The action type.
        at: When.
        worked: Whether it did.
        how: On scratch records (``trial``) or for real (``rollback``).
        by: Who asked for it.
        ref: The rollback; empty for a trial.
        said: What was checked, or what went wrong.
    """

    type: str
    at: datetime
    worked: bool
    how: str
    by: Actor
    ref: str = ""
    said: str = ""


def note(session: Session, proof: Proof, *, agent: str = "") -> None:
    """Keep a proof; it is a ledger event, too."""
    _insert(session, proof)
    body = {"type": proof.type, "worked": proof.worked, "how": proof.how, "said": proof.said}
    kind = "undo.proven" if proof.worked else "undo.not_proven"
    ledger.append(session, at=proof.at, kind=kind, actor=proof.by, agent=agent, body=dict(body))


def of_rollback(session: Session, rollback_id: str) -> int:
    """Count what a rollback undid as proofs, one for each action type; gives how many.

    Real undos that succeeded prove that they work; nothing needs to be written into the ledger, which has each of them.
    """
    done = session.execute(
        select(col(EffectRow.type), func.max(col(UndoRow.finished_at)))
        .join(UndoRow, col(UndoRow.action_id) == col(EffectRow.action_id))
        .join(RollbackStepRow, col(RollbackStepRow.action_id) == col(UndoRow.action_id))
        .where(
            col(RollbackStepRow.rollback_id) == rollback_id,
            col(UndoRow.rollback_id) == rollback_id,
            col(UndoRow.status) == UndoStatus.UNDONE.value,
        )
        .group_by(col(EffectRow.type))
    ).all()
    for type, at in done:
        if at is not None:
            _insert(session, Proof(type, at, True, ROLLBACK, SYSTEM, ref=rollback_id))
    return len(done)


def newest(session: Session, types: Iterable[str], *, worked: bool) -> dict[str, Proof]:
    """The newest proof of each type that worked, or that did not."""
    found = {}
    for name in sorted(set(types)):
        row = session.execute(
            select(UndoProofRow)
            .where(col(UndoProofRow.type) == name, col(UndoProofRow.worked) == worked)
            .order_by(col(UndoProofRow.at).desc(), col(UndoProofRow.id).desc())
            .limit(1)
        ).scalar_one_or_none()
        if row is not None:
            found[name] = _proof(row)
    return found


def _insert(session: Session, proof: Proof) -> None:
    session.execute(
        insert(UndoProofRow).values(
            id=f"proof-{uuid.uuid4().hex[:16]}",
            type=proof.type,
            at=proof.at,
            worked=proof.worked,
            how=proof.how,
            by=proof.by.model_dump(mode="json"),
            ref=proof.ref,
            said=proof.said,
        )
    )


def _proof(row: UndoProofRow) -> Proof:
    return Proof(row.type, row.at, row.worked, row.how, Actor.model_validate(row.by), row.ref, row.said)
