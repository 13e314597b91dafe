"""What Assent answers."""

from __future__ import annotations

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

    @property
    def done(self) -> bool:
        """It was done."""
        return self.status == "done"


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
