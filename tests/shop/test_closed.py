"""The shop's health check: it fails while the sign hangs out, and while the database is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent_activities.connectors import ConnectorUnavailable, Probing, build_registry, probes_of
from assent_shop.connector import CLOSED_SIGN, Shop


def test_a_closed_shop_is_not_well(shop: Shop, tmp_path: Path) -> None:
    assert isinstance(shop, Probing)
    assert probes_of(build_registry([shop])) == {"shop": shop}
    shop.probe()
    (tmp_path / CLOSED_SIGN).touch()
    with pytest.raises(ConnectorUnavailable, match="closed for stocktaking"):
        shop.probe()
    (tmp_path / CLOSED_SIGN).unlink()
    shop.probe()
