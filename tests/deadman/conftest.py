"""What tests of the dead man's switch share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from assent.runtime import clock_watch
from tests.deadman.trouble import Clock, OwnPostgres
from tests.optional import missing
from tests.postgres import programs


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    binaries = programs()
    if binaries is None:
        missing("PostgreSQL")
    with tempfile.TemporaryDirectory(prefix="assent-postgres-", ignore_cleanup_errors=True) as home:
        server = OwnPostgres(binaries, Path(home))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A worker's clock, which is compared ten times a second."""
    monkeypatch.setattr(clock_watch, "LOOK_EVERY", timedelta(seconds=0.1))
    return Clock()
