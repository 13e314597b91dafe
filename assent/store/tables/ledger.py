"""The ledger: events, and the chain that seals them. Triggers refuse every change to both."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime

_BigId = BigInteger().with_variant(Integer(), "sqlite")


class LedgerEventRow(SQLModel, table=True):
    """Something that happened, written in the transaction that made it true.

    ``actor`` and ``body`` are JSON texts, so that their hash never depends on a database's JSON type.
    """

    __tablename__ = "ledger_events"
    __table_args__ = (
        Index("ledger_by_run", "run_id", "id"),
        Index("ledger_by_action", "action_id", "id"),
        Index("ledger_by_agent", "agent", "id"),
        Index("ledger_by_kind", "kind", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_BigId)
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    run_id: str = ""
    action_id: str = ""
    agent: str = ""
    actor: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)


class LedgerLinkRow(SQLModel, table=True):
    """One link of the hash chain, sealing one event shortly after it was written."""

    __tablename__ = "ledger_links"

    seq: int = Field(primary_key=True, sa_type=_BigId)
    event_id: int = Field(unique=True, sa_type=_BigId)
    previous: str
    hash: str
