"""Who acts: people with roles, agents with keys, and the system itself."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

MAX_REASON = 4_000
"""Characters of the reason that a person gives for a decision, an edit or a rollback."""


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


class Assurance(StrEnum):
    """How sure it is that a person is who they say: from a click in Slack to a proof of the last minutes."""

    SLACK = "slack"
    SESSION = "session"
    FRESH = "fresh"

    @property
    def rank(self) -> int:
        """Where it is in the order, 0 for the weakest."""
        return list(Assurance).index(self)

    def is_enough_for(self, needed: Assurance) -> bool:
        """Whether something that needs ``needed`` may be done with this."""
        return self.rank >= needed.rank


class Actor(BaseModel):
    """Who did something, and where.

    Attributes:
        id: Person id, agent name, or ``assent`` for the system.
        name: Name as shown.
        via: Where it was done.
        assurance: How sure it is that they are who they say; ``None`` where nobody proved anything.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    via: Via
    assurance: Assurance | None = None


def mailbox_of(email: str) -> str:
    """The mailbox behind an address: lower case and without its tag, so that one mailbox is one person."""
    name, _, host = email.strip().lower().rpartition("@")
    return f"{name.partition('+')[0] or name}@{host}"


SYSTEM = Actor(id="assent", name="Assent", via=Via.SYSTEM)
