"""The ``undo_proof`` block of a card: how often undos must be seen to work, and which of them lack that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field

from assent.domain.catalogue import ActionType
from assent.domain.undo_kinds import UndoKind
from assent.policy.approval_block import Strict
from assent.policy.durations import Duration, write_duration

USUAL = timedelta(days=90)
"""How old a proof may be where the block does not say."""


class UndoProofBlock(Strict):
    """How often the undo of each action type must have worked: in a test run on scratch records, or for real.

    Attributes:
        within: How old the newest proof may be. One day to one year.
    """

    within: Duration = Field(default=USUAL, ge=timedelta(days=1), le=timedelta(days=365))


@dataclass(frozen=True, slots=True)
class Proven:
    """What was seen of the undo of an action type.

    Attributes:
        worked_at: When it was last seen to work; ``None`` if never.
        failed_at: When a proof last failed; ``None`` if none did.
        said: What the last failed proof said.
        how: ``trial`` or ``rollback``, of the last one that worked; empty if there is none.
        worked_by: Who asked for that one.
        failed_by: Who asked for the last that failed.
    """

    worked_at: datetime | None = None
    failed_at: datetime | None = None
    said: str = ""
    how: str = ""
    worked_by: str = ""
    failed_by: str = ""


@dataclass(frozen=True, slots=True)
class UndoState:
    """The undo of one action type of a card, as its agent's page shows it.

    Attributes:
        type: Name of the action type.
        kind: How it is taken back; ``None`` if it cannot be.
        within: How long after the effect; ``None`` without limit.
        proven: What was seen of it.
        fault: Why it is flagged, one sentence; empty if it is not.
        due_at: Until when the card wants the next proof; ``None`` without a proof that worked, or if it wants none.
        overdue: The card wants a proof, and there is none that is young enough.
    """

    type: str
    kind: UndoKind | None
    within: timedelta | None
    proven: Proven
    fault: str = ""
    due_at: datetime | None = None
    overdue: bool = False


def undo_states(
    block: UndoProofBlock | None,
    types: Iterable[ActionType],
    proven: Mapping[str, Proven],
    now: datetime,
) -> list[UndoState]:
    """The undos of a card's action types that change something, those that are flagged with the reason.

    Args:
        block: What the card says; without it only failed proofs are flagged.
        types: The card's action types, as connectors declare them.
        proven: What was seen of each, by name.
        now: The time.
    """
    states = []
    for type in sorted(types, key=lambda each: each.name):
        if type.reads_only:
            continue
        seen = proven.get(type.name, Proven())
        kind = type.undo.kind if type.undo else None
        within = type.undo.within if type.undo else None
        wanted = block if type.undoes_itself else None
        due = seen.worked_at + wanted.within if wanted and seen.worked_at else None
        overdue = wanted is not None and (due is None or due < now)
        states.append(UndoState(type.name, kind, within, seen, _fault(block, type, seen, now), due, overdue))
    return states


def _fault(block: UndoProofBlock | None, type: ActionType, seen: Proven, now: datetime) -> str:
    if type.undo is None or not type.undo.works:
        return ""
    if seen.failed_at is not None and (seen.worked_at is None or seen.worked_at < seen.failed_at):
        return f"The undo of {type.name} failed when it was last tried ({seen.failed_at:%Y-%m-%d}): {seen.said}"
    if block is None:
        return ""
    if seen.worked_at is None:
        return f"The undo of {type.name} was never seen to work."
    if now - seen.worked_at > block.within:
        age = (now - seen.worked_at).days
        return (
            f"The undo of {type.name} was last seen to work {age} days ago; "
            f"the card wants a proof every {write_duration(block.within)}."
        )
    return ""
