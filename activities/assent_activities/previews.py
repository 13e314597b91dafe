"""Looking at the records before a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assent.domain.canonical import canonical_json
from assent.domain.effects import ResourceChange
from assent.policy.admission import schema_faults
from assent_activities.connectors import ActionFailed, Call, ConnectorUnavailable, Extent, Measuring, Operation
from assent_activities.jobs import Job
from assent_activities.outcomes import spoken


@dataclass(frozen=True, slots=True)
class Preview:
    """What was seen.

    Attributes:
        changes: Records the call would touch.
        note: Why they could not be looked at, if so.
        refused: Why the system would refuse the call as things are; empty if it would not.
        extent: How much the call would move and reach, as far as the connector says it.
    """

    changes: list[ResourceChange]
    note: str = ""
    refused: str = ""
    extent: Extent = field(default_factory=Extent)


def look(registry: Mapping[str, Operation], job: Job) -> Preview:
    """Look at the records a call would touch; changes nothing."""
    operation = registry.get(job.action.type)
    if operation is None or schema_faults(operation.type, job.action.arguments):
        return Preview([])
    call = Call(key=job.action_id, arguments=job.action.arguments, agent=job.header.agent, run_id=job.header.run_id)
    try:
        changes = operation.preview(call)
        canonical_json([change.model_dump(mode="json") for change in changes])
    except ActionFailed as error:
        return Preview([], refused=spoken(error))
    except ConnectorUnavailable as error:
        return Preview([], note=f"The records could not be looked at: {spoken(error)}")
    except Exception as error:
        return Preview([], note=f"The records could not be looked at: {type(error).__name__}.")
    return measured(operation, call, Preview(changes))


def measured(operation: Operation, call: Call, seen: Preview) -> Preview:
    """The preview with its extent; one that cannot be told is noted, never guessed."""
    if not isinstance(operation, Measuring):
        return seen
    try:
        extent = operation.extent(call, seen.changes)
        canonical_json({"amount": extent.amount, "reaches": dict(extent.reaches)})
    except Exception as error:
        note = f"How much it moves and reaches could not be worked out: {type(error).__name__}."
        return Preview(seen.changes, note=note)
    return Preview(seen.changes, extent=extent)
