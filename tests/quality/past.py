"""A past: requests that were decided, written as the activities write them, and counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from assent.domain.approvals import ApprovalStatus, RequestCard
from assent.domain.people import SYSTEM, Actor, Via
from assent.domain.quality import Figures, Measure, bucket_of
from assent.store import ledger, quality
from assent.store.database import Database
from assent.store.tables import ActionRow, ApprovalRow, DecisionRow, OpeningRow

NOW = datetime(2030, 3, 31, 12, 0, tzinfo=UTC)
WORDS = 40
"""Words of every card: ten seconds of reading."""
READING = 10.0
ANN = Actor(id="ann", name="Ann", via=Via.WEB)


@dataclass(frozen=True)
class Case:
    """One request.

    Attributes:
        ended: How it ended: a status, or ``unopposed``; ``pending`` if it did not.
        ago: Days ago that it was asked and ended.
        took: Seconds until then.
        edited: How often its arguments were edited.
        looks: For each vote, seconds on the card; -1: opened, nobody knows how long; ``None``: not opened.
        effect: What came of it: ``done``, ``unknown``, ``undone`` or nothing.
    """

    ended: str = "approved"
    ago: int = 0
    took: int = 60
    edited: int = 0
    looks: tuple[float | None, ...] = (None,)
    effect: str = ""
    agent: str = "clerk"
    type: str = "desk.pay"


def write(database: Database, cases: Sequence[Case], *, start: int = 0) -> None:
    """Write the rows and ledger events of requests."""
    with database.write() as session:
        for number, case in enumerate(cases, start):
            _write(session, number, case)
    ledger.seal_all(database)


def counted(database: Database) -> None:
    """Count what is sealed."""
    while quality.count(database, NOW):
        pass


def by_hand(cases: Sequence[Case]) -> Figures:
    """The figures as the definitions say them, straight from the cases."""
    decided = [case for case in cases if case.ended in ("approved", "rejected")]
    votes = [look for case in cases if case.ended == "approved" for look in case.looks]
    timed = [look for look in votes if look is not None and look >= 0]
    return Figures(
        asked=len(cases),
        approved=sum(case.ended == "approved" for case in cases),
        refused=sum(case.ended == "rejected" for case in cases),
        expired=sum(case.ended == "expired" for case in cases),
        withdrawn=sum(case.ended == "withdrawn" for case in cases),
        unopposed=sum(case.ended == "unopposed" for case in cases),
        edited=sum(case.edited > 0 for case in cases),
        changed=sum(case.edited > 0 or case.ended == "rejected" for case in decided),
        votes=len(votes),
        opened=sum(look is not None for look in votes),
        timed=len(timed),
        hasty=sum(look < READING for look in timed),
        ran=sum(case.effect in ("done", "undone") for case in cases),
        undone=sum(case.effect == "undone" for case in cases),
        unknown=sum(case.effect == "unknown" for case in cases),
        decide=_tally([case.took for case in decided]),
        look=_tally(timed),
    )


def _tally(times: Sequence[float]) -> dict[int, int]:
    found: dict[int, int] = {}
    for time in times:
        found[bucket_of(time)] = found.get(bucket_of(time), 0) + 1
    return found


def _write(session: Session, number: int, case: Case) -> None:
    action_id, approval_id, run_id = f"run-{number}:a", f"ap-{number}", f"run-{number}"
    ended = NOW - timedelta(days=case.ago)
    asked = ended - timedelta(seconds=case.took)
    digest = f"digest-{number}-{case.edited}"
    status = "approved" if case.ended == "unopposed" else case.ended

    def event(kind: str, at: datetime, **body: Any) -> None:
        values = {"approval": approval_id, **body}
        ledger.append(
            session, at=at, kind=kind, actor=SYSTEM, run_id=run_id, action_id=action_id, agent=case.agent, body=values
        )

    session.execute(
        insert(ActionRow).values(
            action_id=action_id,
            run_id=run_id,
            key="a",
            agent=case.agent,
            type=case.type,
            arguments={},
            reason="",
            sentence="Pay",
            status="awaiting",
            tier=1,
            reasons=[],
            card_version=1,
            message="",
            proposed_at=asked,
        )
    )
    card = RequestCard(
        headline="Pay",
        agent=case.agent,
        run_id=run_id,
        action_type=case.type,
        action_title="Pay",
        arguments={},
        undo="",
        text="word " * WORDS,
    )
    session.execute(
        insert(ApprovalRow).values(
            id=approval_id,
            action_id=action_id,
            run_id=run_id,
            agent=case.agent,
            type=case.type,
            digest=digest,
            revision=case.edited + 1,
            headline="Pay",
            card=card.model_dump(mode="json"),
            status=status,
            created_at=asked,
            expires_at=asked + timedelta(days=1),
            decided_at=None if status == "pending" else ended,
        )
    )
    event("approval.requested", asked)
    for revision in range(2, case.edited + 2):
        event("approval.revised", asked, shown={"revision": revision})
    for place, look in enumerate(case.looks if case.ended == "approved" else ()):
        person = f"person-{place}"
        _vote(session, f"d-{number}-{place}", approval_id, action_id, digest, person, ended)
        if look is not None:
            known = None if look < 0 else look
            measured = (Measure.UNKNOWN if look < 0 else Measure.VISIBLE).value
            row = {"approval_id": approval_id, "digest": digest, "person_id": person, "at": ended}
            session.execute(insert(OpeningRow).values(**row, seconds=known, measured=measured))
    if case.ended in ("approved", "rejected"):
        verb = "approve" if case.ended == "approved" else "reject"
        event("approval.decided", ended, verb=verb, digest=digest)
    elif case.ended in ("expired", "unopposed"):
        event(f"approval.{case.ended}", ended)
    elif status == ApprovalStatus.WITHDRAWN.value:
        event("action.withdrawn", ended)
    if case.effect:
        event(f"effect.{'unknown' if case.effect == 'unknown' else 'done'}", ended)
    if case.effect == "undone":
        event("undo.done", ended)


def _vote(session: Session, id: str, approval_id: str, action_id: str, digest: str, person: str, at: datetime) -> None:
    actor = Actor(id=person, name=person, via=Via.WEB).model_dump(mode="json")
    values: dict[str, Any] = {"approval_id": approval_id, "action_id": action_id, "verb": "approve", "at": at}
    values |= {"actor": actor, "counted": True, "digest": digest, "person": person, "needs": []}
    session.execute(insert(DecisionRow).values(id=id, **values))
    # What lapsed, did not count or was about something else is no approval.
    odd_ones: list[dict[str, Any]] = [{"lapsed": True}, {"counted": False}, {"digest": "before"}]
    for place, odd in enumerate(odd_ones):
        session.execute(insert(DecisionRow).values(id=f"{id}-{place}", **{**values, **odd}))
