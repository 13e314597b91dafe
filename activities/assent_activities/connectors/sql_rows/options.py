"""Options of the generic connector, as a connectors file states them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assent.domain.canonical import Json
from assent.domain.errors import InvalidInput
from assent.domain.tiers import Risk


class Verb(StrEnum):
    """What may be done with the rows of a table."""

    GET = "get"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableOptions(_Strict):
    """What agents may do with one table.

    Attributes:
        table: Name in the database; empty means the name of the entry.
        title: What one row is called, for people; empty means the name of the entry.
        allow: What may be done.
        columns: Columns that may be written, never those of the primary key unless rows are inserted with it.
        readable: Columns that ``get`` answers with; empty means all.
        only: Guard: only rows with these values may be touched, and they keep them.
        risks: Risk flags of the decision guide, for writing.
        volatile: Columns that change by themselves and never stand in the way of an undo.
        undo_within: Seconds after which a change can no longer be undone; ``None`` is without limit.
        secret: Columns whose values people must not see.
        money: Columns that are money.
        currency: Code of that money's currency (ISO 4217), ``EUR`` say.
    """

    table: str = ""
    title: str = ""
    allow: frozenset[Verb] = frozenset({Verb.GET})
    columns: list[str] = Field(default_factory=list)
    readable: list[str] = Field(default_factory=list)
    only: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    risks: frozenset[Risk] = frozenset()
    volatile: frozenset[str] = frozenset()
    undo_within: timedelta | None = None
    secret: frozenset[str] = frozenset()
    money: frozenset[str] = frozenset()
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")


class SqlRowsOptions(_Strict):
    """Options of one *SQL rows* connector.

    Attributes:
        name: First part of its action types' names.
        url: SQLAlchemy URL of the database; a relative SQLite file lies in the data folder.
        db_schema: Schema of the tables in PostgreSQL, written ``schema`` in the file.
        tables: What may be done, by the name that action types carry.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=30)
    url: str = Field(min_length=1)
    db_schema: str | None = Field(default=None, alias="schema")
    tables: dict[str, TableOptions] = Field(min_length=1)


def read_options(options: Mapping[str, Json]) -> SqlRowsOptions:
    """Check the options of a connectors file.

    Raises:
        InvalidInput: With every fault, by field.
    """
    try:
        return SqlRowsOptions.model_validate(dict(options))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'options'}: {fault['msg']}" for fault in error.errors()
        )
        raise InvalidInput(
            f"The options of an SQL rows connector have faults: {faults}.",
            where="connectors file",
            todo="Correct them and start again.",
        ) from error
