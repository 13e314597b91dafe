"""`assent up` as its users meet it: one command, real processes, and nothing left when it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from assent.runtime import instance, processes
from assent.runtime.instance import Instance
from assent.runtime.settings import PREFIX, Settings
from tests.runtime.processes_of import PATIENCE_SECONDS, eventually, is_running

FAKE_PARTS = Path(__file__).parent / "fake_parts"
Up = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.usefixtures("temporal_executable")


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """A process environment in which worker and web are fakes and no setting of this machine counts."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return clean | {"PYTHONPATH": str(FAKE_PARTS)}


@pytest.fixture
def up(settings: Settings, environment: dict[str, str]) -> Iterator[Up]:
    """Start `assent up` on the test's data folder; whatever still runs at the end is ended."""
    started = []

    def start(*options: str, port: int | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "assent", "up", "--data-dir", str(settings.data_dir), "--no-sample"]
        command += ["--port", str(port or processes.free_port()), *options]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def wait_until_running(settings: Settings) -> Instance:
    """Wait for the file that a running instance keeps, with worker and web in it."""

    def complete() -> bool:
        now = instance.running(settings.data_dir)
        return now is not None and {"temporal", "worker", "web"} <= set(now.children) and _answers(now.url)

    assert eventually(complete)
    found = instance.running(settings.data_dir)
    assert found is not None
    return found


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_it_ends_every_process_and_succeeds(up: Up, settings: Settings, number: signal.Signals) -> None:
    process = up()
    running = wait_until_running(settings)
    assert process.stdout is not None
    shown = [process.stdout.readline() for _ in range(3)]
    assert running.url in shown[1]
    assert "works once" in shown[2]
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, said
    assert not [name for name, pid in running.children.items() if is_running(pid)]
    assert instance.running(settings.data_dir) is None


def test_killed_it_takes_its_children_along(up: Up, settings: Settings) -> None:
    process = up()
    running = wait_until_running(settings)
    process.kill()
    process.wait()
    assert eventually(lambda: not [name for name, pid in running.children.items() if is_running(pid)])
    assert instance.running(settings.data_dir) is None


def test_a_killed_child_comes_back(up: Up, settings: Settings) -> None:
    up()
    for name in ("worker", "web", "temporal"):
        before = wait_until_running(settings).children[name]
        os.kill(before, signal.SIGKILL)

        def replaced(name: str = name, before: int = before) -> bool:
            now = instance.running(settings.data_dir)
            return now is not None and now.children.get(name, before) != before

        assert eventually(replaced)


def test_a_second_one_on_the_same_folder_is_told_where_the_first_is(up: Up, settings: Settings) -> None:
    up()
    first = wait_until_running(settings)
    second = up()
    _, said = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 5
    assert first.url in said
    assert str(first.pid) in said


def test_another_program_that_takes_the_port_meanwhile_is_not_taken_for_the_pages(
    up: Up, environment: dict[str, str]
) -> None:
    """Temporal's own page answers every address with 200, and a form that is sent to it with 400."""
    port = processes.free_port()
    environment["ASSENT_TEMPORAL_UI_PORT"] = str(port)
    process = up(port=port)
    shown, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 6, said
    assert "web does not come up" in said
    assert "Assent is running" not in shown


def test_a_taken_port_is_said_before_anything_starts(up: Up, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = up(port=port)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 5
    assert f"Port {port}" in said
    assert "Temporal" not in said


def test_temporal_keeps_its_state_over_a_restart(up: Up, settings: Settings, temporal_executable: Path) -> None:
    def workflows(*arguments: str) -> str:
        address = wait_until_running(settings).temporal_address
        command = [str(temporal_executable), "workflow", *arguments, "--address", address]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    for turn in ("first", "second"):
        process = up()
        if turn == "first":
            workflows("start", "--type", "Kept", "--task-queue", "none", "--workflow-id", "kept-over-restart")
        assert "Kept" in workflows("describe", "--workflow-id", "kept-over-restart")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0
