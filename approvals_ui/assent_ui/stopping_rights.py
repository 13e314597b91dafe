"""Who may stop and let go on, as the pages ask it."""

from __future__ import annotations

from assent.domain.people import Role
from assent_ui.auth import Viewer

_STOPS = (Role.OPERATOR, Role.APPROVER, Role.OWNER)


def may_stop(viewer: Viewer) -> bool:
    """Whether somebody may stop something at all; what exactly, the gateway says when they do."""
    return any(viewer.may(role) for role in _STOPS)
