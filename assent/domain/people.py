"""Who acts: people with roles, agents with keys, and the system itself."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Role(StrEnum):
    """What a person may do. A person can have several."""

    APPROVER = "approver"
    OPERATOR = "operator"
    OWNER = "owner"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Via(StrEnum):
    """Where somebody acted."""

    WEB = "web"
    SLACK = "slack"
    API = "api"
    CLI = "cli"
    SYSTEM = "system"


class Actor(BaseModel):
    """Who did something, and where.

    Attributes:
        id: Person id, agent name, or ``assent`` for the system.
        name: Name as shown.
        via: Where it was done.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    via: Via


SYSTEM = Actor(id="assent", name="Assent", via=Via.SYSTEM)
