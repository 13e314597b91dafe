"""The journal: what was done under which key, written in the same transaction as the rows themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import JSON, Column, Connection, DateTime, Engine, MetaData, String, Table, insert, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from assent.domain.effects import Performed

JOURNAL = "assent_journal"
"""Name of the table in the database that holds the rows."""

_REFUSED = "refused"


class Kind(StrEnum):
    """What was done under a key."""

    PERFORM = "perform"
    UNDO = "undo"


_metadata = MetaData()
_journal = Table(
    JOURNAL,
    _metadata,
    Column("key", String(300), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("outcome", JSON, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)


def create_journal(engine: Engine) -> None:
    """Create the journal where it does not exist; several processes may try at once."""
    try:
        with engine.begin() as connection:
            connection.execute(CreateTable(_journal, if_not_exists=True))
    except DBAPIError:
        if not inspect(engine).has_table(JOURNAL):
            raise


def recorded(connection: Connection, key: str, kind: Kind) -> Performed | str | None:
    """What was done under a key; the reason if it was refused for good; ``None`` if neither yet."""
    query = select(_journal.c.outcome).where(_journal.c.key == key, _journal.c.kind == kind.value)
    outcome = connection.execute(query).scalar_one_or_none()
    if outcome is None:
        return None
    return str(outcome[_REFUSED]) if _REFUSED in outcome else Performed.model_validate(outcome)


def record(connection: Connection, key: str, kind: Kind, outcome: Performed | str) -> None:
    """Write down what this transaction did, or why it did nothing; the primary key guards against doing it twice."""
    content = {_REFUSED: outcome} if isinstance(outcome, str) else outcome.model_dump(mode="json")
    values = {"key": key, "kind": kind.value, "outcome": content, "at": datetime.now(UTC)}
    connection.execute(insert(_journal).values(values))
