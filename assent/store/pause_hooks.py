"""Hooks by which monitoring systems pause. Every change and every use is a ledger event; secrets are kept sealed."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.errors import Conflict, NotFound
from assent.domain.pause_hooks import PauseHookTerms
from assent.domain.people import Actor, Via
from assent.domain.signed_calls import SECRET_BYTES, written_secret
from assent.store import ledger
from assent.store.sealing import Sealer
from assent.store.tables import PauseHookCallRow, PauseHookRow, PauseRow

MOST = 100
"""Hooks in force at most."""

REMEMBERED = timedelta(days=7)
"""How long a message's id is kept; it counts once even if it is sent again for days."""


@dataclass(frozen=True, slots=True)
class PauseHook:
    """A hook.

    Attributes:
        id: Its id.
        terms: What it may do.
        sealed_secret: What its calls are signed with, encrypted.
        created_at: Since when.
        created_by: Who made it.
        called_at: When it was called last.
        calls: How many messages it took.
        pause_id: The pause that it made last; empty if it never did.
    """

    id: str
    terms: PauseHookTerms
    sealed_secret: str
    created_at: datetime
    created_by: Actor
    called_at: datetime | None
    calls: int
    pause_id: str

    @property
    def actor(self) -> Actor:
        """The hook, pausing."""
        return Actor(id=f"hook:{self.terms.name}", name=f"Monitoring by {self.terms.name}", via=Via.API)


def add(session: Session, sealer: Sealer, terms: PauseHookTerms, *, at: datetime, by: Actor) -> tuple[PauseHook, str]:
    """Keep a hook; gives it and its secret, which is shown this once.

    Raises:
        Conflict: There is one of this name, or there are too many.
    """
    in_force = of_installation(session)
    if any(each.terms.name == terms.name for each in in_force):
        raise Conflict(
            f"There is a hook {terms.name} already.",
            where="name",
            todo="Take another name, or revoke that one first: what a hook does is fixed when it is made.",
        )
    if len(in_force) >= MOST:
        raise Conflict("There are as many hooks as there may be.", where="name", todo="Revoke one that nobody needs.")
    id = f"phook-{uuid.uuid4().hex[:12]}"
    secret = written_secret(secrets.token_bytes(SECRET_BYTES))
    row = PauseHookRow(
        id=id,
        name=terms.name,
        terms=terms.model_dump(mode="json"),
        sealed_secret=sealer.seal(secret, owner=id),
        created_at=at,
        created_by=by.model_dump(mode="json"),
    )
    session.add(row)
    session.flush()
    _tell(session, "pause_hook.added", row, at=at, by=by, body={"cause": terms.cause, "only_when": _when(terms)})
    return _hook(row), secret


def revoke(session: Session, name: str, *, at: datetime, by: Actor) -> PauseHook:
    """Take no more calls of a hook; what it paused stays paused.

    Raises:
        NotFound: There is none of this name.
    """
    row = _row(session, name)
    row.revoked_at, row.revoked_by = at, by.model_dump(mode="json")
    session.flush()
    _tell(session, "pause_hook.revoked", row, at=at, by=by)
    return _hook(row)


def of_installation(session: Session) -> Sequence[PauseHook]:
    """The hooks in force, by name."""
    statement = select(PauseHookRow).where(col(PauseHookRow.revoked_at).is_(None))
    return [_hook(row) for row in session.execute(statement.order_by(col(PauseHookRow.name)).limit(MOST)).scalars()]


def named(session: Session, name: str) -> PauseHook:
    """The hook of a name.

    Raises:
        NotFound: There is none.
    """
    return _hook(_row(session, name))


def take(session: Session, name: str, message_id: str, *, at: datetime) -> tuple[PauseHook, str | None]:
    """The hook of a name, with no other call to it under way, and the pause that this message led to before.

    Call it in the transaction that pauses.

    Returns:
        The hook, and ``None`` for a message that is new; empty if it led to no pause.

    Raises:
        NotFound: There is no such hook any more.
    """
    row = _row(session, name, alone=True)
    session.execute(delete(PauseHookCallRow).where(col(PauseHookCallRow.at) <= at - REMEMBERED))
    before = session.get(PauseHookCallRow, (row.id, message_id))
    return _hook(row), None if before is None else before.pause_id


def holds(session: Session, hook: PauseHook) -> bool:
    """Whether the pause that a hook made last is in force."""
    row = session.get(PauseRow, hook.pause_id) if hook.pause_id else None
    return row is not None and row.active


def note_use(session: Session, hook: PauseHook, message_id: str, *, at: datetime, pause_id: str, what: str) -> None:
    """Remember a message that :func:`take` found to be new, and write the use into the ledger.

    Args:
        session: The transaction that took it.
        hook: Which hook.
        message_id: The message.
        at: When.
        pause_id: The pause that holds because of it; empty if it asks for none.
        what: ``paused``, ``held already`` or ``not asked to pause``.
    """
    session.execute(insert(PauseHookCallRow).values(hook_id=hook.id, message_id=message_id, at=at, pause_id=pause_id))
    row = _row(session, hook.terms.name)
    row.called_at, row.calls = at, row.calls + 1
    row.pause_id = pause_id or row.pause_id
    session.flush()
    body: dict[str, Json] = {"message": message_id, "what": what, "pause": pause_id}
    _tell(session, "pause_hook.called", row, at=at, by=hook.actor, body=body)


def _row(session: Session, name: str, *, alone: bool = False) -> PauseHookRow:
    statement = select(PauseHookRow).where(col(PauseHookRow.name) == name, col(PauseHookRow.revoked_at).is_(None))
    row = session.execute(statement.with_for_update() if alone else statement).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no hook {name!r}.", where="hook", todo="`assent pause hook list` shows all of them.")
    return row


def _tell(
    session: Session, kind: str, row: PauseHookRow, *, at: datetime, by: Actor, body: dict[str, Json] | None = None
) -> None:
    terms = PauseHookTerms.model_validate(row.terms)
    said: dict[str, Json] = {"hook": row.id, "name": row.name, "scope": terms.scope.sentence, **(body or {})}
    ledger.append(session, at=at, kind=kind, actor=by, body=said)


def _when(terms: PauseHookTerms) -> str:
    return terms.only_when.written if terms.only_when else ""


def _hook(row: PauseHookRow) -> PauseHook:
    return PauseHook(
        id=row.id,
        terms=PauseHookTerms.model_validate(row.terms),
        sealed_secret=row.sealed_secret,
        created_at=row.created_at,
        created_by=Actor.model_validate(row.created_by),
        called_at=row.called_at,
        calls=row.calls,
        pause_id=row.pause_id,
    )
