"""A clerk who keeps customers in a database: the card, and small tables on which undos are proven."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from assent.domain.canonical import Json

OPTIONS: dict[str, Json] = {
    "name": "crm",
    "tables": {
        "customers": {"allow": ["get", "update"], "columns": ["name"]},
        "empty": {"allow": ["update"], "columns": ["word"]},
    },
}
"""Options of the connector for the tables of :func:`make_tables`, but for their URL."""

_TABLES = (
    "CREATE TABLE customers (id TEXT PRIMARY KEY, name TEXT NOT NULL)",
    "CREATE TABLE empty (id TEXT PRIMARY KEY, word TEXT)",
    "INSERT INTO customers VALUES ('a', 'Anna')",
)


def clerk_card(*verbs: str) -> str:
    """The clerk's card, with verbs on tables (``customers.update``) that it does by itself."""
    actions = "\n".join(f"  crm.{verb}: {{tier: auto}}" for verb in verbs)
    return f"""
name: crm-clerk
purpose: Keeps customers.
business_owner: &owner {{name: Bo Owner, email: bo@example.com}}
technical_owner: *owner
model_steward: *owner
escalation: *owner
undo_proof: {{within: 30d}}
actions:
{actions}
"""


CARD = clerk_card("customers.get", "customers.update", "empty.update")


def make_tables(url: str) -> None:
    """One customer, and a table in which there is nothing to try anything on."""
    run(url, *_TABLES)


def run(url: str, *statements: str) -> None:
    """Run statements on a database, as its own software would."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
