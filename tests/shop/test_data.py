"""The shop's content: the same every time, and made once however many ask for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assent.domain.errors import InvalidInput, Unavailable
from assent_activities.connectors.contract import ConnectorEnvironment
from assent_shop.connector import Shop, build
from assent_shop.data import replace_shop
from assent_shop.stock import sample_shop
from benchmarks.tau2_retail.rows import content


def test_the_sample_is_small_and_always_the_same() -> None:
    shop = sample_shop()
    assert shop == sample_shop()
    assert {name: len(rows) for name, rows in shop.items()} == {"users": 60, "products": 25, "orders": 150}
    for order in shop["orders"].values():
        user = shop["users"][order["user_id"]]
        assert order["order_id"] in user["orders"]
        assert order["payment_history"][0]["payment_method_id"] in user["payment_methods"]
        for item in order["items"]:
            assert item["item_id"] in shop["products"][item["product_id"]]["variants"]


def test_processes_that_start_together_make_one_shop(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        shops = list(pool.map(lambda _: build(ConnectorEnvironment(tmp_path)), range(4)))
    shop = shops[0]
    assert isinstance(shop, Shop)
    assert len(content(shop.store)["orders"]) == 150
    for each in shops:
        each.close()


def test_a_shop_can_be_put_back(shop: Shop) -> None:
    before = content(shop.store)
    shop.store.perform("r:1", lambda rows: rows.put("orders", "#A1001", {"status": "lost"}))
    replace_shop(shop.store.database.engine, sample_shop())
    assert content(shop.store) == before


def test_wrong_options_are_refused_in_words(tmp_path: Path) -> None:
    for options in ({"colour": "red"}, {"url": "nonsense"}, {"mail_seconds": -1}, {"tau2": str(tmp_path)}):
        with pytest.raises(InvalidInput, match=r"cannot be (used|read)"):
            build(ConnectorEnvironment(tmp_path, options))
    with pytest.raises(Unavailable):
        build(ConnectorEnvironment(tmp_path, {"url": "postgresql+psycopg://x@127.0.0.1:1/none"}))
