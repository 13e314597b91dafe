"""The fence as a claim sees it: the pauses in force that may hold it, read once, matched against what it is.

Nothing is read beyond the pauses in force unless one of them lets runs go on step by step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.pauses import Disposition, PausePhase, Scope, ScopeKind, Subject
from assent.store import statements
from assent.store.database import Database
from assent.store.tables import AskedAboutRow, PauseHoldRow, PauseReleaseRow, PauseRow

FENCE = 0x4153_4645_4E43
"""Advisory lock on PostgreSQL: shared by claims, alone by pauses."""

_pauses, _releases = statements.table_of(PauseRow), statements.table_of(PauseReleaseRow)
_ALWAYS = [ScopeKind.RECORD.value, ScopeKind.VERSION.value]
"""Read whatever their name: records and the version that admitted an action may be known only later."""
_IN_FORCE = select(
    _pauses.c.id,
    _pauses.c.scope_kind,
    _pauses.c.scope_name,
    _pauses.c.disposition,
    _pauses.c.requested_at,
    _pauses.c.phase,
).where(
    _pauses.c.active,
    or_(_pauses.c.scope_name.in_(bindparam("names", expanding=True)), _pauses.c.scope_kind.in_(_ALWAYS)),
)
_RELEASED = select(_releases.c.pause_id).where(
    _releases.c.pause_id.in_(bindparam("pauses", expanding=True)),
    _releases.c.run_id == bindparam("run_id"),
    _releases.c.taken_back_at.is_(None),
)


@dataclass(frozen=True, slots=True)
class InForce:
    """A pause in force, as far as the fence needs it."""

    id: str
    scope: Scope
    disposition: Disposition
    since: datetime


@dataclass(frozen=True, slots=True)
class Fence:
    """The pauses in force that may hold an action of one run."""

    pauses: tuple[InForce, ...] = ()

    @property
    def records(self) -> tuple[str, ...]:
        """Names of the records that are paused."""
        return tuple(pause.scope.name for pause in self.pauses if pause.scope.kind is ScopeKind.RECORD)

    def holds(self, subject: Subject, *, cleared_at: datetime | None = None) -> list[str]:
        """The pauses that hold an action.

        Args:
            subject: What it is.
            cleared_at: When it was cleared, if it was: a pause that drains lets go what was cleared before it.
        """
        return [
            pause.id
            for pause in self.pauses
            if pause.scope.covers(subject)
            and not (pause.disposition is Disposition.DRAIN and cleared_at is not None and cleared_at < pause.since)
        ]


OPEN = Fence()
"""Nothing is paused."""


def under(database: Database, session: Session, subject: Subject) -> Fence:
    """The fence of an action, held until the transaction ends: call it first in the transaction that claims."""
    database.lock_shared(session, FENCE)
    return seen(session, subject)


def seen(session: Session, subject: Subject) -> Fence:
    """The fence of an action, as this session sees it."""
    rows = statements.run(session, _IN_FORCE, {"names": _names(subject)}).all()
    if not rows:
        return OPEN
    releasing = [row.id for row in rows if row.phase == PausePhase.RELEASING.value]
    released: set[str] = set()
    if releasing:
        found = statements.run(session, _RELEASED, {"pauses": releasing, "run_id": subject.run_id})
        released = {row.pause_id for row in found}
    return Fence(
        tuple(
            InForce(
                row.id,
                Scope(kind=ScopeKind(row.scope_kind), name=row.scope_name),
                Disposition(row.disposition),
                row.requested_at,
            )
            for row in rows
            if row.id not in released
        )
    )


def asked_about(session: Session, fence: Fence, approval_id: str) -> frozenset[str]:
    """Those of the paused records that a request is about."""
    if not fence.records:
        return frozenset()
    found = select(col(AskedAboutRow.resource)).where(
        col(AskedAboutRow.resource).in_(fence.records), col(AskedAboutRow.approval_id) == approval_id
    )
    return frozenset(session.execute(found).scalars())


def note_held(session: Session, pauses: Iterable[str], *, action_id: str, run_id: str, at: datetime) -> None:
    """Write down which pauses hold an action, in place of those that held it when it was last looked at."""
    before = {
        row.pause_id: row.since
        for row in session.execute(select(PauseHoldRow).where(col(PauseHoldRow.action_id) == action_id)).scalars()
    }
    session.execute(delete(PauseHoldRow).where(col(PauseHoldRow.action_id) == action_id))
    rows = [
        {"pause_id": pause_id, "action_id": action_id, "run_id": run_id, "since": before.get(pause_id, at)}
        for pause_id in dict.fromkeys(pauses)
    ]
    if rows:
        session.execute(insert(PauseHoldRow), rows)


def _names(subject: Subject) -> list[str]:
    """Names by which a scope can mean an action; the empty one is everything's."""
    names = ["", subject.agent, subject.run_id, *sorted(subject.labels)]
    return [*names, subject.type, subject.type.partition(".")[0]] if subject.type else names
