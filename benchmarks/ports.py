"""Ports for products that are killed and started again."""

from __future__ import annotations

import random

from assent.runtime import processes

_BELOW_WHAT_IS_GIVEN_AWAY = range(20_000, 32_000)
"""Ports that neither Linux nor macOS gives to a program that asks for any port, and that few programs ask for."""


def lasting_port() -> int:
    """A free port that stays free while the product that listens on it is down and others start beside it."""
    for port in random.sample(_BELOW_WHAT_IS_GIVEN_AWAY, len(_BELOW_WHAT_IS_GIVEN_AWAY)):
        if processes.port_is_free("127.0.0.1", port):
            return port
    raise RuntimeError("No port is free.")
