"""What one attempt holds while it admits and performs an action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assent.domain.actions import ProposedAction, Reason
from assent.domain.canonical import Json
from assent.domain.runs import RunHeader


@dataclass(frozen=True, slots=True)
class Job:
    """One action under the effect protocol, held by one attempt."""

    header: RunHeader
    action: ProposedAction
    action_id: str
    holder: str
    reasons: tuple[Reason, ...] = ()
    unseen: int = 0
    """How many actions the run's row does not count yet."""
    edited: Mapping[str, Json] | None = None
    """Who edited the arguments, and what people see of them; ``None`` if they are the agent's own."""
