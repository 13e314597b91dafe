"""Who may read incidents and write in them, as pages and the API ask it."""

from __future__ import annotations

from assent.domain.errors import Forbidden
from assent.domain.incidents import READERS, WRITERS
from assent_ui.auth import Viewer


def may_read(viewer: Viewer) -> bool:
    """Whether somebody may read incidents."""
    return bool(READERS & set(viewer.roles))


def may_write(viewer: Viewer) -> bool:
    """Whether somebody may open incidents and write in them."""
    return bool(WRITERS & set(viewer.roles))


def require_reader(viewer: Viewer) -> None:
    """Refuse whoever may not read incidents.

    Raises:
        Forbidden: They may not.
    """
    if not may_read(viewer):
        raise Forbidden(
            "You may not read incidents.",
            where="role",
            todo="It needs the role operator, owner or auditor; an admin gives it with `assent people roles`.",
        )


def require_writer(viewer: Viewer) -> None:
    """Refuse whoever may not write in incidents.

    Raises:
        Forbidden: They may not.
    """
    if not may_write(viewer):
        raise Forbidden(
            "You may not write in incidents.",
            where="role",
            todo="It needs the role operator or owner; an admin gives it with `assent people roles`.",
        )
