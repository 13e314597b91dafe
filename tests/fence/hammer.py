"""A process that claims actions as fast as it can, from several threads, until it is told to stop.

Run as ``python -m tests.fence.hammer DATABASE_URL FOLDER NUMBER``. Each effect writes a line into ``FOLDER/effects``
with the reading of the machine's monotonic clock right before its claim was committed. The file ``FOLDER/stop`` ends
the process, which then prints how many tries came to what.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, event
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.approvals import Decision, Verb
from assent.domain.ports import ExecuteAction, SubmitAction
from assent.domain.runs import RunHeader
from assent.gateway import utc_now
from assent.store.database import Database
from assent_activities.admission import Admission
from assent_activities.connectors import Call, build_registry
from assent_activities.dependencies import Dependencies
from assent_activities.effects import EffectProtocol
from assent_activities.execution import Execution
from tests.desk import Desk
from tests.world import AGENT, ANN, action

THREADS = 2
AGENTS = ("desk-clerk", "desk-helper")
_KEPT = 6
"""Held actions that a thread tries again, with or without luck."""


@dataclass
class Reading:
    """What the clock said last when a thread of the hammer was about to write, or to commit."""

    at: int = 0


_READING: ContextVar[Reading] = ContextVar("reading")


class Hammer:
    """Claims from one process."""

    def __init__(self, url: str, folder: Path, number: int) -> None:
        database = Database(url)
        event.listen(database.writing_engine, "commit", self._commits)
        event.listen(database.writing_engine, "before_cursor_execute", self._executes)
        desk = Desk(trouble=self._effect)
        dependencies = Dependencies(database=database, registry=build_registry([desk]), clock=utc_now)
        effects = EffectProtocol(dependencies)
        self._admission, self._execution = Admission(dependencies, effects), Execution(dependencies, effects)
        self._number = number
        self._stop = folder / "stop"
        self._file = os.open(folder / "effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def work(self, thread: int) -> Counter[str]:
        """Propose, approve and try again until the file ``stop`` is there; gives the number of tries by status."""
        _READING.set(Reading())
        name = f"{self._number}-{thread}"
        header = RunHeader(
            run_id=f"run-{name}",
            agent=AGENTS[thread % len(AGENTS)],
            started_by=AGENT,
            started_at=utc_now(),
            first=True,
            labels=[f"thread-{thread}"],
        )
        chance = random.Random(name)
        tries: Counter[str] = Counter()
        held: list[ExecuteAction] = []
        while not self._stop.exists():
            if held and chance.random() < 0.3:
                request = held.pop(chance.randrange(len(held)))
            else:
                request = ExecuteAction(header=header, action=_proposal(tries.total(), chance))
            outcome = self._try(request)
            if outcome is not None and outcome.status is ActionStatus.AWAITING:
                request = request.model_copy(update={"decision": _approval(outcome)})
                outcome = self._try(request)
            tries[outcome.status.value if outcome else "again"] += 1
            # Without it SQLite's writers, which poll for their turn, would let the pausing process wait for seconds.
            time.sleep(chance.uniform(0, 0.01))
            if outcome is not None and outcome.status is ActionStatus.HELD and len(held) < _KEPT:
                held.append(request)
        return tries

    def _try(self, request: ExecuteAction) -> ActionOutcome | None:
        try:
            if request.decision is not None:
                return self._execution.execute(request)
            return self._admission.submit(SubmitAction(header=request.header, action=request.action))
        except ApplicationError:
            return None

    def _commits(self, connection: Connection) -> None:
        self._note()

    def _executes(self, *_: object) -> None:
        # On SQLite another thread writes and commits for this one, in this one's context: then what was written last
        # counts, which is in the same transaction.
        self._note()

    def _note(self) -> None:
        reading = _READING.get(None)
        if reading is not None:
            reading.at = time.monotonic_ns()

    def _effect(self, call: Call) -> None:
        line = {"action": call.key, "run": call.run_id, "agent": call.agent, "claimed": _READING.get().at}
        line["type"] = "desk.pay" if "to" in call.arguments else "desk.note"
        os.write(self._file, f"{json.dumps(line)}\n".encode())


def _proposal(number: int, chance: random.Random) -> ProposedAction:
    if chance.random() < 0.2:
        return action(f"a{number}", "desk.pay", to="bob", amount=1)
    return action(f"a{number}", "desk.note", text="milk")


def _approval(outcome: ActionOutcome) -> Decision:
    assert outcome.approval_id is not None
    assert outcome.digest is not None
    return Decision(
        id=outcome.action_id,
        approval_id=outcome.approval_id,
        action_id=outcome.action_id,
        digest=outcome.digest,
        verb=Verb.APPROVE,
        by=ANN,
        at=utc_now(),
    )


def main() -> None:
    url, folder, number = sys.argv[1:]
    hammer = Hammer(url, Path(folder), int(number))
    with ThreadPoolExecutor(THREADS) as executor:
        tries = sum(executor.map(hammer.work, range(THREADS)), Counter())
    print(json.dumps(tries))


if __name__ == "__main__":
    main()
