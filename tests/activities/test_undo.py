"""Undo in the database: claimed like an effect, at most once, whoever dies or comes second."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from sqlalchemy.exc import IntegrityError
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionStatus
from assent.domain.effects import UndoStatus
from assent.domain.ports import FinishRollback, UndoBatch, UndoProgress
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackRequest, RollbackStatus
from assent.store.tables import ActionRow, RollbackRow, UndoRow
from assent_activities.connectors import Call
from assent_activities.rollback import RollbackActivities
from tests.activities.stage import Died, Stage, at_once, tried_again
from tests.world import ANN, action

RUN = RollbackScope(kind=RollbackScopeKind.RUN, id="run-1")


class Undoing:
    """The activities of rollbacks on a stage where a run has given some tips."""

    def __init__(self, stage: Stage, *, tips: int = 3) -> None:
        self.stage = stage
        self.activities = RollbackActivities(stage.dependencies, cast(Client, None))
        for number in range(tips):
            done = stage.submit(action(f"t{number}", "desk.tip", to="bob", amount=1))
            assert done.status is ActionStatus.DONE

    def start(self, rollback_id: str = "rollback-1") -> None:
        at = self.stage.clock()
        self.activities.start(RollbackRequest(rollback_id=rollback_id, scope=RUN, by=ANN, requested_at=at))

    def undo(self, rollback_id: str = "rollback-1") -> UndoProgress:
        return self.activities.undo_batch(UndoBatch(rollback_id=rollback_id, by=ANN))

    def undo_patiently(self, rollback_id: str) -> UndoProgress:
        while True:
            try:
                return self.undo(rollback_id)
            except (IntegrityError, ApplicationError):
                time.sleep(0.02)

    def events(self, key: str = "t0") -> list[str]:
        return [kind for kind in self.stage.events(action_id=f"run-1:{key}") if kind.startswith("undo.")]


@pytest.fixture
def undoing(stage: Stage) -> Undoing:
    return Undoing(stage)


def test_starting_and_finishing_again_changes_nothing(undoing: Undoing) -> None:
    for _ in range(2):
        undoing.start()
    assert undoing.undo().undone == 3
    assert undoing.undo().undone == 3
    for _ in range(2):
        undoing.activities.finish(FinishRollback(rollback_id="rollback-1", status=RollbackStatus.DONE))
    events = undoing.stage.events(run_id="run-1")
    assert (events.count("rollback.started"), events.count("rollback.ended")) == (1, 1)
    assert undoing.stage.row(RollbackRow, "rollback-1").status == RollbackStatus.DONE
    assert undoing.stage.desk.balances == {"bob": 0}
    undoing.stage.check_chain()


def test_rollbacks_in_parallel_undo_each_effect_once(undoing: Undoing) -> None:
    names = [f"rollback-{number}" for number in range(4)]
    for name in names:
        undoing.start(name)
    progress = at_once(4, lambda number: undoing.undo_patiently(names[number]))
    assert sum(one.undone for one in progress) == 3
    assert sum(one.left for one in progress) == 0
    assert sorted(undoing.stage.desk.undone) == [f"run-1:t{number}#undo" for number in range(3)]
    for key in ("t0", "t1", "t2"):
        assert undoing.events(key).count("undo.done") == 1
        assert undoing.stage.row(ActionRow, f"run-1:{key}").status == ActionStatus.UNDONE


def test_an_undo_whose_outcome_was_lost_is_repeated_after_its_lease(
    undoing: Undoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Undoing is idempotent by its key, so asking once more is how one finds out."""
    undoing.start()

    def dies(*_: Any, **__: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(undoing.activities._undoing._book, "record", dies)
        with pytest.raises(Died):
            undoing.undo()
    assert undoing.stage.row(UndoRow, "run-1:t2").status == UndoStatus.CLAIMED
    assert "under way" in tried_again(undoing.undo)
    undoing.stage.clock.turn(seconds=61)
    assert undoing.undo().undone == 3
    assert len(undoing.stage.desk.undone) == 3
    assert undoing.stage.desk.balances == {"bob": 0}


def test_an_outcome_and_its_step_are_written_together(undoing: Undoing, monkeypatch: pytest.MonkeyPatch) -> None:
    undoing.start()

    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr("assent.store.undos.finish_step", dies)
        with pytest.raises(RuntimeError):
            undoing.undo()
    assert undoing.stage.row(UndoRow, "run-1:t2").status == UndoStatus.CLAIMED
    undoing.stage.clock.turn(seconds=61)
    progress = undoing.undo()
    assert (progress.undone, progress.left) == (3, 0)
    assert undoing.events("t2") == ["undo.claimed", "undo.claimed", "undo.done"]
    assert undoing.stage.desk.balances == {"bob": 0}


def test_an_undo_that_comes_late_changes_nothing(stage: Stage) -> None:
    undoing = Undoing(stage, tips=1)
    undoing.start()
    arrived, go_on = threading.Event(), threading.Event()

    def wait(call: Call) -> None:
        stage.desk.undo_trouble = lambda call: None
        arrived.set()
        go_on.wait()

    stage.desk.undo_trouble = wait
    with ThreadPoolExecutor(1) as executor:
        slow = executor.submit(undoing.undo)
        arrived.wait()
        stage.clock.turn(seconds=61)
        assert undoing.undo().undone == 1
        go_on.set()
        with pytest.raises(ApplicationError, match="took over"):
            slow.result()
    assert undoing.events() == ["undo.claimed", "undo.claimed", "undo.done"]
    assert stage.desk.balances == {"bob": 0}
    assert undoing.undo().undone == 1
