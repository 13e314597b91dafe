"""Letting the runs of a pause go on step by step: the first one, then a few, then all; and taking that back.

A pause stays in force while it lets runs go: claims in released runs pass, all others are held. Each step waits until
the effects of the one before have succeeded, or for a time that the card says. The database alone holds where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.effects import EffectStatus
from assent.domain.errors import Conflict
from assent.domain.pauses import PausePhase, ResumeAnswers, ResumeState
from assent.domain.people import SYSTEM, Actor
from assent.store import ledger
from assent.store.database import Database
from assent.store.fence import FENCE
from assent.store.pause_rows import in_life, required, subject_of
from assent.store.pause_scopes import scope_of
from assent.store.pause_times import give_time_back
from assent.store.pauses import end, fall_back, held_runs
from assent.store.tables import EffectRow, PauseReleaseRow, PauseRow

A_FEW = 5
"""Runs that are let go after the first one."""

_FAILED = {EffectStatus.FAILED.value, EffectStatus.UNKNOWN.value}


@dataclass(frozen=True, slots=True)
class RampStep:
    """What a look at a ramp brought.

    Attributes:
        state: Whether it goes on or the pause has ended; ``None`` if it does not let runs go (any more).
        wake: Runs that were let go by this look.
    """

    state: ResumeState | None
    wake: Sequence[str] = ()


def want_second(
    database: Database,
    session: Session,
    *,
    pause_id: str,
    answers: ResumeAnswers,
    by: Actor,
    at: datetime,
    at_once: bool = False,
) -> None:
    """Write down that somebody wants a pause to end, and that it needs a second person.

    Raises:
        NotFound: There is no such pause.
        Conflict: It has ended, or lets its runs go already.
    """
    database.lock_alone(session, FENCE)
    row = _holding(session, pause_id)
    answers = answers.model_copy(update={"at_once": at_once})
    _answer(row, answers, by, at)
    row.phase = PausePhase.SECOND_WANTED.value
    session.flush()
    body = {"pause": pause_id, **answers.model_dump(mode="json")}
    ledger.append(session, at=at, kind="pause.resume_asked", actor=by, body=body, **subject_of(scope_of(row)))


def start(
    database: Database,
    session: Session,
    *,
    pause_id: str,
    answers: ResumeAnswers,
    by: Actor,
    at: datetime,
    second: Actor | None = None,
    step_time: timedelta = timedelta(seconds=30),
    at_once: bool = False,
) -> ResumeState:
    """Let the first run of a pause go; where it holds none but that, or at once is wished, end the pause.

    Args:
        database: The database.
        session: The transaction.
        pause_id: The pause.
        answers: What ``by`` said.
        by: Who asked for it.
        at: When.
        second: Who agreed, where two people are needed.
        step_time: How long a step waits at most for the effects of its runs.
        at_once: Let everything go.

    Raises:
        NotFound: There is no such pause.
        Conflict: It has ended, or lets its runs go already (and not all at once is wished).
    """
    database.lock_alone(session, FENCE)
    row = in_life(session, pause_id)
    if row.phase == PausePhase.RELEASING.value and not at_once:
        raise Conflict(f"The pause {pause_id} is letting its runs go already.", where="pause")
    if row.phase != PausePhase.RELEASING.value:
        _answer(row, answers, by, at)
    row.second_by = second.model_dump(mode="json") if second else row.second_by
    row.ramp_seconds = max(int(step_time.total_seconds()), 0)
    waiting = held_runs(session, pause_id, scope_of(row))
    if at_once or len(waiting) < 2:
        session.flush()
        end(database, session, pause_id=pause_id, note=answers.sentence, by=by, at=at)
        return ResumeState.ENDED
    row.phase = PausePhase.RELEASING.value
    body = {"pause": pause_id, **answers.model_dump(mode="json"), "runs": len(waiting)}
    ledger.append(session, at=at, kind="pause.releasing", actor=by, body=body, **subject_of(scope_of(row)))
    _release(session, row, waiting[:1], stage=1, at=at)
    return ResumeState.RELEASING


def step(database: Database, session: Session, pause_id: str, *, at: datetime) -> RampStep:
    """Look how the runs that were let go fare, and let more go if it is time.

    Raises:
        NotFound: There is no such pause.
    """
    database.lock_alone(session, FENCE)
    row = required(session, pause_id)
    if not row.active:
        return RampStep(ResumeState.ENDED)
    if row.phase != PausePhase.RELEASING.value or row.stage_at is None:
        return RampStep(None)
    runs = _stage_runs(session, row)
    tally = _effects_since(session, runs)
    time_is_up = at - row.stage_at >= timedelta(seconds=row.ramp_seconds)
    ended = [status for each in tally.values() for status in each if status != EffectStatus.CLAIMED.value]
    if time_is_up and ended and EffectStatus.DONE.value not in ended:
        fall_back(session, pause_id, "Every effect of the runs that were let go failed.", at)
        return RampStep(None)
    succeeded = all(each and set(each) == {EffectStatus.DONE.value} for each in tally.values())
    if not succeeded and not time_is_up:
        return RampStep(ResumeState.RELEASING)
    waiting = [run for run in held_runs(session, pause_id, scope_of(row)) if run not in _let_go(session, row)]
    if row.stage >= 2 or len(waiting) == 0:
        by = Actor.model_validate(row.resume_asked_by) if row.resume_asked_by else SYSTEM
        answers = ResumeAnswers.model_validate(row.answers or {})
        end(database, session, pause_id=pause_id, note=answers.sentence, by=by, at=at)
        return RampStep(ResumeState.ENDED)
    few = waiting[:A_FEW]
    _release(session, row, few, stage=row.stage + 1, at=at)
    return RampStep(ResumeState.RELEASING, few)


def stage(session: Session, pause_id: str) -> tuple[str, list[str]]:
    """The step of letting runs go that a pause is at, by a name of its own, and its runs; empty if it lets none go."""
    row = required(session, pause_id)
    if not row.active or row.stage_at is None:
        return "", []
    return f"{row.stage} {row.stage_at.isoformat()}", list(_stage_runs(session, row))


def _holding(session: Session, pause_id: str) -> PauseRow:
    row = in_life(session, pause_id)
    if row.phase == PausePhase.RELEASING.value:
        raise Conflict(f"The pause {pause_id} is letting its runs go already.", where="pause")
    return row


def _answer(row: PauseRow, answers: ResumeAnswers, by: Actor, at: datetime) -> None:
    row.answers, row.resume_asked_by = answers.model_dump(mode="json"), by.model_dump(mode="json")
    row.resume_asked_at = at


def _release(session: Session, row: PauseRow, runs: Sequence[str], *, stage: int, at: datetime) -> None:
    """Let runs go: their requests have their time back, and their claims pass from the commit on."""
    give_time_back(session, row, at=at, runs=runs)
    known = select(PauseReleaseRow).where(
        col(PauseReleaseRow.pause_id) == row.id, col(PauseReleaseRow.run_id).in_(runs)
    )
    before = {found.run_id: found for found in session.execute(known).scalars()}
    for found in before.values():
        found.stage, found.released_at, found.taken_back_at = stage, at, None
    new = [run for run in runs if run not in before]
    if new:
        rows = [{"pause_id": row.id, "run_id": run, "stage": stage, "released_at": at} for run in new]
        session.execute(insert(PauseReleaseRow), rows)
    row.stage, row.stage_at = stage, at
    session.flush()
    body = {"pause": row.id, "stage": stage, "runs": list(runs)}
    ledger.append(session, at=at, kind="pause.released", actor=SYSTEM, body=body, **subject_of(scope_of(row)))


def _let_go(session: Session, row: PauseRow) -> set[str]:
    gone = select(col(PauseReleaseRow.run_id)).where(
        col(PauseReleaseRow.pause_id) == row.id, col(PauseReleaseRow.taken_back_at).is_(None)
    )
    return set(session.execute(gone).scalars())


def _stage_runs(session: Session, row: PauseRow) -> dict[str, datetime]:
    found = select(col(PauseReleaseRow.run_id), col(PauseReleaseRow.released_at)).where(
        col(PauseReleaseRow.pause_id) == row.id,
        col(PauseReleaseRow.stage) == row.stage,
        col(PauseReleaseRow.taken_back_at).is_(None),
    )
    return {row[0]: row[1] for row in session.execute(found)}


def _effects_since(session: Session, runs: dict[str, datetime]) -> dict[str, list[str]]:
    """What became of the effects that released runs began since then."""
    tally: dict[str, list[str]] = {run: [] for run in runs}
    found = select(col(EffectRow.run_id), col(EffectRow.status), col(EffectRow.claimed_at)).where(
        col(EffectRow.run_id).in_(list(runs))
    )
    for run, status, at in session.execute(found):
        if at >= runs[run]:
            tally[run].append(status)
    return tally
