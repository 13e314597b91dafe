"""What the client asks, as plain data; how it travels is not decided here."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from assent.client.answers import Outcome, Question

LONG_POLL = 30.0
"""Seconds one request waits for an outcome."""

TIMEOUT = 40.0
"""Seconds a request may take beyond what it waits for."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: what httpx needs of it, with the path under ``/api/v1``."""

    method: str
    path: str
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    timeout: float = TIMEOUT


def start(
    agent: str | None,
    goal: str,
    received: Any,
    plan: Sequence[Mapping[str, Any]] | None,
    open: bool | None,
    run_id: str | None,
    labels: Sequence[str] = (),
) -> Request:
    """Start a run."""
    body: dict[str, Any] = {
        "agent": agent,
        "goal": goal,
        "received": received,
        "plan": [dict(action) for action in plan or ()],
        "open": open,
        "run_id": run_id or f"run-{uuid.uuid4().hex[:12]}",
    }
    if labels:
        body["labels"] = list(labels)
    return Request("POST", "/runs", body)


def act(
    run_id: str,
    type: str,
    arguments: Mapping[str, Any],
    reason: str,
    key: str | None,
    wait: float,
    instead_of: Outcome | str | None,
) -> Request:
    """Propose an action."""
    body = {"type": type, "arguments": dict(arguments), "reason": reason, "key": key or f"a-{uuid.uuid4().hex[:12]}"}
    if instead_of is not None:
        body["instead_of"] = key_of(instead_of)
    waiting = min(wait, LONG_POLL)
    return Request("POST", path_of(run_id, "actions"), body, {"wait": waiting}, TIMEOUT + waiting)


def outcome(run_id: str, key: str, wait: float) -> Request:
    """What became of an action."""
    waiting = max(0.0, min(wait, LONG_POLL))
    return Request("GET", path_of(run_id, "actions", key), None, {"wait": waiting}, TIMEOUT + waiting)


def questions(run_id: str, after: Question | str | None, wait: float) -> Request:
    """Open questions of a run."""
    waiting = max(0.0, min(wait, LONG_POLL))
    query: dict[str, Any] = {"wait": waiting}
    if after is not None:
        query["after"] = after.id if isinstance(after, Question) else after
    return Request("GET", path_of(run_id, "questions"), None, query, TIMEOUT + waiting)


def answer(question: Question, text: str) -> Request:
    """Answer a question; sent again, it is the same answer."""
    body = {"kind": "answer", "reply_to": question.id, "text": text, "id": f"c-{uuid.uuid4().hex[:12]}"}
    return Request("POST", f"/approvals/{quote(question.approval_id, safe='')}/comments", body)


def end(run_id: str, summary: str, stop: bool) -> Request:
    """End a run."""
    return Request("POST", path_of(run_id, "end"), {"summary": summary, "stop": stop})


def action_types(agent: str | None) -> Request:
    """What an agent may propose."""
    return Request("GET", "/action-types", None, {"agent": agent} if agent else {})


def grants(status: str) -> Request:
    """The agent's standing grants."""
    return Request("GET", "/grants", None, {"status": status, "limit": 200})


def plan(run_id: str) -> Request:
    """A run's plan."""
    return Request("GET", path_of(run_id, "plan"))


def path_of(run_id: str, *parts: str) -> str:
    """A path under a run."""
    return "/".join(["/runs", *(quote(part, safe="") for part in (run_id, *parts))])


def key_of(outcome: Outcome | str) -> str:
    """The key of an action, given as such or by its outcome."""
    return outcome.key if isinstance(outcome, Outcome) else outcome


def headers(key: str) -> dict[str, str]:
    """What every request carries."""
    return {"Authorization": f"Bearer {key}", "User-Agent": "assent-client"}
