"""What a Slack workspace holds: its clock, people, channels and messages."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]


class SlackClock:
    """Slack's time: the real one, moved ahead by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.ahead += seconds


@dataclass
class User:
    """Somebody with an account."""

    id: str
    name: str
    team_id: str
    email: str = ""
    is_bot: bool = False
    deleted: bool = False
    confirmed: bool = True
    guest: bool = False

    def described(self) -> dict[str, Any]:
        """As ``users.info`` has it."""
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name.lower(),
            "real_name": self.name,
            "is_bot": self.is_bot,
            "deleted": self.deleted,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "is_email_confirmed": self.confirmed,
            "a_field_of_tomorrow": {"nested": [1]},
            "profile": {"email": self.email},
        }


@dataclass
class Channel:
    """A channel and what was posted there, by timestamp."""

    id: str
    name: str
    is_member: bool = True
    is_archived: bool = False
    with_user: str = ""
    messages: dict[str, Message] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """As ``conversations.info`` has it."""
        return {"id": self.id, "name": self.name, "is_member": self.is_member, "is_archived": self.is_archived}


@dataclass
class Whisper:
    """Something that one person alone was told."""

    user: str
    channel: str
    message: Message


@dataclass
class Failure:
    """How a call fails.

    Attributes:
        error: Slack's error code, with HTTP status 200.
        status: An HTTP status with an empty body instead.
        cut: Break the connection instead of answering.
        done: Do what was asked for all the same.
        times: How many calls fail.
    """

    error: str = ""
    status: int = 0
    cut: bool = False
    done: bool = False
    times: int = 1


@dataclass
class Limit:
    """A rate limit: so many calls, then one in ``every`` seconds."""

    burst: int
    every: float
    used: list[float] = field(default_factory=list)
    banned_until: float = 0.0
    hammered: int = 0

    def wait(self, now: float) -> int:
        """Seconds to wait; 0 if the call is allowed. Calls during a wait that was asked for are counted."""
        if now < self.banned_until:
            self.hammered += 1
            return max(1, round(self.banned_until - now + 0.5))
        self.used = [at for at in self.used if at > now - self.every * self.burst]
        if len(self.used) < self.burst:
            self.used.append(now)
            return 0
        pause = max(1, int(self.every + 0.999))
        self.banned_until = now + pause
        return pause


class Numbers:
    """Ids in order."""

    def __init__(self) -> None:
        self._next = itertools.count(1)

    def new(self, prefix: str) -> str:
        """The next id."""
        return f"{prefix}{next(self._next):05d}"
