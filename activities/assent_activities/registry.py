"""All activities of a worker, by the queue they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from temporalio.client import Client

from assent.domain.ports import Queue
from assent_activities.admission import Admission
from assent_activities.closing import Closing
from assent_activities.dependencies import Dependencies
from assent_activities.effects import EffectProtocol
from assent_activities.execution import Execution
from assent_activities.pausing import PauseActivities
from assent_activities.revising import Revising
from assent_activities.rollback import RollbackActivities
from assent_activities.run_life import RunLife
from assent_activities.settling import Settling
from assent_activities.undo_trials import UndoTrials


def activities_by_queue(dependencies: Dependencies, client: Client) -> Mapping[Queue, Sequence[Callable[..., Any]]]:
    """Build every activity with its dependencies."""
    effects = EffectProtocol(dependencies)
    admission = Admission(dependencies, effects)
    execution = Execution(dependencies, effects)
    closing = Closing(dependencies)
    revising = Revising(dependencies)
    life = RunLife(dependencies, effects)
    pausing = PauseActivities(dependencies, client)
    rollback = RollbackActivities(dependencies, client)
    settling = Settling(dependencies, client)
    trials = UndoTrials(dependencies)
    return {
        Queue.RUNS: [
            admission.submit,
            execution.execute,
            closing.close,
            revising.revise,
            life.find,
            life.note,
            life.finish,
        ],
        Queue.LONG: [execution.execute],
        Queue.CONTROL: [pausing.observe, pausing.release, pausing.ramp, pausing.compensate],
        Queue.UNDO: [
            rollback.preview,
            rollback.start,
            rollback.stop_run,
            rollback.undo_batch,
            rollback.look,
            rollback.finish,
            settling.reconcile,
            settling.settle,
            settling.retry,
            settling.tell,
            trials.prove,
        ],
    }
