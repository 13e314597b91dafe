"""A person at their browser, through the public API: signs in, approves, undoes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

PATIENCE_SECONDS = 60.0
_OVER = ("done", "needs_person", "refused")
_LOOK_EVERY = 0.02


class Person:
    """Somebody with a session.

    Args:
        link: A one-time sign-in link.
        colleague: Who approves as well where one person is not enough.
    """

    def __init__(self, link: str, colleague: Person | None = None) -> None:
        self._colleague = colleague
        parts = urlsplit(link)
        self._http = httpx.Client(base_url=f"{parts.scheme}://{parts.netloc}", trust_env=False, timeout=60)
        signed = self._http.post("/sign-in", data={"token": parse_qs(parts.query)["token"][0]})
        if signed.status_code != httpx.codes.SEE_OTHER:
            raise RuntimeError(f"Signing in at {signed.url} gave {signed.status_code}: {signed.text[:500]}")
        self._http.headers["X-CSRF-Token"] = self._get("/api/v1/me")["csrf"]

    def close(self) -> None:
        """Leave."""
        self._http.close()

    def approve(self, approval_id: str) -> None:
        """Read a request and approve what it shows."""
        needed = self._get(f"/api/v1/approvals/{approval_id}/standing")["needed"]
        if needed > 1 and self._colleague is not None:
            self._colleague.vote(approval_id)
        self.vote(approval_id)

    def vote(self, approval_id: str) -> None:
        """Give one's own approval to what a request shows."""
        shown = self._get(f"/api/v1/approvals/{approval_id}")
        self._post(f"/api/v1/approvals/{approval_id}/decisions", verdict="approve", digest=shown["digest"])

    def pending(self) -> list[str]:
        """Ids of the first page of what waits for a person."""
        return [item["id"] for item in self._get("/api/v1/approvals?limit=200")["items"]]

    def page(self, path: str) -> str:
        """A page as it is sent."""
        return self._http.get(path).raise_for_status().text

    def roll_back(self, run_id: str) -> dict[str, Any]:
        """Undo a run and wait until that is done; gives the rollback with its steps."""
        self._until(f"/api/v1/runs/{run_id}", lambda run: run["ended_at"] is not None)
        started = self._post(
            "/api/v1/rollbacks", scope={"kind": "run", "id": run_id}, reason="The benchmark takes every case back."
        )
        self._agreed(started["rollback"])
        rollback: dict[str, Any] = self._until(started["rollback"], lambda found: found["status"] in _OVER)
        return rollback

    def roll_back_agent(self, agent: str, since: datetime) -> dict[str, Any]:
        """Look at what an agent did since a time, undo exactly that, and wait; gives the rollback with all steps."""
        scope = {"kind": "agent", "id": agent, "since": since.isoformat()}
        previewed = self._post("/api/v1/rollbacks", scope=scope, preview=True)
        preview: dict[str, Any] = self._until(f"/api/v1/rollbacks/{previewed['rollback_id']}", lambda it: it["digest"])
        started = self._post(
            "/api/v1/rollbacks",
            scope=scope,
            preview_id=preview["id"],
            digest=preview["digest"],
            reason="The benchmark takes everything back.",
        )
        self._agreed(started["rollback"])
        over: dict[str, Any] = self._until(started["rollback"], lambda found: found["status"] in _OVER)
        return {**over, "steps": self._all(f"{started['rollback']}/steps")}

    def _agreed(self, rollback: str) -> None:
        """Have the colleague agree where the card wants it."""
        found = self._until(rollback, _is_weighed)
        if self._colleague and found["status"] == "awaiting":
            self._colleague.agree(rollback, found["digest"])

    def agree(self, rollback: str, digest: str) -> None:
        """Agree to a rollback that somebody else asked for."""
        self._post(f"{rollback}/decisions", verb="approve", digest=digest)

    def _all(self, path: str) -> list[Any]:
        """Every item of a list, page by page."""
        page = self._get(f"{path}?limit=200")
        items = list(page["items"])
        while page["next_cursor"]:
            page = self._get(f"{path}?limit=200&cursor={page['next_cursor']}")
            items += page["items"]
        return items

    def _until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Look until something is there and as wanted: what was just begun may take a moment to be written down."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = self._http.get(path)
            if answer.is_success and holds(answer.json()):
                return answer.json()
            time.sleep(_LOOK_EVERY)
        raise TimeoutError(f"{path} is not as it should be after {PATIENCE_SECONDS:g} s: {answer.text}")

    def _get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def _post(self, path: str, **body: Any) -> Any:
        return self._http.post(path, json=body).raise_for_status().json()


def _is_weighed(rollback: Any) -> bool:
    """Whether it is known if others must agree."""
    return bool(rollback["status"] != "checking")
