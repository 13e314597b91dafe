"""The type of clocks; whoever composes the product hands one down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Gives the current time with its time zone."""
