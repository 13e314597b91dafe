"""Agents, their cards and their keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class AgentRow(SQLModel, table=True):
    """An agent and the version of its card in force."""

    __tablename__ = "agents"

    name: str = Field(primary_key=True)
    title: str = ""
    version: int
    updated_at: datetime = Field(sa_type=UtcDateTime)


class CardVersionRow(SQLModel, table=True):
    """One published version of an agent card, with the action types it lists as they were declared; never changed."""

    __tablename__ = "card_versions"

    agent: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    digest: str
    source: str
    card: dict[str, Any] = Field(sa_type=JSON)
    catalogue: dict[str, Any] = Field(sa_type=JSON)
    published_at: datetime = Field(sa_type=UtcDateTime)
    published_by: str


class AgentKeyRow(SQLModel, table=True):
    """A key an agent signs in with; only its hash is kept."""

    __tablename__ = "agent_keys"

    id: str = Field(primary_key=True)
    key_hash: str = Field(unique=True)
    agent: str = Field(index=True)
    name: str = ""
    scopes: list[str] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
