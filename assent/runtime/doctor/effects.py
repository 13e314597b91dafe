"""Effects that nobody knows about, and undos that were not seen to work for too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import AssentError
from assent.domain.words import counted
from assent.gateway.undo_proofs import states_of_agent
from assent.runtime.doctor.database import is_missing_file
from assent.runtime.doctor.report import Finding
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.migrate import current_revision, newest_revision
from assent.store.queries import unknowns
from assent.store.tables import AgentRow

MOST_AGENTS = 200
"""Agents whose undos are looked at."""


def look_at_effects(settings: Settings) -> Iterator[Finding]:
    """Say what is unknown, and which undos lack the proof that their card wants; nothing where there is no database."""
    try:
        # A database that is looked at is made by looking: one that is not there yet stays away.
        if is_missing_file(settings.database_url):
            return
        database = Database(settings.database_url)
    except (ImportError, SQLAlchemyError):
        return
    try:
        if current_revision(database) != newest_revision():
            return
        with database.read() as session:
            yield _unknown(session)
            yield from _undos(session, datetime.now(UTC))
    except (AssentError, SQLAlchemyError):
        # What is wrong with the database is said where it is looked at.
        return
    finally:
        database.close()


def _unknown(session: Session) -> Finding:
    number = unknowns.count(session)
    if not number:
        return Finding(part="effects", ok=True, found="It is known of every effect whether it happened.")
    return Finding(
        part="effects",
        ok=False,
        found=f"Of {counted(number, 'effect')} nobody knows whether {'it' if number == 1 else 'they'} happened.",
        todo="Find out: assent effect list",
    )


def _undos(session: Session, now: datetime) -> Iterator[Finding]:
    names = session.execute(select(col(AgentRow.name)).order_by(col(AgentRow.name)).limit(MOST_AGENTS)).scalars().all()
    flagged = [(name, state.fault) for name in names for state in states_of_agent(session, name, now) if state.fault]
    if not flagged:
        yield Finding(part="undo", ok=True, found="Every undo was seen to work as lately as its card wants.")
    for name, fault in flagged:
        yield Finding(part="undo", ok=False, found=fault, todo=f"Prove it: assent agent prove-undo {name}")
