"""What may be used once in Slack's setup: links to install the app, OAuth states, codes that link a person."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.store.statements import rows_changed
from assent.store.tables import SlackTicketRow

LIFETIME = timedelta(minutes=15)
"""How long a ticket works."""

KEPT = timedelta(days=1)
"""How long a ticket's row is kept after its end."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
"""Characters of a code that a person types: 60 random bits, good for minutes and one use."""

_READ_AS = str.maketrans("ILO", "110")


class Purpose(StrEnum):
    """What a ticket is for; one for another purpose is none."""

    INSTALL = "install"
    STATE = "state"
    TYPED_IN_SLACK = "typed in slack"
    OPENED_ON_THE_WEB = "opened on the web"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket was made for.

    Attributes:
        purpose: What it is for.
        person_id: The person it was made for, if any.
        team_id: The Slack workspace it was made in, if any.
        user_id: The Slack user it was made for, if any.
        name: What Slack calls them.
    """

    purpose: Purpose
    person_id: str = ""
    team_id: str = ""
    user_id: str = ""
    name: str = ""


class Tickets:
    """Makes tickets and uses them up. Only keyed hashes of them are stored.

    Args:
        key: The installation's secret key.
    """

    def __init__(self, key: str) -> None:
        self._key = sha256(f"slack ticket\n{key}".encode()).digest()

    def make(self, session: Session, ticket: Ticket, *, at: datetime) -> str:
        """A new ticket, as twelve characters in groups of four that a person can type."""
        session.execute(delete(SlackTicketRow).where(col(SlackTicketRow.expires_at) < at - KEPT))
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        session.execute(
            insert(SlackTicketRow).values(
                token_hash=self.kept(code),
                purpose=ticket.purpose.value,
                person_id=ticket.person_id,
                team_id=ticket.team_id,
                user_id=ticket.user_id,
                name=ticket.name,
                created_at=at,
                expires_at=at + LIFETIME,
            )
        )
        return "-".join(code[start : start + 4] for start in range(0, _LENGTH, 4))

    def look(self, session: Session, code: str, purpose: Purpose, *, at: datetime) -> Ticket | None:
        """What an unused ticket is for, without using it up; ``None`` if it is unknown, used or too old."""
        row = session.get(SlackTicketRow, self.kept(code))
        if row is None or row.purpose != purpose.value or row.used_at is not None or row.expires_at <= at:
            return None
        return _ticket(row)

    def use_up(self, session: Session, code: str, purpose: Purpose, *, at: datetime) -> Ticket | None:
        """Use a ticket up; ``None`` if it is unknown, used, too old or for something else."""
        return self.use_up_kept(session, self.kept(code), purpose, at=at)

    def use_up_kept(self, session: Session, kept: str, purpose: Purpose, *, at: datetime) -> Ticket | None:
        """Use up the ticket of which this is kept."""
        used = session.execute(
            update(SlackTicketRow)
            .where(
                col(SlackTicketRow.token_hash) == kept,
                col(SlackTicketRow.purpose) == purpose.value,
                col(SlackTicketRow.used_at).is_(None),
                col(SlackTicketRow.expires_at) > at,
            )
            .values(used_at=at)
            .execution_options(synchronize_session=False)
        )
        if rows_changed(used) == 0:
            return None
        row = session.get(SlackTicketRow, kept, populate_existing=True)
        assert row is not None
        return _ticket(row)

    def used(self, session: Session, code: str, purpose: Purpose) -> Ticket | None:
        """What a ticket that was used up was for."""
        row = session.get(SlackTicketRow, self.kept(code))
        return _ticket(row) if row is not None and row.purpose == purpose.value and row.used_at is not None else None

    def kept(self, code: str) -> str:
        """What is stored of a ticket, a keyed hash; case, spaces and dashes do not count."""
        typed = "".join(code.upper().split()).replace("-", "").translate(_READ_AS)[:100]
        return hmac.new(self._key, typed.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def _ticket(row: SlackTicketRow) -> Ticket:
    return Ticket(Purpose(row.purpose), row.person_id, row.team_id, row.user_id, row.name)
