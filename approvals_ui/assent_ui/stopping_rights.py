"""Who may stop and let go on, as the pages ask it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Role
from assent.gateway import stop_rights
from assent_ui.auth import Viewer

_USUAL = (Role.OPERATOR, Role.APPROVER, Role.OWNER)
_EVERYTHING = Scope(kind=ScopeKind.EVERYTHING)


def may_stop(session: Session, viewer: Viewer, now: datetime) -> bool:
    """Whether somebody is shown what stops: nobody is missing whom the gateway lets stop anything.

    Whoever has one of the usual roles is, without a look at the cards; where those are narrower, the gateway refuses
    and says who may. Anybody else is if a card in force lets them.
    """
    if any(viewer.may(role) for role in _USUAL):
        return True
    return stop_rights.may_pause(session, viewer.actor, stop_rights.rules_for(session, _EVERYTHING), now)
