"""Trying undos on scratch records, and keeping what came of it with its date."""

from __future__ import annotations

import logging

from temporalio import activity

from assent.domain.clock import Clock
from assent.domain.people import Actor
from assent.domain.ports import ACTIVITY_PROVE_UNDO
from assent.domain.proving import ProveUndo, TriedUndo
from assent.store import proofs
from assent.store.database import Database
from assent.store.proofs import Proof
from assent_activities.connectors import ConnectorUnavailable, Operation
from assent_activities.dependencies import Dependencies
from assent_activities.outcomes import spoken
from assent_activities.proving import CannotTry, NotProven, prove

log = logging.getLogger(__name__)


class UndoTrials:
    """Proves undos for whoever asks a worker to.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies

    @activity.defn(name=ACTIVITY_PROVE_UNDO, no_thread_cancel_exception=True)
    def prove(self, request: ProveUndo) -> TriedUndo:
        """Try the undo of one action type; what this worker has no connector for is not tried."""
        operation = self._deps.registry.get(request.type)
        if operation is None:
            said = f"No connector of this worker offers {request.type}."
            return TriedUndo(type=request.type, worked=None, said=said, at=self._deps.clock())
        return try_undo(self._deps.database, operation, request.agent, by=request.by, clock=self._deps.clock)


def try_undo(database: Database, operation: Operation, agent: str, *, by: Actor, clock: Clock) -> TriedUndo:
    """Try the undo of an operation on scratch records; a proof is kept, one that failed as well.

    Raises:
        Unavailable: The database is away.
    """
    name = operation.type.name
    try:
        said, worked = prove(operation, agent=agent), True
    except CannotTry as error:
        return TriedUndo(type=name, worked=None, said=spoken(error), at=clock())
    except ConnectorUnavailable as error:
        said = f"The system could not be reached: {spoken(error)}"
        return TriedUndo(type=name, worked=None, said=said, at=clock())
    except NotProven as error:
        said, worked = spoken(error), False
    except Exception as error:
        log.exception("The trial of undoing %s broke off.", name)
        said, worked = f"It broke off: {error.__class__.__name__}: {spoken(error)}", False
    at = clock()
    with database.write() as session:
        proofs.note(session, Proof(name, at, worked, proofs.TRIAL, by, said=said), agent=agent)
    return TriedUndo(type=name, worked=worked, said=said, at=at)
