"""How a ledger event is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from assent.domain.canonical import Json
from assent.domain.people import Actor
from assent.store.tables import LedgerEventRow


@dataclass(frozen=True, slots=True)
class EventView:
    """A ledger event.

    Attributes:
        id: Its number; later events of a run have greater ones.
        at: When.
        kind: What happened, ``effect.done``.
        run_id: The run it belongs to; empty if none.
        action_id: The action it belongs to; empty if none.
        agent: The agent it concerns; empty if none.
        actor: Who did it.
        body: Details.
    """

    id: int
    at: datetime
    kind: str
    run_id: str
    action_id: str
    agent: str
    actor: Actor
    body: dict[str, Json]


def event_view(row: LedgerEventRow) -> EventView:
    """A row as a view."""
    assert row.id is not None
    return EventView(
        id=row.id,
        at=row.at,
        kind=row.kind,
        run_id=row.run_id,
        action_id=row.action_id,
        agent=row.agent,
        actor=Actor.model_validate_json(row.actor),
        body=json.loads(row.body),
    )
