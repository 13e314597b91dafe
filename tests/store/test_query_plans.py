"""No list reads a whole table or sorts it, on neither database, with thousands of rows in each table.

SQLite has no statistics, as in production; PostgreSQL has, and plans with everything it knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from assent.domain.approvals import ApprovalStatus
from assent.domain.grants import GrantStatus
from assent.domain.pauses import Subject
from assent.domain.people import Assurance
from assent.domain.runs import RunStatus
from assent.domain.undo_steps import StepOutcome, Undoable
from assent.store import (
    checks,
    comments,
    direct_digests,
    electorate,
    fence,
    groups,
    outbox,
    people,
    proofs,
    questions,
    reaching,
    saved_views,
    suggestions,
    webhooks,
)
from assent.store import quality as counting
from assent.store.database import Database
from assent.store.queries import (
    agents,
    alike,
    approvals,
    drills,
    grants,
    inbox,
    inbox_walk,
    ledger,
    pauses,
    quality,
    records,
    revisions,
    rollback_steps,
    rollbacks,
    runs,
    standing,
    stopping,
    timeline,
    unknowns,
    words_wanted,
)
from assent.store.queries import checks as seeded
from assent.store.queries.inbox import Wanted
from assent.store.queries.inbox_walk import Bounds, Sort
from assent.store.queries.ledger import LedgerFilter
from assent.store.queries.paging import PageRequest
from benchmarks import crowd
from tests.databases import KINDS, migrated_database
from tests.store import town
from tests.store.town import NOW

PENDING = {"sqlite": 1_500, "postgresql": 9_000}
OTHERS = {"sqlite": 600, "postgresql": 6_000}
HARDLY_ANY = 100
"""Rows that may be sorted where PostgreSQL finds that cheaper."""

MINE = (*crowd.TOKENS, "person:person-7")

List = Callable[[Session, PageRequest], Any]
"""Asks for one page; gives what has a ``next_cursor``, or anything else if there are no pages."""


@pytest.fixture(params=KINDS, scope="module")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A filled database of each kind; these tests only read."""
    with migrated_database(request.param, request, tmp_path_factory.mktemp("plans")) as made:
        town.fill(made, pending=PENDING[request.param], others=OTHERS[request.param])
        yield made


def _inbox(wanted: Wanted) -> List:
    return lambda session, request: inbox.page(session, wanted, request=request)


def _search(question: str) -> List:
    return lambda session, request: inbox.found(session, question, request=request)


BOUNDS = {
    "everything": Bounds(),
    "agent": Bounds(agent="agent-3"),
    "type": Bounds(type="shop.refund"),
    "agent and type": Bounds(agent="agent-3", type="shop.refund"),
    "amount": Bounds(least=10, most=500),
    "age": Bounds(asked_before=NOW - timedelta(days=1)),
    "due soon": Bounds(due_before=NOW + timedelta(days=1)),
    "all of it": Bounds("agent-3", "shop.refund", 10, 900, NOW - timedelta(hours=1), NOW + timedelta(days=3)),
}
INBOX: dict[str, List] = {
    f"inbox, {whose}, {name}, by {sort}": _inbox(Wanted(bounds, tokens, sort))
    for whose, tokens in {"everybody's": None, "mine": MINE, "a group's": ("group:finance",)}.items()
    for name, bounds in BOUNDS.items()
    for sort in Sort
}
SEARCHES = ["refund", "W0000123", "refund card", "shop/orders/W0000007", "w00", "nothing here"]
LISTS: dict[str, List] = {
    **INBOX,
    **{f"inbox, found by {question}": _search(question) for question in SEARCHES},
    "inbox by kind": lambda s, r: inbox.groups(s),
    "my inbox by kind": lambda s, r: inbox.groups(s, Wanted(tokens=MINE)),
    "inbox by kind, largest amount first": lambda s, r: inbox.groups(s, Wanted(tokens=MINE, sort=Sort.AMOUNT)),
    "inbox, kinds of an agent": lambda s, r: alike.kinds(s, inbox_walk.everything, agent="agent-3"),
    "inbox, kinds of a token": lambda s, r: alike.kinds(s, partial(inbox_walk.asked_of, "group:finance")),
    "what is asked of me now": lambda s, r: inbox.asked_now(s, [*MINE, "role:owner"]),
    "inbox counted": lambda s, r: inbox.count(s, Wanted(tokens=MINE)),
    "inbox of a page": lambda s, r: inbox.rows(s, inbox.ids(s).items),
    "saved views": lambda s, r: saved_views.of_person(s, "person-7"),
    "pending requests": lambda s, r: approvals.pending(s, request=r),
    "closed requests": lambda s, r: approvals.closed(s, request=r),
    "closed requests of one kind": lambda s, r: approvals.closed(s, status=ApprovalStatus.REJECTED, request=r),
    "closed requests of an agent": lambda s, r: approvals.closed(s, agent="agent-3", request=r),
    "requests of a run": lambda s, r: approvals.of_run(s, "run-7"),
    "last decision": lambda s, r: approvals.last_decided_at(s),
    "runs": lambda s, r: runs.page(s, request=r),
    "runs of an agent": lambda s, r: runs.page(s, agent="agent-3", request=r),
    "runs by status": lambda s, r: runs.page(s, status=RunStatus.WAITING, request=r),
    "runs by both": lambda s, r: runs.page(s, agent="agent-3", status=RunStatus.WAITING, request=r),
    "actions of a run": lambda s, r: runs.actions(s, "run-7", request=r),
    "timeline": lambda s, r: timeline.of_run(s, "run-7", after=3),
    "timeline of an action": lambda s, r: timeline.of_action(s, "run-7:a"),
    "what is new": lambda s, r: timeline.of_runs_between(s, after=100),
    "ledger": lambda s, r: ledger.page(s, request=r),
    "ledger of a run": lambda s, r: ledger.page(s, LedgerFilter(run_id="run-7"), request=r),
    "ledger of an agent": lambda s, r: ledger.page(s, LedgerFilter(agent="agent-3"), request=r),
    "ledger of a kind": lambda s, r: ledger.page(s, LedgerFilter(kind="effect.done"), request=r),
    "ledger of an action": lambda s, r: ledger.page(s, LedgerFilter(action_id="run-7:a"), request=r),
    "ledger by time": lambda s, r: ledger.page(s, LedgerFilter(since=NOW, until=NOW + timedelta(days=1)), request=r),
    "ledger of a record": lambda s, r: ledger.page_of_resource(s, "shop/orders/W7", request=r),
    "agents": lambda s, r: agents.page(s, request=r),
    "names of agents": lambda s, r: agents.names(s),
    "unknown effects": lambda s, r: unknowns.page(s, request=r),
    "unknown effects of an agent": lambda s, r: unknowns.page(s, agent="agent-3", request=r),
    "effects that were settled": lambda s, r: unknowns.settled(s, request=r),
    "unknown effects of a run": lambda s, r: unknowns.of_run(s, "run-7"),
    "how many effects are unknown": lambda s, r: unknowns.count(s),
    "unknown effects by kind": lambda s, r: unknowns.tally(s, most=100),
    "unknown effects to ask about": lambda s, r: questions.due(s, at=NOW, limit=20),
    "answers that runs were not told": lambda s, r: questions.untold(s, limit=20),
    "proofs of undos": lambda s, r: proofs.newest(s, ["shop.type_3"], worked=True),
    "versions of a card": lambda s, r: agents.versions(s, "agent-3", request=r),
    "people": lambda s, r: people.page(s, request=r),
    "groups": lambda s, r: groups.page(s, request=r),
    "grants": lambda s, r: grants.page(s, now=NOW, request=r),
    "grants of an agent": lambda s, r: grants.page(s, now=NOW, agent="agent-3", request=r),
    "grants by status": lambda s, r: grants.page(s, now=NOW, status=GrantStatus.REVOKED, request=r),
    "grants to be confirmed": lambda s, r: grants.newest_pending(s, now=NOW, most=50),
    "uses of a grant": lambda s, r: grants.uses(s, "grant-7", request=r),
    "drills": lambda s, r: drills.page(s, request=r),
    "drills of an agent": lambda s, r: drills.page(s, agent="agent-3", request=r),
    "drills an agent stands with": lambda s, r: drills.standing_under(s, "agent-3", None, now=NOW),
    "pauses": lambda s, r: pauses.page(s, request=r),
    "pauses in force": lambda s, r: pauses.active(s),
    "what was under way at a pause": lambda s, r: stopping.claims(s, "pause-0", request=r),
    "runs that a pause holds": lambda s, r: stopping.held_runs(s, "pause-500", request=r),
    "rollbacks of a pause": lambda s, r: stopping.rollbacks(s, "pause-0", request=r),
    "the fence of an action": lambda s, r: fence.seen(s, Subject(agent="agent-3", run_id="run-7", type="shop.refund")),
    "pauses of a run": lambda s, r: pauses.covering(s, agent="agent-3", run_id="run-7"),
    "rollbacks": lambda s, r: rollbacks.page(s, request=r),
    "rollbacks of a run": lambda s, r: rollbacks.of_scope(s, "run-7"),
    "steps of a rollback": lambda s, r: rollback_steps.page(s, "rb-7", request=r),
    "steps of a verdict": lambda s, r: rollback_steps.page(s, "rb-7", verdict=Undoable.CONFLICT, request=r),
    "steps of an outcome": lambda s, r: rollback_steps.page(s, "rb-7", outcome=StepOutcome.LEFT, request=r),
    "outcomes of a rollback": lambda s, r: rollback_steps.outcomes(s, "rb-7"),
    "latest steps of a rollback": lambda s, r: rollback_steps.lately(s, "rb-7"),
    "records by id": lambda s, r: records.find(s, "w1", request=r),
    "records by name": lambda s, r: records.find(s, "shop/orders/", request=r),
    "tables of records": lambda s, r: records.tables(s),
    "history of a record": lambda s, r: records.history(s, "shop/orders/W7", request=r),
    "figures": lambda s, r: quality.page(s, NOW, days=90, request=r),
    "figures of an agent": lambda s, r: quality.page(s, NOW, days=90, agent="agent-3", request=r),
    "figures of a kind": lambda s, r: quality.of_kind(s, "agent-3", "shop.type_1", NOW, days=90),
    "what is to be counted": lambda s, r: counting.sealed(s, 100, 110),
    "suggestions": lambda s, r: suggestions.open_ones(s, NOW),
    "suggestions put aside": lambda s, r: suggestions.dismissed(s, NOW),
    "checks by agent": lambda s, r: seeded.tallies(s, NOW - timedelta(days=90)),
    "my checks": lambda s, r: checks.waiting(s, "person-7", NOW),
    "my checks counted": lambda s, r: checks.count_waiting(s, "person-7", NOW),
    "checks that are over": lambda s, r: checks.late(s, NOW),
    "outbox": lambda s, r: outbox.queue(s, "slack", request=r),
    "outbox of mails": lambda s, r: outbox.queue(s, "mail", request=r),
    "webhooks": lambda s, r: webhooks.every(s),
    "webhooks of the installation": lambda s, r: webhooks.of_owner(s),
    "outbox of a request": lambda s, r: outbox.waiting(s, "ap-7"),
    "ways of a request": lambda s, r: outbox.ways(s, "ap-7"),
}

LOOKUPS: dict[str, List] = {
    "who I am asked as": lambda s, r: electorate.tokens_of(s, "person-7", NOW),
    "one request": lambda s, r: approvals.one(s, inbox.ids(s).items[0]),
    "how a vote stands": lambda s, r: standing.standing(s, inbox.ids(s).items[0], NOW),
    "what I may do": lambda s, r: standing.may_do(s, inbox.ids(s).items[0], "person-7", Assurance.SESSION, NOW),
    "letters of a request": lambda s, r: outbox.addressed(s, "mail", "ap-7"),
    "webhook of a person": lambda s, r: webhooks.of_owner(s, "person-7"),
    "how people are reached": lambda s, r: reaching.of_people(s, ["person-7", "person-8"]),
    "direct messages of an hour": lambda s, r: direct_digests.recent(s, "T1/D7", NOW, most=30),
    "digests to keep true": lambda s, r: direct_digests.living(s, ["T1/D7", "T1/D8"], NOW),
    "grants that wait for my word": lambda s, r: words_wanted.grants_for(s, "person-7", NOW),
    "talk": lambda s, r: comments.of_request(s, "ap-7"),
    "open questions": lambda s, r: comments.open_questions(s, "run-7"),
    "revisions": lambda s, r: revisions.of_request(s, "ap-7"),
    "edits": lambda s, r: revisions.edits(s, "ap-7"),
    "one agent": lambda s, r: agents.one(s, "agent-3"),
    "keys of an agent": lambda s, r: agents.keys(s, "agent-3"),
}
"""What is read by key: a handful of rows, which may be put in order when they are there."""


@pytest.mark.parametrize("name", LISTS)
def test_no_list_reads_a_table_or_sorts_it(database: Database, name: str) -> None:
    found = _plan_of(database, LISTS[name])
    bad = [line for line in found if _scans(line, sqlite=database.sqlite) or _sorts(line, sqlite=database.sqlite)]
    assert not bad, "\n".join(found)


@pytest.mark.parametrize("name", LOOKUPS)
def test_nothing_looked_up_by_key_reads_a_table(database: Database, name: str) -> None:
    found = _plan_of(database, LOOKUPS[name])
    bad = [line for line in found if _scans(line, sqlite=database.sqlite)]
    assert not bad, "\n".join(found)


def _plan_of(database: Database, ask: List) -> list[str]:
    with database.read() as session, _plans(database, session) as found:
        first = ask(session, PageRequest(20))
        cursor = getattr(first, "next_cursor", None)
        if cursor is not None:
            ask(session, PageRequest(20, cursor))
    assert found
    return found


@contextmanager
def _plans(database: Database, session: Session) -> Iterator[list[str]]:
    """The plan lines of every statement that runs inside."""
    lines: list[str] = []
    session.connection()

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if database.sqlite else ''}{statement}", parameters)
            lines.append(statement)
            lines.extend(f"  | {row[-1]}" for row in cursor.fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield lines
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


def _scans(line: str, *, sqlite: bool) -> bool:
    if not line.startswith("  | "):
        return False
    step = line.removeprefix("  | ").strip()
    if not sqlite:
        return "Seq Scan" in step
    # Walking an index in its order ends with the page, and so does walking the ledger by its number. An unnamed
    # subquery and the steps of a recursion have lines of their own.
    bounded = (
        "USING" in step
        or step == "SCAN ledger_events"
        or step.startswith(("SCAN anon_", "SCAN steps", "SCAN CONSTANT"))
    )
    return step.startswith("SCAN") and not bounded


def _sorts(line: str, *, sqlite: bool) -> bool:
    if not line.startswith("  | "):
        return False
    if sqlite:
        return "TEMP B-TREE" in line
    # PostgreSQL fetches and sorts what it knows to be hardly more than a page rather than walk an index.
    rows = re.search(r"rows=([0-9]+)", line)
    return ("Sort " in line or "HashAggregate" in line) and rows is not None and int(rows[1]) > HARDLY_ANY
