"""One look at the ledger for all who watch, in the order of the events, whatever order they were committed in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest_asyncio
from sqlalchemy import insert

from assent.domain.canonical import canonical_json
from assent.domain.people import SYSTEM
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.tables import LedgerEventRow
from assent_ui.watch import BACKLOG, LedgerWatch, Listener
from tests.databases import prepare

PATIENCE = 60.0


@pytest_asyncio.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    made = Database(settings.database_url)
    prepare(made)
    yield made
    made.close()


@pytest_asyncio.fixture
async def watch(database: Database) -> AsyncIterator[LedgerWatch]:
    made = LedgerWatch(database, look_every=0.01, gap_patience=3.0)
    yield made
    made.close()


def write(database: Database, *ids: int, run_id: str = "r") -> None:
    """Commit events with these ids."""
    actor = canonical_json(SYSTEM.model_dump(mode="json")).decode()
    at = datetime.now(UTC)
    with database.write() as session:
        session.execute(
            insert(LedgerEventRow),
            [
                {
                    "id": id,
                    "at": at,
                    "kind": "test",
                    "run_id": run_id,
                    "action_id": "",
                    "agent": "",
                    "actor": actor,
                    "body": "{}",
                }
                for id in ids
            ],
        )


async def heard(listener: Listener, count: int) -> Sequence[int]:
    """Wait for so many events."""
    ids: list[int] = []
    while len(ids) < count:
        ids += [event.id for event in await listener.next(PATIENCE)]
    return ids


async def test_each_hears_what_concerns_it(database: Database, watch: LedgerWatch) -> None:
    write(database, 1)
    async with watch.listening("r") as mine, watch.listening("other") as theirs, watch.listening() as everything:
        assert mine.position == 1
        write(database, 2)
        write(database, 3, run_id="other")
        assert await heard(mine, 1) == [2]
        assert await heard(theirs, 1) == [3]
        assert await heard(everything, 2) == [2, 3]


async def test_what_is_committed_late_still_comes_in_order(database: Database, watch: LedgerWatch) -> None:
    async with watch.listening() as listener:
        write(database, 1, 3)
        assert await heard(listener, 1) == [1]
        write(database, 2)
        assert await heard(listener, 2) == [2, 3]


async def test_a_number_that_never_comes_holds_nothing_up_for_ever(database: Database, watch: LedgerWatch) -> None:
    async with watch.listening() as listener:
        write(database, 1, 3, 4, 7, 9)
        assert await heard(listener, 5) == [1, 3, 4, 7, 9]
        write(database, 10)
        assert await heard(listener, 1) == [10]


async def test_who_does_not_keep_up_is_let_go(database: Database, watch: LedgerWatch) -> None:
    async with watch.listening() as slow, watch.listening() as quick:
        for start in range(1, BACKLOG + 2, 500):
            write(database, *range(start, start + 500))
            await heard(quick, 500)
        assert slow.over
        assert not await slow.next(PATIENCE)


async def test_it_ends_with_the_server_and_looks_only_while_somebody_listens(
    database: Database, watch: LedgerWatch
) -> None:
    async with watch.listening():
        pass
    write(database, 1)
    async with watch.listening() as again:
        assert again.position == 1
        watch.close()
        assert again.over
    async with watch.listening() as late:
        assert late.over
