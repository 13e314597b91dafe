"""Facts that only the database knows about a request, gathered when a person is asked and never before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from assent.domain.canonical import Json
from assent.domain.card_facts import EarlierDecision, LookedAt, Reading
from assent.domain.catalogue import ActionType
from assent.domain.effects import ResourceChange
from assent.policy.sentences import fill
from assent.store import asked_about, readings
from assent_activities.connectors import Operation
from assent_activities.jobs import Job

READINGS = 8
"""Readings that a request shows; their number is said."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found.

    Attributes:
        resources: The records the action is about, the declared one first.
        received: What the agent was given to start with.
        looked_at: What the agent looked at in its run before.
        earlier: What became of earlier requests for the same kind of action on the same records.
    """

    resources: tuple[str, ...] = ()
    received: Json = None
    looked_at: LookedAt | None = None
    earlier: tuple[EarlierDecision, ...] = ()


def gather(
    session: Session,
    registry: Mapping[str, Operation],
    job: Job,
    type: ActionType,
    changes: Sequence[ResourceChange],
    *,
    approval_id: str,
) -> Facts:
    """Look the facts up in the transaction that asks."""
    resources = resources_of(type, job, changes)
    return Facts(
        resources=resources,
        # The run tells it to its first activity only.
        received=job.header.received if job.header.first else readings.received(session, job.header.run_id),
        looked_at=_looked_at(session, registry, job),
        earlier=tuple(
            asked_about.earlier(
                session, agent=job.header.agent, type=type.name, resources=resources, besides=approval_id
            )
        ),
    )


def resources_of(type: ActionType, job: Job, changes: Sequence[ResourceChange]) -> tuple[str, ...]:
    """The records an action is about."""
    declared = fill(type.target.resource, type, job.action.arguments) if type.target else ""
    return tuple(dict.fromkeys(name for name in [declared, *(change.resource for change in changes)] if name))


def _looked_at(session: Session, registry: Mapping[str, Operation], job: Job) -> LookedAt:
    types = {name: operation.type for name, operation in registry.items() if operation.type.reads_only}
    rows, total, at_least = readings.of_run(session, job.header.run_id, types=types, limit=READINGS)
    shown = []
    for row in rows:
        target = types[row.type].target
        resource = fill(target.resource, types[row.type], row.arguments) if target else ""
        shown.append(Reading(key=row.key, sentence=row.sentence, resource=resource, at=row.at))
    return LookedAt(readings=shown, total=total, at_least=at_least)
