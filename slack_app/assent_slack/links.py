"""Addresses of Assent's web pages, for links in messages."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Links:
    """Where people reach the web pages.

    Attributes:
        base: The address of the pages, without a slash at its end.
    """

    base: str

    def inbox(self) -> str:
        """The requests that wait."""
        return f"{self.base}/"

    def grants_to_confirm(self) -> str:
        """The standing grants that wait for somebody's word."""
        return f"{self.base}/grants?status=pending"

    def request(self, approval_id: str) -> str:
        """One request, whole."""
        return f"{self.base}/approvals/{quote(approval_id, safe='', errors='replace')}"

    def grant(self, approval_id: str) -> str:
        """Where somebody lets what is like a request run from now on."""
        return f"{self.request(approval_id)}/grant"

    def plan(self, approval_id: str) -> str:
        """Where somebody approves the whole plan that a request belongs to."""
        return f"{self.request(approval_id)}/plan"

    def hand(self, approval_id: str) -> str:
        """Where somebody asks others besides, or hands a request over."""
        return f"{self.request(approval_id)}/hand"

    def run(self, run_id: str) -> str:
        """One run, from where it can be undone."""
        return f"{self.base}/runs/{quote(run_id, safe='', errors='replace')}"

    def undo(self, scope: str, id: str) -> str:
        """The preview of a rollback: what will be undone, what cannot; it starts there, not here."""
        return f"{self.base}/rollbacks/new?{urlencode({'scope': scope, 'id': id}, errors='replace')}"

    def incident(self, incident_id: str) -> str:
        """One incident."""
        return f"{self.base}/incidents/{quote(incident_id, safe='', errors='replace')}"

    def incidents(self) -> str:
        """All incidents."""
        return f"{self.base}/incidents"

    def stop(self) -> str:
        """What is paused."""
        return f"{self.base}/stop"

    def link_slack(self, code: str) -> str:
        """Where somebody confirms, signed in, which Slack user they are."""
        return f"{self.base}/system/slack/link/{quote(code, safe='')}"
