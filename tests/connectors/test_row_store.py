"""Rows are changed once per key, taken back exactly, and never at the cost of later work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from assent.domain.canonical import Json
from assent.domain.effects import ResourceChange
from assent_activities.connectors.contract import ActionFailed, ConnectorUnavailable, UndoConflict
from assent_activities.connectors.sql_rows import Row, RowDatabase, RowStore, RowTransaction
from tests.connectors.rows_sample import tables, transfer


def everything(store: RowStore) -> dict[str, list[Row]]:
    """Every row of every table."""
    return store.read(lambda rows: {name: rows.find(name, limit=10_000) for name in tables})


def balance(store: RowStore, account: str) -> Json:
    row = store.read(lambda rows: rows.get("accounts", account))
    assert row is not None
    return row["balance"]


def test_a_performed_change_reports_each_row_before_and_after(store: RowStore) -> None:
    done = store.perform("r:1", lambda rows: transfer(rows, "anna", "bert", "30.00"))

    assert done.result == {"moved": "30.00"}
    assert [change.resource for change in done.changes] == [
        "bank/accounts/anna",
        "bank/entries/anna,1",
        "bank/accounts/bert",
        "bank/entries/bert,1",
    ]
    assert done.changes[0].before["balance"] == "100.00"
    assert done.changes[0].after["balance"] == "70.00"
    assert done.changes[1] == ResourceChange(
        resource="bank/entries/anna,1", before=None, after={"account": "anna", "number": 1, "text": "-30.00"}
    )
    assert balance(store, "bert") == "130.00"


def test_undo_restores_every_kind_of_value(store: RowStore) -> None:
    before = everything(store)

    def rewrite(rows: RowTransaction) -> Json:
        rows.put("accounts", "anna", {"rate": None, "opened": "1999-01-01", "photo": "AAE=", "tags": None})
        rows.put("accounts", "carl", {"rate": 7, "opened": "2020-12-31", "photo": "", "tags": [1]})
        rows.put("accounts", "bert", None)
        return None

    done = store.perform("r:1", rewrite)
    assert everything(store) != before
    undone = store.undo("r:1", done.undo_data)

    assert everything(store) == before
    assert {change.resource for change in undone.changes} == {f"bank/accounts/{n}" for n in ("anna", "bert", "carl")}


def test_a_preview_shows_the_change_and_makes_none(store: RowStore) -> None:
    before = everything(store)
    preview = store.preview(lambda rows: transfer(rows, "anna", "bert", "30.00"))
    assert everything(store) == before
    assert [(c.resource, c.after.get("balance")) for c in preview if "accounts" in c.resource] == [
        ("bank/accounts/anna", "70.00"),
        ("bank/accounts/bert", "130.00"),
    ]


def test_a_new_row_gets_its_key_and_defaults_from_the_database(store: RowStore) -> None:
    done = store.perform("r:1", lambda rows: rows.add("notes", {"text": "hello"}))
    assert done.result == {"id": 1, "text": "hello"}
    assert done.changes[0].resource == "bank/notes/1"
    assert store.preview(lambda rows: rows.add("notes", {"text": "hello"}))[0].resource == "bank/notes/new 1"
    store.undo("r:1", done.undo_data)
    assert everything(store)["notes"] == []

    done = store.perform("r:2", lambda rows: rows.put("entries", ("anna", 1), {}))
    assert done.result["text"] == "-"
    with pytest.raises(ActionFailed, match="already has a row"):
        store.perform("r:3", lambda rows: rows.add("entries", {"account": "anna", "number": 1}))


def test_repeating_a_key_does_nothing_and_answers_the_same(store: RowStore) -> None:
    first = store.perform("r:1", lambda rows: transfer(rows, "anna", "bert", "30.00"))
    again = store.perform("r:1", lambda rows: transfer(rows, "anna", "bert", "99.00"))
    assert again == first == store.lookup("r:1")
    assert balance(store, "anna") == "70.00"

    undone = store.undo("r:1", first.undo_data)
    assert store.undo("r:1", first.undo_data) == undone
    assert balance(store, "anna") == "100.00"


def test_attempts_that_overlap_have_one_effect_and_one_answer(store: RowStore) -> None:
    threads = 8
    barrier = Barrier(threads)

    def attempt(_: int) -> Json:
        barrier.wait()
        return store.perform("r:1", lambda rows: transfer(rows, "anna", "bert", "30.00"))

    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(attempt, range(threads)))
    assert all(answer == answers[0] for answer in answers)
    assert balance(store, "bert") == "130.00"

    with ThreadPoolExecutor(threads) as pool:
        undone = list(pool.map(lambda _: store.undo("r:1", answers[0].undo_data), range(threads)))
    assert all(one == undone[0] for one in undone)
    assert balance(store, "bert") == "100.00"


def test_transfers_in_opposite_directions_lose_no_money(store: RowStore) -> None:
    def attempt(number: int) -> None:
        giver, taker = ("anna", "bert") if number % 2 else ("bert", "anna")

        def move(rows: RowTransaction) -> Json:
            for name, change in ((giver, -1), (taker, 1)):
                row = rows.get("accounts", name)
                assert row is not None
                rows.put("accounts", name, {"balance": float(row["balance"]) + change})
            return None

        store.perform(f"r:{number}", move)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(attempt, range(16)))
    assert (balance(store, "anna"), balance(store, "bert")) == ("100.00", "100.00")


def test_work_that_breaks_off_leaves_nothing_behind(store: RowStore) -> None:
    before = everything(store)

    def dies(rows: RowTransaction) -> Json:
        transfer(rows, "anna", "bert", "30.00")
        raise SystemExit("killed")

    with pytest.raises(SystemExit):
        store.perform("r:1", dies)
    assert everything(store) == before
    assert store.lookup("r:1") is None
    assert store.perform("r:1", lambda rows: transfer(rows, "anna", "bert", "30.00")).result == {"moved": "30.00"}


def test_a_refusal_of_work_or_database_has_no_effect(store: RowStore) -> None:
    before = everything(store)
    with pytest.raises(ActionFailed, match="no account zoe"):
        store.perform("r:1", lambda rows: transfer(rows, "anna", "zoe", "1.00"))
    with pytest.raises(ActionFailed, match=r"The database refused it: .*balance"):
        store.perform("r:2", lambda rows: transfer(rows, "anna", "bert", "101.00"))
    with pytest.raises(ActionFailed, match="accounts cannot hold this"):
        store.perform("r:3", lambda rows: rows.put("accounts", "anna", {"opened": "yesterday"}))
    with pytest.raises(ActionFailed, match="no column colour"):
        store.perform("r:4", lambda rows: rows.put("accounts", "anna", {"colour": "red"}))
    assert everything(store) == before
    assert store.lookup("r:2") is False
    with pytest.raises(ActionFailed, match="no account zoe"):
        store.perform("r:1", lambda rows: transfer(rows, "anna", "bert", "1.00"))
    assert everything(store) == before


def test_undo_refuses_to_clobber_a_later_change_and_names_it(store: RowStore) -> None:
    first = store.perform("r:1", lambda rows: transfer(rows, "anna", "bert", "30.00"))
    store.perform("r:2", lambda rows: rows.put("accounts", "bert", {"rate": 9.0, "tags": ["vip"]}))
    now = everything(store)

    for attempt in (lambda: store.undo_preview(first.undo_data), lambda: store.undo("r:1", first.undo_data)):
        with pytest.raises(UndoConflict, match=r"bank/accounts/bert was changed after this action: rate, tags are"):
            attempt()
    assert everything(store) == now


def test_undo_after_a_delete_or_a_new_row_is_a_conflict(store: RowStore) -> None:
    changed = store.perform("r:1", lambda rows: rows.put("accounts", "carl", {"balance": 1}))
    deleted = store.perform("r:2", lambda rows: rows.put("accounts", "carl", None))
    with pytest.raises(UndoConflict, match="bank/accounts/carl was deleted"):
        store.undo("r:1", changed.undo_data)
    store.perform("r:3", lambda rows: rows.put("accounts", "carl", {"balance": 2}))
    with pytest.raises(UndoConflict, match="bank/accounts/carl was created again"):
        store.undo("r:2", deleted.undo_data)


def test_a_volatile_column_is_no_conflict(store: RowStore) -> None:
    done = store.perform("r:1", lambda rows: rows.put("accounts", "anna", {"rate": 1.0}))
    store.perform("r:2", lambda rows: rows.put("accounts", "anna", {"touched": "2030-01-01T00:00:00+00:00"}))
    store.undo("r:1", done.undo_data)
    row = store.read(lambda rows: rows.get("accounts", "anna"))
    assert row is not None
    assert row["rate"] == 0.1 + 0.2


def test_an_undo_that_the_database_bends_is_refused(store: RowStore) -> None:
    if not store.database.sqlite:
        pytest.skip("the trigger is written for SQLite")
    done = store.perform("r:1", lambda rows: rows.put("accounts", "carl", {"balance": 1}))
    with store.database.writing() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER bend AFTER UPDATE ON accounts WHEN new.balance = 5.5 "
                "BEGIN UPDATE accounts SET rate = 99 WHERE id = new.id; END"
            )
        )
    with pytest.raises(UndoConflict, match="did not become what it was: rate is different"):
        store.undo("r:1", done.undo_data)
    assert balance(store, "carl") == "1.00"


def test_a_key_cannot_be_changed(store: RowStore) -> None:
    with pytest.raises(ValueError, match="own key"):
        store.perform("r:1", lambda rows: rows.put("accounts", "anna", {"id": "anne"}))


def test_a_database_that_is_away_is_unavailable() -> None:
    store = RowStore("bank", RowDatabase("postgresql+psycopg://x@127.0.0.1:1/none"), tables)
    for attempt in (
        lambda: store.perform("r:1", lambda rows: None),
        lambda: store.lookup("r:1"),
        lambda: store.preview(lambda rows: None),
        lambda: store.undo("r:1", None),
    ):
        with pytest.raises(ConnectorUnavailable, match="does not answer"):
            attempt()


def test_only_databases_it_knows_are_accepted() -> None:
    with pytest.raises(ValueError, match="in memory"):
        RowDatabase("sqlite://")
