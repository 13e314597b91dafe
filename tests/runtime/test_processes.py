"""Child processes end with their parent, whatever the system offers for that."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assent.runtime import processes
from tests.runtime.processes_of import PATIENCE_SECONDS, eventually, is_running


def test_a_leashed_program_ends_when_its_input_breaks(tmp_path: Path) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    leash = subprocess.Popen(
        processes.leashed([sys.executable, "-c", code]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert leash.stdin is not None
    assert leash.stdout is not None
    with leash.stdout:
        program = int(leash.stdout.readline())
        assert is_running(program)
        leash.stdin.close()
        leash.wait(PATIENCE_SECONDS)
    assert not is_running(program)


@pytest.mark.parametrize("code", [0, 7])
def test_a_leash_hands_on_the_exit_code(code: int) -> None:
    leash = subprocess.Popen(processes.leashed(["/bin/sh", "-c", f"exit {code}"]), stdin=subprocess.PIPE)
    assert leash.stdin is not None
    with leash.stdin:
        assert leash.wait(PATIENCE_SECONDS) == code


def test_a_leash_hands_on_the_request_to_end(tmp_path: Path) -> None:
    ready, ended = tmp_path / "ready", tmp_path / "ended"
    program = f"trap 'touch {ended}; exit 0' TERM; touch {ready}; while :; do sleep 0.05; done"
    leash = subprocess.Popen(processes.leashed(["/bin/sh", "-c", program]), stdin=subprocess.PIPE)
    assert leash.stdin is not None
    with leash.stdin:
        assert eventually(ready.exists)
        leash.send_signal(signal.SIGTERM)
        assert leash.wait(PATIENCE_SECONDS) == 0
    assert ended.exists()


def test_a_process_of_ours_ends_when_its_parents_end_of_the_pipe_closes() -> None:
    code = "import time; from assent.runtime.processes import follow_parent; follow_parent(); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(PATIENCE_SECONDS) == -signal.SIGTERM


def test_a_variable_can_be_set_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.setenv("GONE", "1")
    changed = processes.environment({"GONE": None, "NEW": "2"})
    assert ("GONE" in changed, changed["KEPT"], changed["NEW"]) == (False, "1", "2")


def test_ports_that_are_meant_for_something_else_are_passed_over() -> None:
    meant = {port for port in range(65_536) if port % 8 > 1}
    assert not {processes.free_port(but=meant) for _ in range(20)} & meant
