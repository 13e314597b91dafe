"""One request under decision, and the events of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy.orm import Session

from assent.domain.approving import ApprovalRules
from assent.domain.canonical import Json
from assent.domain.people import SYSTEM, Actor
from assent.domain.voting import Voter
from assent.store import electorate, ledger
from assent.store.tables import ActionRow, ApprovalRow


@dataclass(frozen=True)
class Case:
    """One request under decision, locked by its action's row; who votes on it is looked up once.

    Attributes:
        row: The action's row.
        request: The request's row.
        held: Pauses that hold it: time stands still.
        now: The time.
    """

    row: ActionRow
    request: ApprovalRow
    held: bool
    now: datetime
    _voters: dict[str, Voter | None] = field(default_factory=dict)

    @cached_property
    def rules(self) -> ApprovalRules:
        """How it is decided."""
        return electorate.rules_of(self.request)

    def voter(self, session: Session, person_id: str) -> Voter | None:
        """Somebody as they are now; ``None`` if there is no such person."""
        if person_id not in self._voters:
            self._voters[person_id] = electorate.voter_on(session, self.request, person_id, self.now)
        return self._voters[person_id]


def note(session: Session, case: Case, kind: str, body: Mapping[str, Json], *, actor: Actor = SYSTEM) -> None:
    """Write an event of a request."""
    ledger.append_of(session, case.row, kind, {"approval": case.request.id, **body}, at=case.now, actor=actor)
