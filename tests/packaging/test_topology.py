"""The production topology, without containers: PostgreSQL, several workers, one of them killed midway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.runtime.console import verified
from assent.runtime.progress import Progress
from benchmarks.kills import Product, count, work
from tests.databases import empty_database

RUNS = 40


@pytest.fixture
def empty_postgres(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of PostgreSQL."""
    with empty_database("postgresql", request, tmp_path) as url:
        yield url


@pytest.mark.postgres
def test_several_workers_on_postgresql_lose_and_double_nothing(tmp_path: Path, empty_postgres: str) -> None:
    product = Product(tmp_path, database_url=empty_postgres, worker_processes=3)
    product.start()
    try:
        work(product, RUNS, [product.kill_worker], Progress())
        report = asyncio.run(verified(product.settings, histories=True))
        found = count(product.settings, tmp_path / "data" / "effects.journal")
    finally:
        product.stop()
    assert report.faults == []
    assert report.runs == RUNS
    assert (found["ended"], found["effects"]) == (RUNS, 2 * RUNS)
    assert (found["doubled"], found["lost"], found["unknown"]) == ([], [], 0)
