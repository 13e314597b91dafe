"""The ``stopping`` block of a card: who may stop the agent, who may let it go on, and how it goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from assent.domain.people import Role
from assent.policy.approval_block import Approver, Strict
from assent.policy.durations import Duration

PAUSE_BY = [f"role:{role.value}" for role in (Role.OPERATOR, Role.APPROVER, Role.OWNER, Role.ADMIN)]
"""Who may pause where a card does not say it: nearly everybody, because stopping is safe."""

RESUME_BY = [f"role:{role.value}" for role in (Role.OPERATOR, Role.ADMIN)]
"""Who may resume where a card does not say it."""


def _role(value: Any) -> Any:
    """A role may be written by its name alone."""
    return f"role:{value}" if isinstance(value, str) and value in list(Role) else value


Stopper = Annotated[Approver, BeforeValidator(_role)]


class StoppingBlock(Strict):
    """How an agent is stopped and goes on.

    Attributes:
        pause: Who may pause: roles, groups, addresses, contacts of the card.
        resume: Who may resume.
        second: A second person must agree to a resume.
        ramp: How long each step of a resume waits at most for the effects of the step before. One second to one hour.
    """

    pause: list[Stopper] = Field(default_factory=lambda: list(PAUSE_BY), min_length=1, max_length=50)
    resume: list[Stopper] = Field(default_factory=lambda: list(RESUME_BY), min_length=1, max_length=50)
    second: bool = False
    ramp: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1), le=timedelta(hours=1))
