"""The generic connector, built from options against the tables that the database really has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Inspector, MetaData, Table, inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError

from assent.domain.errors import InvalidInput, Unavailable
from assent_activities.connectors.contract import Connector, ConnectorEnvironment, Operation
from assent_activities.connectors.sql_rows.database import RowDatabase, first_line
from assent_activities.connectors.sql_rows.operations import RowOperation
from assent_activities.connectors.sql_rows.options import SqlRowsOptions, TableOptions, Verb, read_options
from assent_activities.connectors.sql_rows.schema import must_be_given, references
from assent_activities.connectors.sql_rows.store import RowStore
from assent_activities.connectors.sql_rows.types import action_type

_HIDDEN_EFFECTS = {"CASCADE", "SET NULL", "SET DEFAULT"}


class SqlRows:
    """Guarded rows of one database.

    Args:
        options: What may be done with which table.
        store: The tables, under the names of the options.
    """

    def __init__(self, options: SqlRowsOptions, store: RowStore) -> None:
        self._options = options
        self._store = store

    @property
    def name(self) -> str:
        """First part of its action types' names."""
        return self._options.name

    def operations(self) -> Sequence[Operation]:
        """One for each verb that is allowed on a table, named ``<connector>.<table>.<verb>``."""
        return [
            RowOperation(
                type=action_type(self.name, name, verb, self._store.tables[name], table),
                verb=verb,
                name=name,
                table=self._store.tables[name],
                options=table,
                store=self._store,
            )
            for name, table in self._options.tables.items()
            for verb in Verb
            if verb in table.allow
        ]

    def probe(self) -> None:
        """Whether the database answers.

        Raises:
            ConnectorUnavailable: It does not.
        """
        self._store.probe()

    def close(self) -> None:
        """Give back connections."""
        self._store.close()


def build(environment: ConnectorEnvironment) -> Connector:
    """Make the connector from the options of its entry (see :class:`SqlRowsOptions`).

    Raises:
        InvalidInput: An option is wrong, or names a table or column that the database does not have.
        Unavailable: The database cannot be reached.
    """
    options = read_options(environment.options)
    database = _open(options, environment.data_dir)
    try:
        inspector = inspect(database.engine)
        tables = {name: _table(database, inspector, options, name, table) for name, table in options.tables.items()}
    except InvalidInput:
        database.close()
        raise
    except DBAPIError as error:
        database.close()
        raise Unavailable(
            f"The database of the connector {options.name} does not answer: {first_line(error)}.",
            where=database.url.render_as_string(hide_password=True),
            todo="Start it, or correct `url`, and start again.",
        ) from error
    volatile = {name: table.volatile for name, table in options.tables.items()}
    return SqlRows(options, RowStore(options.name, database, tables, volatile=volatile))


def _open(options: SqlRowsOptions, data_dir: Path) -> RowDatabase:
    try:
        url = make_url(options.url)
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            url = url.set(database=str(data_dir / url.database))
        return RowDatabase(url.render_as_string(hide_password=False))
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise InvalidInput(
            f"The url of the connector {options.name} cannot be used: {error}",
            where="url",
            todo="Write sqlite:///file.db, or postgresql+psycopg://user@host/database with the extra `postgres`.",
        ) from error


def _table(
    database: RowDatabase, inspector: Inspector, options: SqlRowsOptions, name: str, table: TableOptions
) -> Table:
    where = f"tables.{name}"
    wanted = table.table or name
    try:
        found = Table(wanted, MetaData(), schema=options.db_schema, autoload_with=database.engine, resolve_fks=False)
    except NoSuchTableError:
        raise InvalidInput(f"The database has no table {wanted}.", where=where) from None
    found.info["dialect"] = database.url.get_backend_name()
    if not found.primary_key.columns:
        raise InvalidInput(f"The table {wanted} has no primary key.", where=where, todo="Rows are named by their key.")
    named = {*table.columns, *table.readable, *table.only, *table.volatile, *table.secret, *table.money}
    unknown = sorted(named - {column.name for column in found.columns})
    if unknown:
        raise InvalidInput(f"The table {wanted} has no column {', '.join(unknown)}.", where=where)
    if {Verb.INSERT, Verb.UPDATE} & table.allow and not set(table.columns) - set(table.only):
        raise InvalidInput("Writing needs at least one writable column.", where=f"{where}.columns")
    if Verb.INSERT in table.allow:
        left_out = sorted(set(must_be_given(found)) - set(table.columns) - set(table.only))
        if left_out:
            raise InvalidInput(
                f"A new row of {wanted} needs {', '.join(left_out)}.", where=f"{where}.columns", todo="Add them."
            )
    if Verb.DELETE in table.allow:
        _refuse_hidden_effects(inspector, options, wanted, where)
    return found


def _refuse_hidden_effects(inspector: Inspector, options: SqlRowsOptions, wanted: str, where: str) -> None:
    """A delete that the database spreads to other tables has no complete before-image, so it could not be undone."""
    for other, effect in references(inspector, options.db_schema, wanted):
        if effect in _HIDDEN_EFFECTS:
            raise InvalidInput(
                f"Deleting from {wanted} would also change {other} (ON DELETE {effect}); no undo restores that.",
                where=f"{where}.allow",
                todo="Leave out `delete`, or change the foreign key to RESTRICT.",
            )
