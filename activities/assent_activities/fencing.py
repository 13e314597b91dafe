"""What an action is to the fence: whose, in which run, of which type, about which records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import ApprovalStatus, Decision, Verb
from assent.domain.catalogue import ActionType
from assent.domain.pauses import Subject
from assent.domain.runs import RunHeader
from assent.domain.targets import resource_named
from assent.store.tables import ActionRow, ApprovalRow
from assent_activities.connectors import Operation
from assent_activities.outcomes import action_of


def subject_of(
    header: RunHeader, action: ProposedAction, type: ActionType | None, *, version: int = 0, records: Iterable[str] = ()
) -> Subject:
    """An action as scopes of pauses see it.

    Args:
        header: Its run.
        action: What was proposed.
        type: Its type; ``None`` if no connector offers it.
        version: Version of the card that admits it.
        records: Records that a look showed it would touch, besides the one that its type declares.
    """
    target = resource_named(type.target.resource, action.arguments) if type and type.target else ""
    return Subject(
        agent=header.agent,
        run_id=header.run_id,
        version=version,
        type=action.type,
        labels=frozenset(header.labels),
        records=frozenset([*([target] if target else []), *records]),
    )


def admitted_subject(
    header: RunHeader, row: ActionRow, registry: Mapping[str, Operation], records: Iterable[str] = ()
) -> Subject:
    """An action that was admitted, as its row says."""
    operation = registry.get(row.type)
    type = operation.type if operation else None
    return subject_of(header, action_of(row), type, version=row.card_version, records=records)


def cleared_at(row: ActionRow, request: ApprovalRow | None, decision: Decision | None) -> datetime | None:
    """When an action was cleared: proposed, if it was automatic; approved, if people were asked."""
    if request is None:
        return row.proposed_at if row.status == ActionStatus.CLEARED.value else None
    times = [decision.at] if decision is not None and decision.verb is Verb.APPROVE else []
    if request.status == ApprovalStatus.APPROVED.value and request.decided_at is not None:
        times.append(request.decided_at)
    return min(times, default=None)
