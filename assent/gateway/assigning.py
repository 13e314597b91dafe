"""Handing a request to somebody else, and asking somebody besides."""

from __future__ import annotations

from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, Conflict, Forbidden, NotFound
from assent.domain.people import Actor, Role
from assent.gateway.decisions import DecisionDoor
from assent.gateway.door import reason_within
from assent.store import electorate, lending, people


class AssignDoor(DecisionDoor):
    """What approvers come through to let others decide. It needs the database alone."""

    async def reassign(
        self, approval_id: str, *, to: str, by: Actor, from_person: str | None = None, reason: str = ""
    ) -> None:
        """Hand a pending request to somebody who decides it in one's place.

        Args:
            approval_id: The request.
            to: Id of the person who is to decide it.
            by: Who hands it over.
            from_person: Id of the person whose place it is, if not their own: operators, owners and administrators may.
            reason: Why, at most 500 characters.

        Raises:
            NotFound: There is no such request or person.
            Forbidden: The giver may not approve it, the taker must not, or it is not theirs to hand over.
            Conflict: It waits no more, or was handed over before.
            InvalidInput: Both are one person.
            Unavailable: The database is away; nothing was changed.
        """
        await self._lend(approval_id, to, by, from_person, electorate.REASSIGNED, reason)

    async def ask_also(self, approval_id: str, *, to: str, by: Actor, reason: str = "") -> None:
        """Ask somebody else besides: either of the two may decide in the asking person's name, and count as one.

        Raises:
            NotFound: There is no such request or person.
            Forbidden: The asking person may not approve it, or the other must not.
            Conflict: It waits no more, or they were asked before.
            InvalidInput: Both are one person.
            Unavailable: The database is away; nothing was changed.
        """
        await self._lend(approval_id, to, by, None, electorate.ASKED, reason)

    async def _lend(self, approval_id: str, to: str, by: Actor, from_person: str | None, why: str, reason: str) -> None:
        reason_within(500, reason)

        def write() -> None:
            try:
                with self._database.write() as session:
                    _require_right(session, by, from_person)
                    lending.lend(
                        session,
                        approval_id,
                        giver_id=from_person or by.id,
                        taker_id=to,
                        why=why,
                        reason=reason.strip(),
                        by=by,
                        at=self._clock(),
                        channels=self._channels,
                    )
            except (Forbidden, Conflict) as error:
                self._note_lending(error, approval_id, by)
                raise

        await self._in_thread(write)

    def _note_lending(self, error: AssentError, approval_id: str, by: Actor) -> None:
        body = {"approval": approval_id, "verb": "reassign"}
        self._refusals.record("approval.refused", error.what, where=error.where, via=by.via, actor=by, body=body)


def _require_right(session: Session, by: Actor, from_person: str | None) -> None:
    """Refuse to hand over somebody else's place to whoever has no say over it."""
    person = people.one(session, by.id)
    if person is None or person.disabled:
        raise NotFound(f"There is no person {by.id!r}.", where="person", todo="`assent people list` shows all.")
    if from_person is None or from_person == by.id:
        return
    if not (person.may(Role.OPERATOR) or person.may(Role.OWNER)):
        raise Forbidden(
            f"{by.name} may hand over only their own place.",
            where="from",
            todo="Ask an operator, an owner or an administrator.",
        )
