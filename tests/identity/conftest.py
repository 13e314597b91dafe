"""A house for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.identity.house import House, build


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An installation without Temporal."""
    made = build(tmp_path / "assent.db")
    yield made
    made.database.close()
