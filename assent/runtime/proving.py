"""Proving the undos of an agent's card, and keeping what came of it with its date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from assent.domain.clock import Clock
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.people import Actor
from assent.gateway.cards import card_in_force
from assent.store import proofs
from assent.store.database import Database
from assent.store.proofs import Proof
from assent_activities.connectors import ConnectorUnavailable, Operation
from assent_activities.outcomes import spoken
from assent_activities.proving import CannotTry, NotProven, prove


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying one undo.

    Attributes:
        type: The action type.
        worked: It works; ``None`` if it could not be tried, which says nothing about it.
        said: What was checked, what went wrong, or why it could not be tried.
        at: When.
    """

    type: str
    worked: bool | None
    said: str
    at: datetime


def prove_undos(
    database: Database,
    registry: Mapping[str, Operation],
    agent: str,
    *,
    type: str | None,
    by: Actor,
    clock: Clock,
    progress: Callable[[str], None],
) -> list[Tried]:
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
    tried: list[Tried] = []
    for name in [type] if type is not None else sorted(card.actions):
        operation = registry.get(name)
        if operation is None:
            raise NotFound(f"No connector offers {name}.", where="type", todo="Add it to ASSENT_CONNECTORS.")
        if type is None and (operation.type.reads_only or operation.type.undo is None):
            continue
        progress(name)
        tried.extend(_one(database, operation, agent, by, clock))
    return tried


def _one(database: Database, operation: Operation, agent: str, by: Actor, clock: Clock) -> Iterator[Tried]:
    name = operation.type.name
    try:
        said, worked = prove(operation, agent=agent), True
    except CannotTry as error:
        yield Tried(name, None, spoken(error), clock())
        return
    except ConnectorUnavailable as error:
        yield Tried(name, None, f"The system could not be reached: {spoken(error)}", clock())
        return
    except NotProven as error:
        said, worked = spoken(error), False
    except Exception as error:
        said, worked = f"It broke off: {error.__class__.__name__}: {spoken(error)}", False
    at = clock()
    with database.write() as session:
        proofs.note(session, Proof(name, at, worked, proofs.TRIAL, by, said=said), agent=agent)
    yield Tried(name, worked, said, at)
