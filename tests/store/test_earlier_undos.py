"""Rollbacks that nobody had to approve: which ones count, and that two that begin at once count each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.drills import SCRATCH_PREFIX
from assent.domain.people import Actor, Via
from assent.domain.rollback_approval import RollbackRules
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackRequest, RollbackStatus
from assent.domain.voting import Electorate, Need
from assent.store import earlier_undos, rollback_plans
from assent.store.database import Database
from assent.store.tables import PauseRollbackRow, RollbackRow
from tests.databases import KINDS, migrated_database

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN = Actor(id="ann", name="Ann", via=Via.WEB)
ASKED = RollbackRules(
    electorates=[Electorate(needs=(Need(token="role:approver", count=1, words="one approver"),), requester="ann")]
)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with migrated_database(request.param, request, tmp_path) as made:
        yield made


def rolled_back(
    session: Session,
    rollback_id: str,
    status: RollbackStatus,
    *,
    ago: timedelta = timedelta(0),
    rules: RollbackRules | None = None,
    of: str = "clerk",
    kind: RollbackScopeKind = RollbackScopeKind.AGENT,
) -> None:
    since = NOON - HOUR if kind is RollbackScopeKind.AGENT else None
    scope = RollbackScope(kind=kind, id=of, since=since)
    request = RollbackRequest(rollback_id=rollback_id, scope=scope, by=ANN, requested_at=NOON - ago)
    rollback_plans.create(session, request, status=status, known=True)
    if rules is not None:
        written = rules.model_dump(mode="json")
        session.execute(update(RollbackRow).where(col(RollbackRow.id) == rollback_id).values(rules=written))


def test_what_counts(database: Database) -> None:
    with database.write() as session:
        for status in RollbackStatus:
            rolled_back(session, status.value, status)
        rolled_back(session, "within", RollbackStatus.DONE, ago=timedelta(minutes=59))
        rolled_back(session, "past", RollbackStatus.DONE, ago=HOUR)
        rolled_back(session, "long under way", RollbackStatus.HELD, ago=3 * HOUR)
        rolled_back(session, "approved", RollbackStatus.RUNNING, rules=ASKED)
        rolled_back(session, "asked nobody", RollbackStatus.DONE, rules=RollbackRules(), ago=timedelta(minutes=1))
        rolled_back(session, "drill", RollbackStatus.DONE, of=f"{SCRATCH_PREFIX}clerk")
    with database.read() as session:
        found = earlier_undos.without_approval(session, since=NOON - HOUR, beside="done")
        under_way = [each for each in found if each.under_way]
        assert sorted((NOON - each.at).total_seconds() / 60 for each in under_way) == [0, 0, 180]
        # One that needs a person, one of a minute ago and one of 59.
        assert sorted((NOON - each.at).total_seconds() / 60 for each in found if not each.under_way) == [0, 1, 59]
        assert {each.by for each in found} == {"ann"}
        assert not any(each.together for each in found)
        assert len(earlier_undos.without_approval(session, since=NOON - HOUR)) == len(found) + 1


def test_those_of_the_same_pause_are_marked_whenever_they_were_asked_for(database: Database) -> None:
    with database.write() as session:
        for number, status in enumerate(RollbackStatus):
            rolled_back(session, status.value, status, ago=number * HOUR)
            session.add(PauseRollbackRow(pause_id="p", run_id=status.value, rollback_id=status.value, started_at=NOON))
        rolled_back(session, "approved", RollbackStatus.DONE, rules=ASKED)
        rolled_back(session, "this one", RollbackStatus.RUNNING)
        for rollback_id in ("approved", "this one"):
            session.add(PauseRollbackRow(pause_id="p", run_id=rollback_id, rollback_id=rollback_id, started_at=NOON))
        rolled_back(session, "alone", RollbackStatus.DONE)
        rolled_back(session, "other pause", RollbackStatus.RUNNING)
        session.add(PauseRollbackRow(pause_id="q", run_id="r", rollback_id="other pause", started_at=NOON))
    with database.read() as session:
        found = earlier_undos.without_approval(session, since=NOON - HOUR, beside="this one", of_pause="p")
        apart = earlier_undos.without_approval(session, since=NOON - HOUR, beside="this one", of_pause="p", money=False)
    began = [RollbackStatus.RUNNING, RollbackStatus.HELD, RollbackStatus.DONE, RollbackStatus.NEEDS_PERSON]
    asked_at = {NOON - list(RollbackStatus).index(status) * HOUR for status in began}
    assert {each.at for each in found if each.together} == asked_at
    assert len(found) == len(began) + 2
    assert apart == [each for each in found if not each.together]


@pytest.mark.parametrize(
    ("kind", "of"),
    [
        (RollbackScopeKind.RUN, f"{SCRATCH_PREFIX}1"),
        (RollbackScopeKind.ACTION, f"{SCRATCH_PREFIX}1:a"),
        (RollbackScopeKind.RECORD, f"{SCRATCH_PREFIX}shop/orders/W1"),
    ],
)
def test_what_is_named_like_a_drill_and_is_none_counts(database: Database, kind: RollbackScopeKind, of: str) -> None:
    with database.write() as session:
        rolled_back(session, "one", RollbackStatus.DONE, kind=kind, of=of)
    with database.read() as session:
        assert len(earlier_undos.without_approval(session, since=NOON - HOUR)) == 1


def test_two_that_begin_at_once_count_each_other(database: Database) -> None:
    counted: list[int] = []
    first_counts, second_is_over = threading.Event(), threading.Event()

    def begin(rollback_id: str, then: threading.Event | None = None) -> None:
        with database.write() as session:
            earlier_undos.count_alone(session)
            counted.append(len(earlier_undos.without_approval(session, since=NOON - HOUR)))
            if then is not None:
                first_counts.set()
                # The other one would be over by now if it had not to wait.
                then.wait(0.5)
            rolled_back(session, rollback_id, RollbackStatus.RUNNING)

    def second() -> None:
        first_counts.wait()
        begin("two")
        second_is_over.set()

    other = threading.Thread(target=second)
    other.start()
    begin("one", then=second_is_over)
    other.join()
    assert counted == [0, 1]
