"""Tools of the shop as operations: a declaration, and work on rows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.effects import Performed, ResourceChange
from assent_activities.connectors import Call, Extent
from assent_activities.connectors.sql_rows import RowStore, RowTransaction, RowTrial, rehearsed
from assent_shop.extent import extent_of
from assent_shop.trials import call_for

Work = Callable[[RowTransaction, Call], Json]


@dataclass(frozen=True)
class LookUp:
    """Answers and changes nothing."""

    type: ActionType
    store: RowStore
    work: Work

    def preview(self, call: Call) -> list[ResourceChange]:
        """See the contract."""
        return []

    def perform(self, call: Call) -> Performed:
        """See the contract."""
        return Performed(result=self.store.read(lambda rows: self.work(rows, call)))

    def lookup(self, call: Call) -> Performed | bool | None:
        """See the contract."""
        return False

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """See the contract."""
        return []

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """See the contract."""
        return Performed()


@dataclass(frozen=True)
class Change:
    """Changes rows of the shop; previewed, done once, and taken back by the row store."""

    type: ActionType
    store: RowStore
    work: Work

    def preview(self, call: Call) -> list[ResourceChange]:
        """See the contract."""
        return self.store.preview(lambda rows: self.work(rows, call))

    def extent(self, call: Call, changes: Sequence[ResourceChange]) -> Extent:
        """See the contract."""
        return extent_of(changes)

    def perform(self, call: Call) -> Performed:
        """See the contract."""
        return self.store.perform(call.key, lambda rows: self.work(rows, call))

    def lookup(self, call: Call) -> Performed | bool | None:
        """See the contract."""
        return self.store.lookup(call.key)

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """See the contract."""
        return self.store.undo_preview(undo_data)

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """See the contract."""
        return self.store.undo(call.key, undo_data)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[RowTrial]:
        """The shop as it is, in a transaction that is taken back."""
        with rehearsed(self.store) as store:
            there = replace(self, store=store)
            yield RowTrial(there, call_for(there, store))
