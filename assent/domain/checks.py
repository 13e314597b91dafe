"""Seeded checks: requests that should be refused, shown to one person, of which nothing can ever run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from assent.domain.approvals import ApprovalStatus, RequestCard, Verb
from assent.domain.approving import ApprovalRules
from assent.domain.canonical import Json, digest_of


class CheckStatus(StrEnum):
    """The life of a check."""

    SHOWN = "shown"
    CAUGHT = "caught"
    MISSED = "missed"
    QUESTIONED = "questioned"
    """They asked the agent about it, or commented, instead of deciding."""
    CHANGED = "changed"
    """They set out to change it, instead of deciding."""
    UNANSWERED = "unanswered"

    @property
    def seen_as(self) -> ApprovalStatus:
        """How a list of requests shows it."""
        return {
            CheckStatus.SHOWN: ApprovalStatus.PENDING,
            CheckStatus.CAUGHT: ApprovalStatus.REJECTED,
            CheckStatus.MISSED: ApprovalStatus.APPROVED,
            CheckStatus.QUESTIONED: ApprovalStatus.WITHDRAWN,
            CheckStatus.CHANGED: ApprovalStatus.WITHDRAWN,
            CheckStatus.UNANSWERED: ApprovalStatus.EXPIRED,
        }[self]


ANNOUNCED = (
    "Owners let Assent show you, now and then, a request that should be refused, to see whether it is: in your inbox, "
    "in Slack, on the command line. Nothing can run of it, whatever you decide, and you are told at once that it was "
    "one. It is not counted in anything else."
)
"""What everybody is told, and has said that they read, before they are shown a check."""

_NOTHING_RAN = "Nothing ran, and nothing could have."
_TOLD = {
    CheckStatus.CAUGHT: ("That was a check, and you caught it", "Well looked. Nothing was asked of anybody."),
    CheckStatus.MISSED: ("That was a check, and it got past you", f"It happens to everybody. {_NOTHING_RAN}"),
    CheckStatus.QUESTIONED: (
        "That was a check, and you asked about it",
        "A good thing to do with a request that looks odd. No agent was asked, and nothing could have run.",
    ),
    CheckStatus.CHANGED: (
        "That was a check, and you would have changed it",
        "A good thing to do with a request that looks odd. No agent was told, and nothing could have run.",
    ),
    CheckStatus.UNANSWERED: ("That was a check; its time is over", _NOTHING_RAN),
}


@dataclass(frozen=True, slots=True)
class Check:
    """A check.

    Attributes:
        id: Its id; no request, action or effect ever has it.
        person_id: To whom it is shown, and to nobody else.
        agent: The agent whose request it looks like.
        type: Name of the action type.
        source_id: The real request that it was made from.
        digest: What an answer must carry.
        why: Why it stopped, for a line of a list.
        card: What is shown.
        rules: How a request like it would be decided.
        because: Why it should be refused.
        status: Where it is in its life.
        created_at: Since when it is shown.
        expires_at: Until when.
        ended_at: When it was answered, or nobody answered in time.
        reason: What the person said.
    """

    id: str
    person_id: str
    agent: str
    type: str
    source_id: str
    digest: str
    why: str
    card: RequestCard
    rules: ApprovalRules
    because: str
    status: CheckStatus
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    reason: str

    @property
    def over(self) -> bool:
        """It waits no more, and its person is told what it was."""
        return self.status is not CheckStatus.SHOWN

    @property
    def told(self) -> tuple[str, str]:
        """What its person is told once it is over, the same in every place: a line, and a sentence or two."""
        return _TOLD[self.status]


def handed(reason: str) -> str:
    """What is kept of whoever asked somebody else to look at a check."""
    return f"Somebody else was to look at it. {reason}".strip()


def outcome(verb: Verb) -> CheckStatus:
    """What an answer comes to: rejecting catches it."""
    return CheckStatus.CAUGHT if verb is Verb.REJECT else CheckStatus.MISSED


def check_digest(check_id: str, shown: RequestCard) -> str:
    """What an answer to a check carries. It covers no run and no action: it never fits a request."""
    return digest_of({"check": check_id, "shown": shown.bound()})


def drawn(seed: str, one_in: int) -> bool:
    """Whether a real request draws a check: one in so many, by its id, the same for every worker."""
    return _number("drawn", seed) % one_in == 0


def chosen(seed: str, many: int) -> int:
    """One of so many, by a request's id."""
    return _number("chosen", seed) % many


def replaced(value: Json, swaps: list[tuple[Json, Json]]) -> Json:
    """A record as it would look with other arguments: wherever an old value stands, the new one."""
    for old, new in swaps:
        alike = _is_number(value) and _is_number(old)
        if (alike or type(value) is type(old)) and value == old:
            return float(new) if isinstance(value, float) and isinstance(new, int) else new
    if isinstance(value, dict):
        return {name: replaced(each, swaps) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, swaps) for each in value]
    return value


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(what: str, seed: str) -> int:
    return int.from_bytes(sha256(f"{what}\n{seed}".encode()).digest()[:8], "big")
