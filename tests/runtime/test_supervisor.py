"""Children are started again when they die and are all gone when their supervisor has stopped them."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.runtime import supervisor as module
from assent.runtime.progress import Progress
from assent.runtime.supervisor import Program, Supervisor
from tests.runtime.processes_of import eventually, is_running


@pytest.fixture
def said() -> io.StringIO:
    """What a person at the terminal reads."""
    return io.StringIO()


@pytest.fixture
def supervisor(said: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """A supervisor without children, that starts again soon."""
    monkeypatch.setattr(module, "FIRST_BACKOFF_SECONDS", 0.01)
    made = Supervisor(Progress(said))
    yield made
    made.stop(hurry=lambda: True)


def python(tmp_path: Path, code: str, *, may_finish: bool = False) -> Program:
    command = (sys.executable, "-c", code)
    return Program("worker", command, tmp_path / "logs" / "worker.log", may_finish=may_finish)


def pid(supervisor: Supervisor) -> int:
    return supervisor.pids().get("worker", 0)


def test_a_killed_child_is_started_again_and_its_last_words_are_shown(
    supervisor: Supervisor, said: io.StringIO, tmp_path: Path
) -> None:
    code = "import time; print('the disk is on fire', flush=True); time.sleep(600)"
    child = supervisor.add(python(tmp_path, code))
    first = pid(supervisor)
    assert eventually(lambda: "fire" in child.program.log.read_text())
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: pid(supervisor) not in (0, first), meanwhile=supervisor.tend)
    assert "killed by SIGKILL" in said.getvalue()
    assert "the disk is on fire" in said.getvalue()


def test_a_child_that_keeps_dying_is_started_ever_more_slowly(
    supervisor: Supervisor, said: io.StringIO, tmp_path: Path
) -> None:
    child = supervisor.add(python(tmp_path, "raise SystemExit(3)"))
    assert eventually(lambda: child.deaths >= 4, meanwhile=supervisor.tend)
    waits = [f"exit code 3); starting it again in {wait:g} s" for wait in (0.01, 0.02, 0.04, 0.08)]
    positions = [said.getvalue().find(wait) for wait in waits]
    assert positions == sorted(positions)
    assert min(positions) >= 0


def test_work_that_is_done_is_not_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.add(python(tmp_path, "pass", may_finish=True))
    assert eventually(lambda: child.finished, meanwhile=supervisor.tend)
    time.sleep(0.1)
    supervisor.tend()
    assert not supervisor.pids()


def test_stopping_ends_grandchildren_too(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
    child = supervisor.add(python(tmp_path, code))
    assert eventually(lambda: child.program.log.read_text().strip())
    grandchild = int(child.program.log.read_text())
    supervisor.stop()
    assert eventually(lambda: not is_running(grandchild))


def test_a_child_that_ignores_the_request_is_killed_when_it_hurries(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    child = supervisor.add(python(tmp_path, code))
    assert eventually(lambda: "deaf" in child.program.log.read_text())
    deaf = pid(supervisor)
    supervisor.stop(hurry=lambda: True)
    assert not is_running(deaf)


def test_those_that_others_need_end_last(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep(float(sys.argv[3])); open(sys.argv[1], 'a').write(sys.argv[2] + ' '); sys.exit()\n"
        "signal.signal(15, end); print('ready', flush=True); time.sleep(600)"
    )
    for name, slow, last in (("temporal", "0", True), ("worker", "0.3", False)):
        command = (sys.executable, "-c", code, str(order), name, slow)
        supervisor.add(Program(name, command, tmp_path / f"{name}.log", last_to_end=last))
    assert eventually(lambda: all("ready" in child.program.log.read_text() for child in supervisor.children))
    supervisor.stop()
    assert order.read_text().split() == ["worker", "temporal"]
