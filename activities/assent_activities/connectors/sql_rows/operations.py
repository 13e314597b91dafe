"""The operations of the generic connector: get, insert, update and delete one guarded row."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Table

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.effects import Performed, ResourceChange
from assent_activities.connectors.contract import ActionFailed, Call
from assent_activities.connectors.sql_rows.options import TableOptions, Verb
from assent_activities.connectors.sql_rows.rehearsal import rehearsed
from assent_activities.connectors.sql_rows.store import RowStore
from assent_activities.connectors.sql_rows.transaction import Key, RowTransaction
from assent_activities.connectors.sql_rows.trials import RowTrial, arguments_for
from assent_activities.connectors.sql_rows.values import Row


@dataclass(frozen=True)
class RowOperation:
    """One verb on one table."""

    type: ActionType
    verb: Verb
    name: str
    table: Table
    options: TableOptions
    store: RowStore

    def preview(self, call: Call) -> list[ResourceChange]:
        """See the contract."""
        return self.store.preview(lambda rows: self._work(rows, call))

    def perform(self, call: Call) -> Performed:
        """See the contract."""
        if self.verb is Verb.GET:
            return Performed(result=self.store.read(lambda rows: self._work(rows, call)))
        return self.store.perform(call.key, lambda rows: self._work(rows, call))

    def lookup(self, call: Call) -> Performed | bool | None:
        """See the contract."""
        return False if self.verb is Verb.GET else self.store.lookup(call.key)

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """See the contract."""
        return self.store.undo_preview(undo_data)

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """See the contract."""
        return self.store.undo(call.key, undo_data)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[RowTrial]:
        """A real row in a transaction that is taken back."""
        with rehearsed(self.store) as store:
            there = replace(self, store=store)
            yield RowTrial(there, arguments_for(self.verb, self.name, self.table, self.options, store))

    def _work(self, rows: RowTransaction, call: Call) -> Json:
        if self.verb is Verb.INSERT:
            values = dict(call.arguments["values"])
            self._guard({**self.options.only, **values})
            return self._shown(rows.add(self.name, {**values, **self.options.only}))
        key = self._key(call.arguments["row"])
        row = rows.get(self.name, key)
        if row is None:
            raise ActionFailed(f"There is no {self._title} {self._named(key)}.")
        self._guard(row)
        self._expect(row, call.arguments.get("expected") or {})
        match self.verb:
            case Verb.UPDATE:
                changed = {**row, **call.arguments["set"]}
                self._guard(changed)
                return self._shown(rows.put(self.name, key, changed) or {})
            case Verb.DELETE:
                rows.put(self.name, key, None)
                return {"deleted": call.arguments["row"]}
        return self._shown(row)

    def _guard(self, row: Row) -> None:
        for column, wanted in self.options.only.items():
            if row.get(column) != wanted:
                raise ActionFailed(f"Only a {self._title} whose {column} is {_said(wanted)} may be touched or made.")

    def _expect(self, row: Row, expected: Row) -> None:
        off = [
            f"{name} is {_said(row.get(name))}, not {_said(value)}"
            for name, value in expected.items()
            if row.get(name) != value
        ]
        if off:
            raise ActionFailed(f"The {self._title} is not as expected: {'; '.join(off)}.")

    def _key(self, row: Json) -> Key:
        names = [column.name for column in self.table.primary_key.columns]
        return tuple(row[name] for name in names) if len(names) > 1 else row

    def _shown(self, row: Row) -> Row:
        names = self.options.readable or list(row)
        return {name: row[name] for name in names if name in row}

    def _named(self, key: Key) -> str:
        return ", ".join(str(value) for value in key) if isinstance(key, tuple) else str(key)

    @property
    def _title(self) -> str:
        return self.options.title or self.name


def _said(value: Json) -> str:
    return "empty" if value is None else repr(value)
