"""What an action type's connector says to people about one call, with its arguments filled in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from assent.domain.undo_kinds import UndoKind
from assent.policy.sentences import fill
from assent.store.queries.unknowns import UnknownInFull


@dataclass(frozen=True, slots=True)
class UndoInWords:
    """How one call is taken back.

    Attributes:
        kind: How.
        sentence: The same in words.
        within: How long after the effect; ``None`` without limit.
        runbook: What a person does; empty if there is nothing to do by hand.
        link: Where more is written; empty if nowhere.
    """

    kind: UndoKind
    sentence: str
    within: timedelta | None
    runbook: str
    link: str


def how_to_find_out(found: UnknownInFull) -> str:
    """Where and how to look whether it happened; empty if the connector gives no advice."""
    return fill(found.type.how_to_find_out, found.type, found.arguments) if found.type else ""


def undo_of(found: UnknownInFull) -> UndoInWords | None:
    """How it is taken back if it happened; ``None`` if it cannot be."""
    if found.type is None or found.type.undo is None:
        return None
    undo, type = found.type.undo, found.type
    return UndoInWords(
        kind=undo.kind,
        sentence=fill(undo.sentence, type, found.arguments),
        within=undo.within,
        runbook=fill(undo.runbook.text, type, found.arguments) if undo.runbook else "",
        link=undo.runbook.link if undo.runbook else "",
    )
