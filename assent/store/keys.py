"""Keys that agents sign in with: hashed, scoped, expiring, revocable."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Forbidden, InvalidInput, NotFound, NotSignedIn
from assent.domain.people import Actor, Via
from assent.store import ledger
from assent.store.tables import AgentKeyRow, AgentRow
from assent.store.tokens import new_token, token_hash

KEY_PREFIX = "assent_"
"""How every key begins, so that scanners of leaked secrets can find one."""

KEY_LIFETIME = timedelta(days=90)
"""How long a key works, unless its maker says otherwise."""

_NAME_LENGTH = 100


class KeyScope(StrEnum):
    """What a key allows, always within its own agent's runs."""

    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """An agent that showed a valid key.

    Attributes:
        agent: Its name.
        key_id: The key's id.
        scopes: What the key allows.
    """

    agent: str
    key_id: str
    scopes: frozenset[KeyScope]

    @property
    def actor(self) -> Actor:
        """The agent, acting through the API."""
        return Actor(id=self.agent, name=self.agent, via=Via.API)

    def require(self, scope: KeyScope) -> None:
        """Refuse unless the key allows it.

        Raises:
            Forbidden: It does not.
        """
        if scope not in self.scopes:
            raise Forbidden(
                f"This key may not do that: it lacks the scope {scope.value}.",
                where="Authorization",
                todo=f"Make one that has it: `assent agent key {self.agent} --scope {scope.value}`.",
            )


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; ``key`` is shown once and kept nowhere.

    Attributes:
        id: Its id.
        key: The key itself.
        agent: Whose it is.
        scopes: What it allows.
        expires_at: When it ends by itself.
    """

    id: str
    key: str
    agent: str
    scopes: tuple[KeyScope, ...]
    expires_at: datetime | None


def make_key(
    session: Session,
    *,
    agent: str,
    at: datetime,
    by: Actor,
    name: str = "",
    scopes: Collection[KeyScope] = tuple(KeyScope),
    lifetime: timedelta | None = KEY_LIFETIME,
) -> NewKey:
    """Make a key for an agent.

    Args:
        session: The transaction.
        agent: Name of an agent with a published card.
        at: When.
        by: Who makes it.
        name: What it is for.
        scopes: What it allows.
        lifetime: How long it works; ``None`` is until it is revoked.

    Raises:
        NotFound: There is no such agent.
        InvalidInput: No scope, no time, or too long a name.
    """
    if session.get(AgentRow, agent) is None:
        raise NotFound(
            f"There is no agent {agent!r}.", where="agent", todo="Publish its card first: `assent agent publish FILE`."
        )
    if not scopes:
        raise InvalidInput("A key needs a scope.", where="scopes", todo="runs:read, runs:write or both.")
    if len(name) > _NAME_LENGTH:
        raise InvalidInput(f"A key's name has at most {_NAME_LENGTH} characters.", where="name")
    if lifetime is not None and lifetime <= timedelta(0):
        raise InvalidInput("A key lives longer than no time at all.", where="lifetime")
    key = NewKey(
        id=f"key-{uuid.uuid4().hex[:12]}",
        key=new_token(KEY_PREFIX),
        agent=agent,
        scopes=tuple(scope for scope in KeyScope if scope in scopes),
        expires_at=None if lifetime is None else at + lifetime,
    )
    words = [scope.value for scope in key.scopes]
    session.execute(
        insert(AgentKeyRow).values(
            id=key.id,
            key_hash=token_hash(key.key),
            agent=agent,
            name=name,
            scopes=words,
            created_at=at,
            expires_at=key.expires_at,
        )
    )
    until = key.expires_at.isoformat() if key.expires_at else None
    body = {"key": key.id, "name": name, "scopes": words, "expires_at": until}
    ledger.append(session, at=at, kind="key.made", actor=by, agent=agent, body=body)
    return key


def revoke_key(session: Session, key_id: str, *, at: datetime, by: Actor) -> str:
    """End a key now; returns its agent's name. Ending it again changes nothing.

    Raises:
        NotFound: There is no such key.
    """
    row = session.get(AgentKeyRow, key_id)
    if row is None:
        raise NotFound(
            f"There is no key {key_id!r}.", where="key", todo="`assent agent show NAME` lists an agent's keys."
        )
    if row.revoked_at is None:
        row.revoked_at = at
        ledger.append(session, at=at, kind="key.revoked", actor=by, agent=row.agent, body={"key": key_id})
    return row.agent


def check_key(session: Session, key: str, *, at: datetime) -> KeyHolder:
    """The agent behind a key.

    Raises:
        NotSignedIn: The key is unknown, revoked or too old; ``where`` names it if it is known.
    """
    hashed = token_hash(key)
    row = None
    if key.startswith(KEY_PREFIX):
        row = session.execute(select(AgentKeyRow).where(col(AgentKeyRow.key_hash) == hashed)).scalar_one_or_none()
    if row is None or not hmac.compare_digest(row.key_hash, hashed):
        raise _refused("This key is not known here.", "Authorization")
    if row.revoked_at is not None:
        raise _refused("This key was revoked.", row.id)
    if row.expires_at is not None and row.expires_at <= at:
        raise _refused("This key is too old.", row.id)
    return KeyHolder(row.agent, row.id, frozenset(KeyScope(scope) for scope in row.scopes))


def _refused(what: str, where: str) -> NotSignedIn:
    return NotSignedIn(what, where=where, todo="Make a new one: `assent agent key NAME`.")
