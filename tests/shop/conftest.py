"""A shop of its own for each test, and the public benchmark's data where it exists."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent_activities.connectors.contract import ConnectorEnvironment
from assent_shop.connector import Shop, build
from tests.databases import KINDS, empty_database

_HERE = Path(__file__).parents[2]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """The sample shop."""
    shop = build(ConnectorEnvironment(tmp_path, {"mail_seconds": 0.01}))
    assert isinstance(shop, Shop)
    yield shop
    shop.close()


@pytest.fixture(params=KINDS)
def shop_on_any_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """The sample shop, on each kind of database."""
    with empty_database(request.param, request, tmp_path) as url:
        shop = build(ConnectorEnvironment(tmp_path, {"mail_seconds": 0.01, "url": url}))
        assert isinstance(shop, Shop)
        yield shop
        shop.close()


@pytest.fixture(scope="session")
def tau2() -> Path:
    """Folder of the public retail benchmark."""
    folder = Path(os.environ.get("ASSENT_TAU2_DATA") or _HERE.parent / "shared/data/tau2-retail")
    if not (folder / "db.json").is_file():
        pytest.skip("ASSENT_TAU2_DATA names no folder with the retail benchmark")
    return folder
