"""Undoing in lanes: order within a record, hanging connectors, plans that are broken off, limits."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import cast

import pytest
from temporalio.client import Client

from assent.domain.effects import UndoStatus
from assent.domain.ports import UndoBatch, UndoProgress
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackRequest, RollbackStatus
from assent.domain.undo_steps import UndoStep
from assent.store import rollback_life, rollback_plans
from assent.store.queries import rollbacks
from assent.store.tables import RollbackRow, UndoRow
from assent_activities import rollback_planning, undoing
from assent_activities.connectors import Call
from assent_activities.lanes import Behind, Done, Overdue, in_lanes
from assent_activities.rollback import RollbackActivities
from tests.activities.stage import START, Died, Stage
from tests.world import ANN, action

EVERYTHING = RollbackScope(kind=RollbackScopeKind.AGENT, id="desk-clerk", since=START)


class Bench:
    """Rollbacks of the whole agent on a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.activities = RollbackActivities(stage.dependencies, cast(Client, None))

    def tip(self, run_id: str, key: str, to: str, amount: float = 1) -> None:
        self.stage.submit(action(key, "desk.tip", to=to, amount=amount), run_id=run_id)

    def request(self, rollback_id: str) -> RollbackRequest:
        return RollbackRequest(rollback_id=rollback_id, scope=EVERYTHING, by=ANN, requested_at=self.stage.clock())

    def start(self, rollback_id: str = "rollback-1") -> None:
        assert self.activities.start(self.request(rollback_id)).status is RollbackStatus.RUNNING

    def undo(self, rollback_id: str = "rollback-1") -> UndoProgress:
        return self.activities.undo_batch(UndoBatch(rollback_id=rollback_id, by=ANN))

    def steps(self, rollback_id: str = "rollback-1") -> list[UndoStep]:
        with self.stage.database.read() as session:
            return [each.step for each in rollbacks.steps(session, rollback_id)]


@pytest.fixture
def bench(stage: Stage) -> Bench:
    return Bench(stage)


def test_runs_and_records_that_share_nothing_are_undone_at_once(bench: Bench) -> None:
    for number in range(4):
        bench.tip(f"run-{number}", "a", f"person-{number}")
        bench.tip(f"run-{number}", "b", f"person-{number}")
    bench.start()
    together = threading.Barrier(4)

    def meet(call: Call) -> None:
        if call.key.endswith(":b#undo"):
            together.wait(timeout=60)

    bench.stage.desk.undo_trouble = meet
    assert bench.undo().undone == 8
    for number in range(4):
        order = [key for key in bench.stage.desk.undone if key.startswith(f"run-{number}:")]
        assert order == [f"run-{number}:b#undo", f"run-{number}:a#undo"]
    bench.stage.check_chain()


def test_runs_that_share_a_record_are_undone_newest_first(bench: Bench) -> None:
    for number in range(5):
        bench.tip(f"run-{number}", "a", "bob")
    bench.start()
    assert bench.undo().undone == 5
    assert bench.stage.desk.undone == [f"run-{number}:a#undo" for number in reversed(range(5))]
    assert bench.stage.desk.balances == {"bob": 0}


def test_a_connector_that_hangs_holds_nobody_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing, "UNDO_LIMIT", timedelta(seconds=1))
    bench.tip("run-1", "a", "bob")
    bench.tip("run-1", "b", "bob")
    bench.tip("run-2", "a", "ann")
    bench.start()
    go_on = threading.Event()

    def hang(call: Call) -> None:
        if call.key == "run-1:b#undo":
            go_on.wait()

    bench.stage.desk.undo_trouble = hang
    progress = bench.undo()
    assert (progress.undone, progress.left, progress.more) == (1, 2, False)
    found = {step.action_id: step for step in bench.steps()}
    assert found["run-1:b"].status is UndoStatus.UNKNOWN
    assert "did not answer within" in found["run-1:b"].why
    assert found["run-1:a"].status is UndoStatus.CONFLICT
    assert "comes first" in found["run-1:a"].why
    with bench.stage.database.write() as session:
        assert rollback_life.finish(session, "rollback-1", at=bench.stage.clock()) is RollbackStatus.NEEDS_PERSON
    # It comes back after all, and what it says counts.
    go_on.set()
    until = time.monotonic() + 60
    while bench.stage.row(UndoRow, "run-1:b").status != UndoStatus.UNDONE and time.monotonic() < until:
        time.sleep(0.05)
    assert {step.action_id: step.status for step in bench.steps()}["run-1:b"] is UndoStatus.UNDONE


def test_a_plan_that_was_broken_off_goes_on_where_it_was(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollback_planning, "FIRST_PAGE", 2)
    monkeypatch.setattr(rollback_planning, "PAGE", 3)
    for number in range(12):
        bench.tip(f"run-{number}", "a", f"person-{number % 5}")
    bench.activities.preview(bench.request("preview-whole"))
    whole = bench.stage.row(RollbackRow, "preview-whole")
    add_page, pages = rollback_plans.add_page, []

    def dies_at_the_third(*given: object, **more: object) -> object:
        pages.append(1)
        if len(pages) == 3:
            raise Died
        return add_page(*given, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(rollback_plans, "add_page", dies_at_the_third)
        with pytest.raises(Died):
            bench.activities.preview(bench.request("preview-parts"))
    assert not bench.stage.row(RollbackRow, "preview-parts").complete
    bench.activities.preview(bench.request("preview-parts"))
    parts = bench.stage.row(RollbackRow, "preview-parts")
    assert (parts.complete, parts.digest, parts.totals) == (True, whole.digest, whole.totals)
    assert [step.action_id for step in bench.steps("preview-parts")] == [
        f"run-{number}:a" for number in reversed(range(12))
    ]


def test_a_held_rollback_claims_nothing(bench: Bench) -> None:
    bench.tip("run-1", "a", "bob")
    bench.start()
    with bench.stage.database.write() as session:
        rollback_life.hold(session, "rollback-1", by=ANN, at=bench.stage.clock())
    progress = bench.undo()
    assert (progress.held, progress.more, progress.undone) == (True, True, 0)
    assert bench.stage.desk.undone == []


def test_lanes_keep_the_order_of_a_chain_and_leave_one_that_hangs() -> None:
    stuck = threading.Event()
    begun: list[str] = []

    def work(item: str) -> str:
        begun.append(item)
        if item == "b1":
            stuck.wait()
        return item.upper()

    chains = [["a1", "a2"], ["b1", "b2"], ["c1"]]
    ends = list(in_lanes(chains, work, limit=timedelta(seconds=1), lanes=2))
    stuck.set()
    assert {(type(end), end.item) for end in ends} == {
        (Done, "a1"),
        (Done, "a2"),
        (Overdue, "b1"),
        (Behind, "b2"),
        (Done, "c1"),
    }
    assert begun.index("a1") < begun.index("a2")
    assert "b2" not in begun


def test_an_error_in_a_lane_ends_all_of_them() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise ValueError("three")
        return item

    with pytest.raises(ValueError, match="three"):
        list(in_lanes([[number] for number in range(100)], work, limit=timedelta(seconds=60), lanes=1))
