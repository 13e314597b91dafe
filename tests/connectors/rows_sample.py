"""Tables with a value of every kind, for tests of rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    insert,
)

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row, RowTransaction

metadata = MetaData()
tables = {
    "accounts": Table(
        "accounts",
        metadata,
        Column("id", String(20), primary_key=True),
        Column("balance", Numeric(12, 2), CheckConstraint("balance >= 0"), nullable=False),
        Column("rate", Float),
        Column("opened", Date),
        Column("touched", DateTime(timezone=True)),
        Column("photo", LargeBinary),
        Column("tags", JSON),
    ),
    "entries": Table(
        "entries",
        metadata,
        Column("account", String(20), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("text", String(80), nullable=False, server_default="-"),
    ),
    "notes": Table("notes", metadata, Column("id", Integer, primary_key=True), Column("text", String(80))),
}


def create_accounts(engine: Engine) -> None:
    """Three accounts: anna and bert with everything set, carl with nothing that can be left out."""
    metadata.create_all(engine)
    full = {
        "rate": 0.1 + 0.2,
        "opened": date(2024, 2, 29),
        "touched": datetime(2024, 5, 1, 12, 30, tzinfo=UTC),
        "photo": b"\x00\xff",
        "tags": {"b": [1, 2.5, None], "a": "ü"},
    }
    with engine.begin() as connection:
        for name in ("anna", "bert"):
            connection.execute(insert(tables["accounts"]).values(id=name, balance=Decimal("100.00"), **full))
        connection.execute(insert(tables["accounts"]).values(id="carl", balance=Decimal("5.50")))


def transfer(rows: RowTransaction, giver: str, taker: str, amount: str) -> Row:
    """Move money and note it in both accounts' entries."""
    for name, change in ((giver, -Decimal(amount)), (taker, Decimal(amount))):
        account = rows.get("accounts", name)
        if account is None:
            raise ActionFailed(f"There is no account {name}.")
        rows.put("accounts", name, {**account, "balance": str(Decimal(account["balance"]) + change)})
        number = len(rows.find("entries", tables["entries"].c.account == name)) + 1
        rows.put("entries", (name, number), {"text": f"{change:+}"})
    return {"moved": amount}
