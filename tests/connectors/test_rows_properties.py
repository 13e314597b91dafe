"""Whatever is done to rows, taking it back newest first leaves every row as it was."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.domain.canonical import Json
from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row, RowDatabase, RowStore, RowTransaction
from tests.connectors.rows_sample import create_accounts, tables

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=6,
)
_values = st.fixed_dictionaries(
    {"balance": st.decimals(0, 9999, places=2).map(str)},
    optional={
        "rate": st.none() | st.floats(allow_nan=False),
        "opened": st.none() | st.dates().map(str),
        "photo": st.none() | st.just("AAEC"),
        "tags": _json,
    },
)
_write = st.tuples(st.sampled_from(["anna", "bert", "carl", "dora"]), st.none() | _values)
_action = st.lists(_write, min_size=1, max_size=4)


@pytest.fixture(scope="module")
def bank() -> Iterator[RowStore]:
    with tempfile.TemporaryDirectory() as folder:
        database = RowDatabase(f"sqlite:///{Path(folder) / 'rows.db'}")
        create_accounts(database.engine)
        store = RowStore("bank", database, tables)
        yield store
        store.close()


_keys = itertools.count()


@settings(max_examples=60, deadline=None)
@given(actions=st.lists(_action, min_size=1, max_size=5))
def test_undoing_newest_first_restores_everything(bank: RowStore, actions: list[list[tuple[str, Row | None]]]) -> None:
    before = _all(bank)
    done: list[tuple[str, Json]] = []
    for writes in actions:
        key = f"r:{next(_keys)}"

        def work(rows: RowTransaction, writes: list[tuple[str, Row | None]] = writes) -> Json:
            for name, row in writes:
                rows.put("accounts", name, row)
            return None

        try:
            done.append((key, bank.perform(key, work).undo_data))
        except ActionFailed as error:
            raise AssertionError("nothing here should be refused") from error
    for key, undo_data in reversed(done):
        bank.undo(key, undo_data)
    assert _all(bank) == before


def _all(bank: RowStore) -> list[Row]:
    return bank.read(lambda rows: rows.find("accounts"))
