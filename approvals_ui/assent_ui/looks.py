"""When a request was put in front of somebody, carried by the form that they decide with.

Nothing is written when a page is opened: the form has a signed note of when it was made, for whom and for what, and
what comes back with a decision says how long that was ago. The page's script adds for how long the card was really in
sight; a browser's word is taken only below what the clock allows.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from assent.domain.quality import Measure

KEPT = timedelta(days=1)
"""How long such a note is good."""

_LENGTH = 120
_SKEW = timedelta(seconds=5)
"""How far the clocks of two web servers may be apart."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a request was in front of somebody.

    Attributes:
        at: From when on.
        seconds: For how long.
        measured: By what that was measured.
    """

    at: datetime
    seconds: float
    measured: Measure


class Looks:
    """Writes and reads the notes.

    Args:
        key: The installation's secret key.
    """

    def __init__(self, key: str) -> None:
        self._key = hashlib.sha256(f"look\n{key}".encode()).digest()

    def note(self, person_id: str, approval_id: str, digest: str, at: datetime) -> str:
        """A note for a form, made at a time."""
        when = str(int(at.timestamp() * 1000))
        return f"{when}.{self._signature(when, person_id, approval_id, digest)}"

    def read(
        self, note: str, person_id: str, approval_id: str, digest: str, now: datetime, visible: str = ""
    ) -> Look | None:
        """What a note says at the time of the decision; ``None`` if it is not of this person, request and digest.

        Args:
            note: As the form brought it.
            person_id: Who decides.
            approval_id: What.
            digest: As shown.
            now: The time.
            visible: Milliseconds that the card was in sight, as the script says; empty without scripts.
        """
        when, dot, signature = note[:_LENGTH].partition(".")
        expected = self._signature(when, person_id, approval_id, digest)
        if not dot or not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass")):
            return None
        at = datetime.fromtimestamp(int(when) / 1000, UTC)
        if not -_SKEW <= now - at <= KEPT:
            return None
        passed = max((now - at).total_seconds(), 0.0)
        if visible.isascii() and visible.isdecimal() and len(visible) < 12:
            return Look(at, min(int(visible) / 1000, passed), Measure.VISIBLE)
        return Look(at, passed, Measure.SERVED)

    def _signature(self, *parts: str) -> str:
        content = "\n".join(parts).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()[:32]
