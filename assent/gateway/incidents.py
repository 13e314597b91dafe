"""Incidents: opened, filled, moved on. All of it needs the database alone, apart from what pausing needs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.errors import Conflict, InvalidInput
from assent.domain.incidents import IncidentState, PartKind, Severity
from assent.domain.pauses import Disposition, Scope
from assent.domain.people import Actor
from assent.gateway.incident_writing import IncidentWritingDoor
from assent.gateway.stopping import StopDoor
from assent.store import incidents, people
from assent.store.queries import incidents as views
from assent.store.queries import pauses, runs
from assent.store.queries.affected import Sought, find
from assent.store.queries.paging import MAX_LIMIT, PageRequest

MOST_FOUND = 10_000
"""Records or runs that one search adds to an incident."""


@dataclass(frozen=True, slots=True)
class NewIncident:
    """What an incident is opened with.

    Attributes:
        title: What went wrong, at most 200 characters; said from the first pause or run if empty.
        severity: How bad it is.
        commander_id: Who leads; whoever opens it, if empty and they are a person here.
        began_at: When it began; when the first of its pauses and runs did, if not said.
        pause_ids: Pauses that belong to it.
        run_ids: Affected runs.
        records: Affected records, by stable name.
        rollback_ids: Rollbacks that belong to it.
    """

    title: str = ""
    severity: Severity = Severity.HIGH
    commander_id: str = ""
    began_at: datetime | None = None
    pause_ids: Sequence[str] = ()
    run_ids: Sequence[str] = ()
    records: Sequence[str] = ()
    rollback_ids: Sequence[str] = ()


class IncidentDoor(IncidentWritingDoor, StopDoor):
    """What people come through who lead an incident, or work in one."""

    async def open_incident(self, wanted: NewIncident, *, by: Actor) -> str:
        """Open an incident with what is known; gives its id.

        Raises:
            Forbidden: They may not.
            InvalidInput: It has no title and nothing to take one from.
            TooLarge: The title is too long.
            NotFound: A pause, run, rollback or person is not known.
            Unavailable: The database is away; nothing was opened.
        """
        incident_id = f"incident-{uuid.uuid4().hex[:12]}"
        at = self._clock()

        def keep(session: Session) -> str:
            found = [pauses.one(session, each) for each in wanted.pause_ids]
            touched = [runs.one(session, each) for each in wanted.run_ids]
            causes = [pause.cause or f"{pause.scope.sentence} was paused" for pause in found]
            goals = [f"Run {run.goal or run.run_id}" for run in touched]
            named = [*causes, *goals, *(f"Record {each}" for each in wanted.records)]
            begun = [*(pause.requested_at for pause in found), *(run.started_at for run in touched), at]
            lead = wanted.commander_id or (by.id if people.one(session, by.id) is not None else "")
            incidents.open_incident(
                session,
                incident_id=incident_id,
                title=wanted.title.strip() or (named[0][:200] if named else ""),
                severity=wanted.severity,
                began_at=min(wanted.began_at or min(begun), at),
                commander_id=lead,
                at=at,
                by=by,
            )
            for kind, refs in (
                (PartKind.PAUSE, wanted.pause_ids),
                (PartKind.RUN, wanted.run_ids),
                (PartKind.RECORD, wanted.records),
                (PartKind.ROLLBACK, wanted.rollback_ids),
            ):
                if refs:
                    incidents.add_parts(session, incident_id, kind, refs, at=at, by=by)
            held = [pause.fenced_at for pause in found if pause.active]
            if held:
                self._stopped(session, incident_id, since=min(held), by=by)
            return incident_id

        return await self._write_incident(by, keep)

    async def change_incident(
        self,
        incident_id: str,
        *,
        by: Actor,
        title: str | None = None,
        severity: Severity | None = None,
        commander_id: str | None = None,
        began_at: datetime | None = None,
        noticed_at: datetime | None = None,
    ) -> None:
        """Change what is said of an incident; what is ``None`` stays.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident or person.
            InvalidInput: The title is empty.
            Conflict: It is closed, or the times make no sense.
        """

        def keep(session: Session) -> None:
            incidents.change(
                session,
                incident_id,
                at=self._clock(),
                by=by,
                title=title,
                severity=severity,
                commander_id=commander_id,
                began_at=began_at,
                noticed_at=noticed_at,
            )

        await self._write_incident(by, keep)

    async def move_incident(self, incident_id: str, state: IncidentState, *, by: Actor, why: str = "") -> None:
        """Take an incident on: stopped, undone, mended, closed, or open again.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident.
            InvalidInput: It is opened again without a word why.
            Conflict: There is no such way, or its post-mortem is not written.
        """
        if state is IncidentState.OPEN and not why.strip():
            raise InvalidInput("Opening it again needs a reason.", where="why", todo="Say what happened.")
        at = self._clock()
        await self._write_incident(
            by, lambda session: incidents.move(session, incident_id, state, at=at, by=by, why=why.strip(), since=at)
        )

    async def group(self, incident_id: str, kind: PartKind, refs: Sequence[str], *, by: Actor) -> int:
        """Let pauses, runs, records or rollbacks belong to an incident; gives how many were new.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident, or no such thing.
            InvalidInput: Nothing is named, or a name is too long.
            Conflict: It is closed.
        """
        named = [ref.strip() for ref in refs if ref.strip()]
        if not named or any(len(ref) > 200 for ref in named) or len(named) > MOST_FOUND:
            raise InvalidInput(f"Name 1 to {MOST_FOUND:,} of them, each up to 200 characters.", where="ref")
        return await self._write_incident(
            by, lambda session: incidents.add_parts(session, incident_id, kind, named, at=self._clock(), by=by)
        )

    async def ungroup(self, incident_id: str, kind: PartKind, ref: str, *, by: Actor) -> None:
        """Let something no longer belong to an incident.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident, or it does not belong to it.
            Conflict: It is closed.
        """
        await self._write_incident(
            by, lambda session: incidents.remove_part(session, incident_id, kind, ref, at=self._clock(), by=by)
        )

    async def group_found(self, incident_id: str, sought: Sought, kind: PartKind, *, by: Actor) -> int:
        """Let everything that a search finds belong to an incident, its records or its runs; gives how many were new.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident.
            InvalidInput: The search makes no sense, or finds more than :data:`MOST_FOUND`.
            Conflict: It is closed.
        """
        if kind not in (PartKind.RUN, PartKind.RECORD):
            raise InvalidInput("A search finds runs and records.", where="kind")
        found = await self._in_thread(lambda: self._found(sought, kind))
        if not found:
            return 0
        return await self.group(incident_id, kind, found, by=by)

    async def pause_for_incident(
        self, incident_id: str, scope: Scope, *, by: Actor, disposition: Disposition = Disposition.FREEZE
    ) -> str:
        """Pause something because of an incident; the pause belongs to it, and the incident is stopped from then on.

        The pause names the incident and who opened it, not its title.

        Raises:
            Forbidden: They may not.
            NotFound: There is no such incident or scope.
            Conflict: It is closed.
        """

        def look(session: Session) -> str:
            found = views.one(session, incident_id)
            if found.closed_at is not None:
                raise Conflict("This incident is closed.", where="incident", todo="Open it again first.")
            # Everybody sees why something is paused, but not everybody may read incidents: no word of it goes there.
            return f"Incident {incident_id}, opened by {found.opened_by.name}"

        cause = await self._write_incident(by, look)
        pause_id = await self.pause(scope, by=by, cause=cause, disposition=disposition)

        def attach(session: Session) -> None:
            at = self._clock()
            incidents.add_parts(session, incident_id, PartKind.PAUSE, [pause_id], at=at, by=by)
            self._stopped(session, incident_id, since=pauses.one(session, pause_id).fenced_at, by=by)

        await self._write_incident(by, attach)
        return pause_id

    def _stopped(self, session: Session, incident_id: str, *, since: datetime, by: Actor) -> None:
        """An open incident that a pause holds is stopped, from the moment of its fence."""
        if views.one(session, incident_id).state is IncidentState.OPEN:
            state, at = IncidentState.STOPPED, self._clock()
            incidents.move(session, incident_id, state, at=at, by=by, why="A pause of it is fenced.", since=since)

    def _found(self, sought: Sought, kind: PartKind) -> list[str]:
        found: dict[str, None] = {}
        cursor: str | None = None
        with self._database.read() as session:
            while True:
                page = find(session, sought, request=PageRequest(MAX_LIMIT, cursor))
                found |= {each: None for item in page.items if (each := _ref(item.run_id, item.record, kind))}
                if len(found) > MOST_FOUND:
                    raise InvalidInput(
                        f"This finds more than {MOST_FOUND:,}.", where="name", todo="Narrow it down, by time say."
                    )
                if (cursor := page.next_cursor) is None:
                    return list(found)


def _ref(run_id: str, record: str, kind: PartKind) -> str:
    return run_id if kind is PartKind.RUN else record
