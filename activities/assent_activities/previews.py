"""Looking at the records before a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assent.domain.canonical import canonical_json
from assent.domain.effects import ResourceChange
from assent.policy.admission import schema_faults
from assent_activities.connectors import ActionFailed, Call, ConnectorUnavailable, Operation
from assent_activities.effects import Job
from assent_activities.outcomes import spoken


@dataclass(frozen=True, slots=True)
class Preview:
    """What was seen.

    Attributes:
        changes: Records the call would touch.
        note: Why they could not be looked at, if so.
        refused: Why the system would refuse the call as things are; empty if it would not.
    """

    changes: list[ResourceChange]
    note: str = ""
    refused: str = ""


def look(registry: Mapping[str, Operation], job: Job) -> Preview:
    """Look at the records a call would touch; changes nothing."""
    operation = registry.get(job.action.type)
    if operation is None or schema_faults(operation.type, job.action.arguments):
        return Preview([])
    call = Call(key=job.action_id, arguments=job.action.arguments, agent=job.header.agent, run_id=job.header.run_id)
    try:
        changes = operation.preview(call)
        canonical_json([change.model_dump(mode="json") for change in changes])
        return Preview(changes)
    except ActionFailed as error:
        return Preview([], refused=spoken(error))
    except ConnectorUnavailable as error:
        return Preview([], note=f"The records could not be looked at: {spoken(error)}")
    except Exception as error:
        return Preview([], note=f"The records could not be looked at: {type(error).__name__}.")
