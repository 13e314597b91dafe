"""Proving the undos of an agent's card, and keeping what came of it with its date."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assent.domain.clock import Clock
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.people import Actor
from assent.domain.proving import TriedUndo
from assent.gateway.cards import card_in_force
from assent.store.database import Database
from assent_activities.connectors import Operation
from assent_activities.undo_trials import try_undo


def prove_undos(
    database: Database,
    registry: Mapping[str, Operation],
    agent: str,
    *,
    type: str | None,
    by: Actor,
    clock: Clock,
    progress: Callable[[str], None],
) -> list[TriedUndo]:
    """Try the undo of one action type of an agent's card, or of every one that changes something.

    Proofs are kept with their date, those that failed as well.

    Raises:
        NotFound: There is no such agent, or no connector offers the type.
        InvalidInput: The card does not list the type.
        Unavailable: The database is away.
    """
    with database.read() as session:
        card = card_in_force(session, agent).card
    if type is not None and type not in card.actions:
        raise InvalidInput(
            f"The card of {agent} does not list {type}.",
            where="type",
            todo=f"It lists {', '.join(sorted(card.actions))}.",
        )
    tried: list[TriedUndo] = []
    for name in [type] if type is not None else sorted(card.actions):
        operation = registry.get(name)
        if operation is None:
            raise NotFound(f"No connector offers {name}.", where="type", todo="Add it to ASSENT_CONNECTORS.")
        if type is None and (operation.type.reads_only or operation.type.undo is None):
            continue
        progress(name)
        tried.append(try_undo(database, operation, agent, by=by, clock=clock))
    return tried
