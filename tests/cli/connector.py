"""The desk as the settings name it."""

from __future__ import annotations

from assent_activities.connectors import ConnectorEnvironment
from tests.desk import Desk


def desk(_: ConnectorEnvironment) -> Desk:
    """A desk of its own."""
    return Desk()
