"""Every list comes in pages, in a total order, and from an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from assent.domain.approvals import ApprovalStatus
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.pauses import ScopeKind
from assent.domain.rollbacks import RollbackStatus
from assent.domain.runs import RunStatus
from assent.store.database import Database
from assent.store.ledger import seal_all
from assent.store.queries import agents, approvals, ledger, pauses, rollbacks, runs, timeline
from assent.store.queries.ledger import LedgerFilter
from assent.store.queries.paging import Page, PageRequest
from tests.databases import KINDS, migrated_database
from tests.store.sample import AGENTS, fill, minute

Pages = Callable[[PageRequest], Page[Any]]


@pytest.fixture(params=KINDS, scope="module")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A filled database of each kind; these tests only read."""
    with migrated_database(request.param, request, tmp_path_factory.mktemp("queries")) as made:
        fill(made)
        yield made


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.read() as opened:
        yield opened


def walk(pages: Pages, limit: int) -> list[Any]:
    """Everything of a list, page by page."""
    found: list[Any] = []
    cursor = None
    while True:
        page = pages(PageRequest(limit, cursor))
        assert len(page.items) <= limit
        found += page.items
        if page.next_cursor is None:
            return found
        assert len(page.items) == limit
        cursor = page.next_cursor


@pytest.mark.parametrize("limit", [1, 7, 60, 200])
def test_runs_newest_first_whatever_the_size_of_a_page(session: Session, limit: int) -> None:
    found = walk(lambda request: runs.page(session, request=request), limit)
    assert len({run.run_id for run in found}) == 60
    assert [(run.started_at, run.run_id) for run in found] == sorted(
        ((run.started_at, run.run_id) for run in found), reverse=True
    )


def test_runs_by_agent_and_status(session: Session) -> None:
    found = walk(lambda request: runs.page(session, agent="refunds", status=RunStatus.HELD, request=request), 3)
    assert found
    assert all(run.agent == "refunds" and run.status is RunStatus.HELD for run in found)
    assert runs.count(session, agent="refunds", status=RunStatus.HELD) == len(found)
    assert runs.count(session, cap=7) == 7


def test_a_run_its_actions_and_its_timeline(session: Session) -> None:
    run = runs.one(session, "run-3")
    assert (run.goal, run.received) == ("Goal 3", {"text": "hello"})
    assert [action.key for action in walk(lambda request: runs.actions(session, "run-3", request=request), 1)] == [
        "a1",
        "a2",
    ]
    assert runs.action(session, "run-3:a1").approval_id == "ap-0003-a1"
    everything = timeline.of_run(session, "run-3")
    assert [each.kind for each in everything[:2]] == ["run.started", "action.proposed"]
    assert timeline.of_run(session, "run-3", after=everything[1].id) == everything[2:]
    assert timeline.of_run(session, "run-3", limit=1) == everything[:1]
    assert {each.action_id for each in timeline.of_action(session, "run-3:a1")} == {"run-3:a1"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: runs.one(session, "nowhere"),
        lambda session: runs.action(session, "nowhere:a"),
        lambda session: approvals.one(session, "nowhere"),
        lambda session: agents.one(session, "nowhere"),
        lambda session: agents.version(session, "refunds", 99),
        lambda session: pauses.one(session, "nowhere"),
        lambda session: rollbacks.one(session, "nowhere"),
    ],
)
def test_what_is_not_there_is_said_to_be_so(session: Session, ask: Callable[[Session], object]) -> None:
    with pytest.raises(NotFound) as error:
        ask(session)
    assert error.value.where


def test_the_inbox_is_soonest_due_first(session: Session) -> None:
    found = walk(lambda request: approvals.pending(session, request=request), 5)
    assert [each.expires_at for each in found] == sorted(each.expires_at for each in found)
    assert all(each.status is ApprovalStatus.PENDING for each in found)
    assert approvals.count_pending(session) == len(found)
    mine = walk(lambda request: approvals.pending(session, agent="support", request=request), 5)
    assert {each.agent for each in mine} == {"support"}
    assert not approvals.pending(session, type="shop.other").items


@pytest.mark.parametrize("limit", [1, 7, 200])
def test_closed_requests_of_every_kind_in_one_order(session: Session, limit: int) -> None:
    found = walk(lambda request: approvals.closed(session, request=request), limit)
    assert {each.status for each in found} == set(ApprovalStatus) - {ApprovalStatus.PENDING}
    assert [(each.created_at, each.id) for each in found] == sorted(
        ((each.created_at, each.id) for each in found), reverse=True
    )
    theirs = walk(lambda request: approvals.closed(session, agent="support", request=request), limit)
    assert {each.id for each in theirs} == {each.id for each in found if each.agent == "support"}
    rejected = walk(lambda request: approvals.closed(session, status=ApprovalStatus.REJECTED, request=request), limit)
    assert rejected == [each for each in found if each.status is ApprovalStatus.REJECTED]


def test_when_somebody_last_decided(session: Session) -> None:
    assert approvals.last_decided_at(session) == minute(59)


@pytest.mark.parametrize(
    "wanted",
    [
        LedgerFilter(),
        LedgerFilter(run_id="run-4"),
        LedgerFilter(action_id="run-4:a2"),
        LedgerFilter(agent="support"),
        LedgerFilter(kind="effect.done"),
        LedgerFilter(agent="support", kind="run.started"),
        LedgerFilter(since=minute(10)),
        LedgerFilter(until=minute(10)),
        LedgerFilter(kind="effect.done", since=minute(10), until=minute(20)),
        LedgerFilter(since=minute(10_000)),
    ],
)
def test_the_ledger_by_every_filter(session: Session, wanted: LedgerFilter) -> None:
    everything = walk(lambda request: ledger.page(session, request=request), 200)
    expected = [
        each
        for each in everything
        if (wanted.run_id is None or each.run_id == wanted.run_id)
        and (wanted.action_id is None or each.action_id == wanted.action_id)
        and (wanted.agent is None or each.agent == wanted.agent)
        and (wanted.kind is None or each.kind == wanted.kind)
        and (wanted.since is None or each.at >= wanted.since)
        and (wanted.until is None or each.at < wanted.until)
    ]
    assert walk(lambda request: ledger.page(session, wanted, request=request), 9) == expected


def test_the_ledger_of_a_record_has_each_event_once(session: Session) -> None:
    touched = walk(lambda request: ledger.touches(session, "shop/orders/W0", request=request), 4)
    assert [each.undo for each in touched[:3]] == [True, True, False]
    events: list[int] = []
    cursor = None
    while True:
        page = ledger.page_of_resource(session, "shop/orders/W0", request=PageRequest(4, cursor))
        events += [each.id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(events) == len(set(events)) == 20 * 2 * 3 + 2
    assert not ledger.page_of_resource(session, "shop/orders/none").items


def test_an_export_follows_the_chain(database: Database) -> None:
    total = seal_all(database)
    with database.read() as session:
        first = ledger.after(session, 0, limit=10)
        rest = ledger.after(session, first[-1][0].id)
    assert len(first) + len(rest) == total
    assert all(len(link) == 64 for _, link in first)


def test_agents_with_their_cards(session: Session) -> None:
    found = walk(lambda request: agents.page(session, request=request), 1)
    assert [agent.name for agent in found] == AGENTS
    refunds = agents.one(session, "refunds")
    assert refunds.card["purpose"] == "test"
    assert "shop.refund" in refunds.catalogue
    assert refunds.counts.pending_approvals > 0
    assert [each.version for each in agents.versions(session, "refunds").items] == [1]
    assert agents.keys(session, "refunds") == ()


def test_pauses(session: Session) -> None:
    assert [pause.scope.kind for pause in pauses.active(session)] == [ScopeKind.AGENT] * 2 + [ScopeKind.RUN] * 2
    assert [pause.id for pause in walk(lambda request: pauses.page(session, request=request), 2)] == [
        f"pa-{number}" for number in (4, 3, 2, 1, 0)
    ]
    assert {pause.id for pause in pauses.covering(session, agent="refunds", run_id="run-2")} == {"pa-1", "pa-4"}


def test_rollbacks(session: Session) -> None:
    assert [each.id for each in walk(lambda request: rollbacks.page(session, request=request), 2)] == [
        f"rb-{number}" for number in (4, 3, 2, 1, 0)
    ]
    assert [step.ordinal for step in rollbacks.one(session, "rb-0").steps] == [0, 1, 2]
    assert len(rollbacks.of_scope(session, "run-0")) == 5
    assert rollbacks.one(session, "preview-0").status is RollbackStatus.PREVIEW


@pytest.mark.parametrize("cursor", ["", "x", "####", "bnVsbA", "W10", "WyJydW5zIl0", "WyJydW5zIiwxLDJd", "é"])
def test_a_forged_cursor_is_refused(session: Session, cursor: str) -> None:
    with pytest.raises(InvalidInput) as error:
        runs.page(session, request=PageRequest(10, cursor))
    assert error.value.where == "cursor"


def test_a_cursor_of_another_list_is_refused(session: Session) -> None:
    cursor = pauses.page(session, request=PageRequest(1)).next_cursor
    with pytest.raises(InvalidInput):
        runs.page(session, request=PageRequest(1, cursor))


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_page_has_a_size(limit: int) -> None:
    with pytest.raises(InvalidInput):
        PageRequest(limit)


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param(lambda s, r: runs.page(s, request=r), id="runs"),
        pytest.param(lambda s, r: runs.page(s, agent="support", request=r), id="runs by agent"),
        pytest.param(lambda s, r: runs.page(s, status=RunStatus.HELD, request=r), id="runs by status"),
        pytest.param(lambda s, r: runs.page(s, agent="support", status=RunStatus.HELD, request=r), id="runs by both"),
        pytest.param(lambda s, r: runs.actions(s, "run-1", request=r), id="actions"),
        pytest.param(lambda s, r: approvals.pending(s, request=r), id="inbox"),
        pytest.param(lambda s, r: approvals.pending(s, agent="support", request=r), id="inbox by agent"),
        pytest.param(lambda s, r: approvals.closed(s, request=r), id="closed requests"),
        pytest.param(lambda s, r: approvals.closed(s, agent="support", request=r), id="closed requests of an agent"),
        pytest.param(lambda s, r: ledger.page(s, request=r), id="ledger"),
        pytest.param(lambda s, r: ledger.page(s, LedgerFilter(run_id="run-1"), request=r), id="ledger by run"),
        pytest.param(lambda s, r: ledger.page(s, LedgerFilter(agent="support"), request=r), id="ledger by agent"),
        pytest.param(lambda s, r: ledger.page(s, LedgerFilter(kind="effect.done"), request=r), id="ledger by kind"),
        pytest.param(lambda s, r: ledger.page(s, LedgerFilter(action_id="run-1:a1"), request=r), id="ledger by action"),
        pytest.param(lambda s, r: ledger.page(s, LedgerFilter(since=minute(5)), request=r), id="ledger by time"),
        pytest.param(lambda s, r: ledger.page_of_resource(s, "shop/orders/W0", request=r), id="ledger by record"),
        pytest.param(lambda s, r: agents.page(s, request=r), id="agents"),
        pytest.param(lambda s, r: agents.versions(s, "support", request=r), id="card versions"),
        pytest.param(lambda s, r: pauses.page(s, request=r), id="pauses"),
        pytest.param(lambda s, r: rollbacks.page(s, request=r), id="rollbacks"),
        pytest.param(lambda s, r: (timeline.of_run(s, "run-1", after=3), Page(()))[1], id="timeline"),
        pytest.param(lambda s, r: (timeline.of_runs_between(s, after=3), Page(()))[1], id="what is new"),
        pytest.param(lambda s, r: (approvals.last_decided_at(s), Page(()))[1], id="last decision"),
        pytest.param(lambda s, r: (approvals.of_run(s, "run-1"), Page(()))[1], id="requests of a run"),
        pytest.param(lambda s, r: (pauses.covering(s, agent="a", run_id="b"), Page(()))[1], id="pauses of a run"),
        pytest.param(lambda s, r: (rollbacks.one(s, "rb-0"), Page(()))[1], id="one rollback"),
        pytest.param(lambda s, r: (agents.one(s, "support"), Page(()))[1], id="one agent"),
    ],
)
def test_no_list_reads_a_table_or_sorts_it(
    database: Database, session: Session, pages: Callable[[Session, PageRequest], Page[Any]]
) -> None:
    with plans(database, session) as found:
        first = pages(session, PageRequest(2))
        if first.next_cursor:
            pages(session, PageRequest(2, first.next_cursor))
    assert found
    bad = [line for line in found if reads_everything(line, sqlite=database.sqlite)]
    assert not bad, "\n".join(found)


@contextmanager
def plans(database: Database, session: Session) -> Iterator[list[str]]:
    """The plan lines of every statement that runs inside."""
    lines: list[str] = []
    connection = session.connection()
    if not database.sqlite:
        # The tables are small here; only whether an index could serve matters.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_sort = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if database.sqlite else ''}{statement}", parameters)
            lines.extend(str(row[-1]) for row in cursor.fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield lines
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


def reads_everything(line: str, *, sqlite: bool) -> bool:
    if not sqlite:
        return "Seq Scan" in line or "Sort" in line
    if "TEMP B-TREE" in line:
        return True
    # Walking an index in its order ends with the page, and so does walking the ledger by its number; an "anon"
    # table is a counted subquery that has its own lines.
    bounded = "USING" in line or line == "SCAN ledger_events" or line.startswith("SCAN anon_")
    return line.startswith("SCAN") and not bounded
