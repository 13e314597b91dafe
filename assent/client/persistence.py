"""When a request that got no answer is sent again."""

from __future__ import annotations

import random
import time

import httpx

from assent.client.errors import AssentApiError

PERSISTENCE = 60.0
"""Seconds a request that gets no answer is sent again for, unless the client is told otherwise."""

_AGAIN = {429, 502, 503, 504}
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0


class Persistence:
    """Decides whether and when a request is sent again.

    Args:
        seconds: How long to go on trying.
    """

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._delay = _FIRST_DELAY

    def delay(self, answer: httpx.Response | httpx.TransportError) -> float | None:
        """Seconds to wait before the next try; ``None`` if this answer counts.

        Raises:
            AssentApiError: There was no answer for too long.
        """
        if isinstance(answer, httpx.Response) and answer.status_code not in _AGAIN:
            return None
        if time.monotonic() + self._delay > self._until:
            if isinstance(answer, httpx.Response):
                return None
            raise AssentApiError(
                0,
                "unreachable",
                f"Assent does not answer: {str(answer) or type(answer).__name__}.",
                where=str(answer.request.url.copy_with(query=None)),
                todo="Is it running, and is the address right? Sending the same key again is safe.",
            ) from answer
        pause, self._delay = self._delay * random.uniform(0.5, 1.5), min(self._delay * 2, _LONGEST_DELAY)
        return pause
