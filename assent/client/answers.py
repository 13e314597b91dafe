"""What Assent answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field

from assent.client.errors import AssentApiError


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Reason(_Answer):
    """One reason why an action may run, waits or may not."""

    rule: str
    effect: str
    sentence: str


class Outcome(_Answer):
    """What became of an action so far.

    Attributes:
        action_id: Its id in the whole installation.
        run_id: Its run.
        key: Its key in the run.
        type: Its action type.
        status: ``done``, ``failed``, ``refused``, ``suggested``, ``awaiting``, ``rejected``, ``expired``, …
        settled: Nothing more happens to it by itself.
        sentence: What it does, in words.
        result: What it gave, if it is done.
        message: Why it failed, was refused or was rejected.
        reasons: Every reason of its admission.
        approval_id: The request that people decide, if there is one.
        edited_by: Who changed the arguments before it was decided; empty if they are the agent's own.
        arguments: The arguments that count instead of the agent's own, if somebody changed them.
    """

    action_id: str
    run_id: str
    key: str
    type: str
    status: str
    settled: bool
    sentence: str = ""
    result: Any = None
    message: str = ""
    reasons: list[Reason] = Field(default_factory=list)
    approval_id: str | None = None
    edited_by: str = ""
    arguments: dict[str, Any] | None = None

    @property
    def done(self) -> bool:
        """It was done."""
        return self.status == "done"

    @property
    def covered(self) -> str:
        """What let it run without a request (a standing grant, a plan approved whole), in words; else empty."""
        return next((reason.sentence for reason in self.reasons if reason.rule in ("grant", "plan")), "")


class GrantTerms(_Answer):
    """What a standing grant covers.

    Attributes:
        action_type: The action type.
        arguments: What each argument may be: ``kind`` (``is``, ``one_of``, ``range``, ``prefix``, ``any``) with
            ``values``, ``min`` and ``max``, or ``prefix``. An action with another argument is asked for.
        condition: A further condition in CEL over ``args``; empty for none.
        uses: How many actions it covers.
        expires_at: When it ends.
    """

    action_type: str
    arguments: dict[str, dict[str, Any]] = Field(default_factory=dict)
    condition: str = ""
    uses: int
    expires_at: datetime


class Grant(_Answer):
    """A standing grant: alike actions run without being asked for.

    Attributes:
        id: Its id.
        status: ``active``, ``pending``, ``spent``, ``expired`` or ``revoked``.
        terms: What it covers.
        used: How often it was used.
    """

    id: str
    status: str
    terms: GrantTerms
    used: int = 0


class PlanStep(_Answer):
    """One step of a run's plan.

    Attributes:
        key: The action's key.
        type: Its action type.
        sentence: What it does, in words.
        asks: People are asked before it runs, unless the whole plan is approved.
        status: Where the action is; ``None`` if it has not begun.
    """

    key: str
    type: str
    sentence: str = ""
    asks: bool = False
    status: str | None = None


class PlanApproval(_Answer):
    """An approval of a run's whole plan; only an ``active`` one covers anything."""

    id: str
    status: str


class Plan(_Answer):
    """A run's plan as people may approve it whole.

    Attributes:
        steps: Every step, in order.
        needs: Who must approve it whole, in words.
        approvals: Approvals given so far, newest first.
    """

    steps: list[PlanStep]
    needs: str = ""
    approvals: list[PlanApproval] = Field(default_factory=list)

    @property
    def approved(self) -> bool:
        """It is approved whole: steps that match it exactly are not asked for."""
        return any(approval.status == "active" for approval in self.approvals)


class Person(_Answer):
    """Somebody who asks."""

    id: str
    name: str


class Question(_Answer):
    """A question that a person asks about an action that waits for them.

    Attributes:
        id: Its id.
        approval_id: The request it is about.
        action_id: The action's id in the whole installation.
        key: The action's key in the run.
        headline: What the action would do, in words.
        text: The question.
        by: Who asks.
    """

    id: str
    approval_id: str
    action_id: str
    key: str
    headline: str
    text: str
    by: Person


class RunState(_Answer):
    """How a run is.

    Attributes:
        run_id: Its id.
        agent: Its agent.
        status: ``running``, ``waiting``, ``held``, ``completed``, ``failed`` or ``stopped``.
        last_step: The newest thing that happened, in words.
        actions: How many actions were proposed.
        message: How it ended, in words.
    """

    run_id: str
    agent: str
    status: str
    last_step: str = ""
    actions: int = 0
    message: str = ""


class Started(_Answer):
    """A run that was started."""

    run_id: str


def read(answer: httpx.Response) -> Any:
    """The content of an answer.

    Raises:
        AssentApiError: It is a refusal.
    """
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    raise AssentApiError(
        answer.status_code,
        str(problem.get("type", "")).rpartition("#problem-")[2] or "error",
        str(problem.get("detail") or f"Assent answered {answer.status_code} {answer.reason_phrase}."),
        where=str(problem.get("where", "")),
        todo=str(problem.get("todo", "")),
        errors=problem.get("errors", []),
    )
