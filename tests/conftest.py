"""What tests of every kind share: a real Temporal server, started once, and settings that leave the machine alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from assent.runtime import processes
from assent.runtime.progress import Progress
from assent.runtime.settings import PREFIX, Settings
from assent.runtime.temporal import devserver, locate
from tests.optional import REQUIRED, missing
from tests.postgres import programs, running_postgres

MEMORY = Path("/dev/shm")
"""Where temporary files are in memory, on Linux: databases that tests throw away need not wait for a disk."""

ROOM = 4 * 1024**3
"""Bytes that must be free there."""

# No property is judged by the clock: the machine may do other work.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")


def pytest_configure() -> None:
    """Put temporary files where they are quick, unless somebody chose another place."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


@pytest.fixture(scope="session")
def temporal_executable() -> Path:
    """A Temporal CLI: found on this machine, or fetched or built on first use (minutes, once)."""
    return locate.obtain(Settings.load(), Progress()).path


@pytest.fixture(scope="session")
def temporal_server(temporal_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a dev server that runs for the whole test session with its state in memory."""
    server = devserver.DevServer(temporal_executable, port=processes.free_port())
    log = tmp_path_factory.mktemp("temporal") / "temporal.log"
    with devserver.running(server, log, Progress()):
        yield server.address


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL server that runs for the whole test session and starts empty."""
    binaries = programs()
    if binaries is None:
        missing("PostgreSQL")
    with running_postgres(binaries) as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a data folder of the test's own, free of the environment's."""
    for name in [name for name in os.environ if name.startswith((PREFIX, "TEMPORAL_"))]:
        if name != REQUIRED:
            monkeypatch.delenv(name)
    return Settings.load(data_dir=tmp_path / "data")
