"""What people write in incidents: notes, texts that are sent, the post-mortem, and what was agreed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from sqlalchemy.orm import Session

from assent.domain.errors import Forbidden, InvalidInput
from assent.domain.incident_words import status_text
from assent.domain.incidents import WRITERS, FollowUpState, Section
from assent.domain.people import SYSTEM, Actor, Via
from assent.gateway.door import Door
from assent.gateway.incident_facts import known_of
from assent.store import incident_actions, incident_writing, people

_T = TypeVar("_T")


class IncidentWritingDoor(Door):
    """What people come through who say something of an incident."""

    async def note_incident(self, incident_id: str, text: str, *, by: Actor) -> str:
        """Keep a note on an incident's timeline; gives its id.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident.
            InvalidInput: There is no text.
            TooLarge: It is too long.
        """
        return await self._write_incident(
            by, lambda session: incident_writing.write_down(session, incident_id, text, at=self._clock(), by=by)
        )

    async def draft_status(self, incident_id: str) -> str:
        """What people could be told now, from facts alone.

        Raises:
            NotFound: There is no such incident.
        """
        return await self._in_thread(lambda: self._draft(incident_id))

    async def tell(self, incident_id: str, text: str, *, channel: str, by: Actor, drafted: str = "") -> str:
        """Send a text about an incident, and keep it; gives its id.

        Args:
            incident_id: What it is about.
            text: As it is sent.
            channel: ``slack``; empty if people send it themselves and it is only kept.
            by: Who sends it.
            drafted: What had been drafted, so that it shows whether somebody changed it.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident.
            InvalidInput: There is no text, or there is no such channel here.
            TooLarge: It is too long.
        """
        if channel and channel not in self._channels:
            raise InvalidInput(
                f"Nothing is sent by {channel!r} here.",
                where="channel",
                todo="Leave the channel out to keep the text only; with Slack set up, it is `slack`.",
            )
        return await self._write_incident(
            by,
            lambda session: incident_writing.tell(
                session, incident_id, text, channel=channel, drafted=drafted, at=self._clock(), by=by
            ),
        )

    async def write_section(self, incident_id: str, section: Section, text: str, *, after: int, by: Actor) -> int:
        """Write a section of the post-mortem; gives its version.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident.
            TooLarge: It is too long.
            Conflict: Somebody else has written since version ``after``.
        """
        return await self._write_incident(
            by,
            lambda session: incident_writing.write_section(
                session, incident_id, section, text, after=after, at=self._clock(), by=by
            ),
        )

    async def agree(self, incident_id: str, text: str, *, owner_id: str, due: date, by: Actor) -> str:
        """Keep what shall be done after an incident; gives its id.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident or person.
            InvalidInput: There is no text.
        """
        return await self._write_incident(
            by,
            lambda session: incident_actions.agree(
                session, incident_id, text, owner_id=owner_id, due=due, at=self._clock(), by=by
            ),
        )

    async def settle_follow_up(self, action_id: str, state: FollowUpState, *, by: Actor, note: str = "") -> str:
        """Say that an action is done, dropped or open again; gives its incident's id.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such action.
            InvalidInput: It is dropped without a word why.
            Conflict: It is in that state already.
        """
        return await self._write_incident(
            by,
            lambda session: incident_actions.settle(session, action_id, state, words=note, at=self._clock(), by=by),
        )

    async def hand_over_follow_up(
        self, action_id: str, *, by: Actor, owner_id: str | None = None, due: date | None = None
    ) -> str:
        """Give an action another owner or day; gives its incident's id.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such action or person.
        """
        return await self._write_incident(
            by,
            lambda session: incident_actions.hand_over(
                session, action_id, owner_id=owner_id, due=due, at=self._clock(), by=by
            ),
        )

    def _draft(self, incident_id: str) -> str:
        with self._database.read() as session:
            return status_text(known_of(session, incident_id).facts, self._clock())

    async def _write_incident(self, by: Actor, work: Callable[[Session], _T]) -> _T:
        def in_transaction() -> _T:
            with self._database.write() as session:
                require_writer(session, by)
                return work(session)

        return await self._in_thread(in_transaction)


def require_writer(session: Session, by: Actor) -> None:
    """Refuse whoever may not open incidents nor write in them; whoever is at the machine may.

    Raises:
        Forbidden: They may not.
    """
    if by.id == SYSTEM.id or (by.via is Via.CLI and by.id.startswith("console:")):
        return
    person = people.one(session, by.id)
    if person is None or person.disabled or not WRITERS & set(person.roles):
        raise Forbidden(
            f"{by.name} may not write in incidents.",
            where="role",
            todo="It needs the role operator or owner; an admin gives it with `assent people roles`.",
        )
