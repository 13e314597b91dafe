"""The one door to running workflows: start, propose, decide, pause, roll back.

The web, Slack and the command line come through here, so that all of them decide by the same rules. The gateway checks
a message against the projection first, so that a bad one is refused on the spot; the run checks it again with
authority.
"""

from assent.gateway.assigning import AssignDoor
from assent.gateway.checking import CheckDoor
from assent.gateway.door import MAX_PAYLOAD, PROPOSE_TIMEOUT, RPC_TIMEOUT, utc_now
from assent.gateway.drilling import DrillDoor
from assent.gateway.granting import GrantDoor, GrantOffer
from assent.gateway.incidents import IncidentDoor, NewIncident
from assent.gateway.many import MAX_ITEMS, ManyResult, OneOfMany
from assent.gateway.offered_plans import PlanOffer
from assent.gateway.pause_hooks import HookUse, PauseHookDoor
from assent.gateway.planning import PlanApproved, PlanDoor
from assent.gateway.proving import ProveDoor
from assent.gateway.revising import ReviseDoor
from assent.gateway.runs import RunDoor, StartRun
from assent.gateway.settling import SettleDoor
from assent.gateway.stopping import StopDoor
from assent.gateway.talking import TalkDoor
from assent.gateway.undoing import UndoDoor


class Gateway(
    DrillDoor,
    RunDoor,
    PlanDoor,
    GrantDoor,
    ReviseDoor,
    AssignDoor,
    TalkDoor,
    CheckDoor,
    PauseHookDoor,
    IncidentDoor,
    StopDoor,
    UndoDoor,
    SettleDoor,
    ProveDoor,
):
    """Sends people's and agents' messages to workflows; see the doors it is made of."""


__all__ = [
    "MAX_ITEMS",
    "MAX_PAYLOAD",
    "PROPOSE_TIMEOUT",
    "RPC_TIMEOUT",
    "Gateway",
    "GrantOffer",
    "HookUse",
    "ManyResult",
    "NewIncident",
    "OneOfMany",
    "PlanApproved",
    "PlanOffer",
    "StartRun",
    "utc_now",
]
