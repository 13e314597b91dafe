"""What people install: the wheel builds, installs in an empty environment by hash, and runs there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assent import __version__
from assent.runtime import instance, processes
from assent.runtime.settings import PREFIX
from tests.runtime.processes_of import PATIENCE_SECONDS, eventually

ROOT = Path(__file__).parents[2]
PACKAGES = {"assent", "assent_workflows", "assent_activities", "assent_ui", "assent_slack", "assent_shop"}

pytestmark = pytest.mark.packaging


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment into which the runtime lock and the wheel were installed."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home, with_pip=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    lock = str(ROOT / "requirements" / "runtime.txt")
    subprocess.run([*pip, "--require-hashes", "--requirement", lock], check=True)
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    return home


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The installed command, and a process environment far from the checkout."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "TEMPORAL_", "PYTHON"))}
    before = Path.cwd()
    os.chdir(tmp_path)
    yield str(environment / "bin" / "assent"), clean | {"ASSENT_DATA_DIR": str(tmp_path / "data")}
    os.chdir(before)


def test_the_wheel_holds_every_package_and_every_file_they_need(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == PACKAGES
    for folder in ("assent", "workflows", "activities", "approvals_ui", "slack_app", "examples/shop"):
        tracked = subprocess.run(
            ["git", "ls-files", folder], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
        prefix = "" if folder == "assent" else f"{folder}/"
        wanted = {name.removeprefix(prefix) for name in tracked}
        assert {name for name in wanted if name.partition("/")[0] in PACKAGES} <= names


def test_it_says_its_version(installed: tuple[str, dict[str, str]]) -> None:
    command, environment = installed
    said = subprocess.run([command, "--version"], env=environment, check=True, capture_output=True, text=True)
    assert said.stdout.strip() == f"assent {__version__}"


def test_its_doctor_is_content(installed: tuple[str, dict[str, str]]) -> None:
    command, environment = installed
    said = subprocess.run([command, "doctor", "--json"], env=environment, capture_output=True, text=True, check=False)
    assert json.loads(said.stdout)["ok"] is True, said.stdout
    assert said.returncode == 0


@pytest.mark.usefixtures("temporal_executable")
def test_it_starts_answers_and_ends(installed: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    command, environment = installed
    port = processes.free_port()
    process = subprocess.Popen(
        [command, "up", "--no-sample", "--port", str(port)], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert eventually(lambda: _answers(port) or process.poll() is not None)
        running = instance.running(tmp_path / "data")
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert running is not None, said
    assert {"temporal", "worker", "web"} <= set(running.children)
    assert process.returncode == 0, said


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False
