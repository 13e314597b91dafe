"""The one door to running workflows: start, propose, decide, pause, roll back.

The web, Slack and the command line come through here, so that all of them decide by the same rules. The gateway checks
a message against the projection first, so that a bad one is refused on the spot; the run checks it again with
authority.
"""

from assent.gateway.control import ControlDoor
from assent.gateway.decisions import DecisionDoor
from assent.gateway.door import MAX_PAYLOAD, PROPOSE_TIMEOUT, RPC_TIMEOUT, utc_now
from assent.gateway.runs import RunDoor, StartRun


class Gateway(RunDoor, DecisionDoor, ControlDoor):
    """Sends people's and agents' messages to workflows; see the doors it is made of."""


__all__ = ["MAX_PAYLOAD", "PROPOSE_TIMEOUT", "RPC_TIMEOUT", "Gateway", "StartRun", "utc_now"]
