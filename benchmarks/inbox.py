"""The inbox with a hundred and with a hundred thousand requests, and fifty people who decide at once."""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import create_engine, make_url, select, text
from sqlmodel import col

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.errors import AssentError
from assent.domain.people import SYSTEM, Actor, Role, Via
from assent.gateway import Gateway, StartRun
from assent.runtime import processes
from assent.runtime.cards import publish_card
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import devserver, locate
from assent.runtime.worker import running_worker
from assent.store import people
from assent.store.database import Database
from assent.store.migrate import migrate
from assent.store.sign_in import SignIn
from assent.store.tables import ApprovalRow, DecisionRow, EffectRow
from assent_activities.connectors import build_registry
from assent_ui.app import create_app
from benchmarks import crowd
from benchmarks.connector import CARD, BenchConnector
from benchmarks.crew import connect
from benchmarks.report import Report, Row
from tests.postgres import programs, running_postgres

NAME = "inbox"

FEW, MANY = 100, 100_000
"""Requests that wait in the two databases."""

AT_MOST = 1.5
"""Times that the first page may cost with many what it costs with few."""

PEOPLE = 50
REQUESTS = 200
"""Requests that all people decide, each in an order of their own."""

# Each is a full page in both databases, so that what differs is the number of requests behind it.
PAGES = {
    "mine, soonest due first": "/",
    "everybody's, largest amount first": "/?who=all&sort=amount",
    "moving 1.00 or more": "/?who=all&least=1",
    "alike together": "/?who=all&alike=yes",
    "a search": "/?q=refund+w0000042",
}
_SAMPLES = 15
_ADDRESS = "http://127.0.0.1:8484"
_SECRET = "a key of the benchmark, 32 characters or more"


def measure(folder: Path, report: Report, *, rounds: int, quick: bool) -> None:
    """Measure on SQLite, and on PostgreSQL where its programs are."""
    many = MANY // 10 if quick else MANY
    with databases(folder, report) as kinds:
        for kind, make in kinds.items():
            asyncio.run(_pages(kind, make("few"), make("many"), many, report, rounds))
        for kind, make in kinds.items():
            asyncio.run(_crowd(kind, make("people"), folder, report, REQUESTS // 5 if quick else REQUESTS))


@dataclass
class Maker:
    """Makes empty databases of one kind."""

    base: str
    server: bool

    def __call__(self, name: str) -> Database:
        if not self.server:
            return _ready(f"{self.base}/{name}.db")
        admin = create_engine(self.base, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE bench_{name}"))
        admin.dispose()
        return _ready(make_url(self.base).set(database=f"bench_{name}").render_as_string(hide_password=False))


def _ready(url: str) -> Database:
    database = Database(url, pool_size=30)
    migrate(database)
    return database


@contextlib.contextmanager
def databases(folder: Path, report: Report) -> Iterator[dict[str, Maker]]:
    """Makers of empty databases by kind: SQLite, and PostgreSQL where its programs are."""
    kinds = {"SQLite": Maker(f"sqlite:///{folder}", server=False)}
    binaries = programs()
    if binaries is None:
        report.notes.append("PostgreSQL's programs are not on this machine: it was measured on SQLite alone.")
        yield kinds
        return
    with running_postgres(binaries) as url:
        yield kinds | {"PostgreSQL": Maker(url, server=True)}


async def _pages(kind: str, few: Database, many: Database, count: int, report: Report, rounds: int) -> None:
    """Time the first page of both, taking turns."""
    for database, pending in ((few, FEW), (many, count)):
        crowd.fill(database, pending=pending, decided=pending // 4)
    async with _browser(few) as with_few, _browser(many) as with_many:
        for name, address in PAGES.items():
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(rounds):
                samples: tuple[list[float], list[float]] = ([], [])
                for _ in range(_SAMPLES):
                    for place, browser in enumerate((with_few, with_many)):
                        samples[place].append(await _timed(browser, address))
                for place in (0, 1):
                    times[place].append(statistics.median(samples[place]) * 1_000)
            ratio = statistics.median(times[1]) / statistics.median(times[0])
            title = f"inbox, {name}, {kind}: {FEW} and {count:,} waiting"
            print(f"{title}: {ratio:.2f}", flush=True)
            report.rows.append(Row(title, "ms", times[0], [], times[1], ratio, f"≤ {AT_MOST}", ratio <= AT_MOST))
    few.close()
    many.close()


@contextlib.asynccontextmanager
async def _browser(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody signed in."""
    app = create_app(Gateway(None, database), database, public_url=_ADDRESS, secret_key=_SECRET)
    now = datetime.now(UTC)
    with database.write() as session:
        person = people.add(session, email="ada@example.com", name="Ada", roles=[Role.APPROVER], at=now)
        token = SignIn(_SECRET).make_link(session, person, at=now, by=SYSTEM)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=_ADDRESS, timeout=120) as client:
        await client.post("/sign-in", data={"token": token})
        for address in PAGES.values():
            (await client.get(address)).raise_for_status()
        yield client


async def _timed(browser: httpx.AsyncClient, address: str) -> float:
    begun = time.perf_counter()
    (await browser.get(address)).raise_for_status()
    return time.perf_counter() - begun


@dataclass
class _Told:
    """What people were told: decisions that were sent, and what refused ones were refused for."""

    sent: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


async def _crowd(kind: str, database: Database, folder: Path, report: Report, requests: int) -> None:
    """Let people decide the same requests at once, and count."""
    executable = locate.obtain(Settings.load(), Progress()).path
    server = devserver.DevServer(executable, port=processes.free_port(), database=folder / f"temporal-{kind}.db")
    with devserver.running(server, folder / f"temporal-{kind}.log", Progress()):
        client = await connect(server.address)
        connector = BenchConnector(folder / f"effects-{kind}")
        registry = build_registry([connector])
        publish_card(database, registry, CARD, where="benchmark", by=SYSTEM)
        actors = some_people(database, PEOPLE)
        settings = Settings.load(data_dir=folder, task_queue_prefix=f"b{uuid.uuid4().hex[:6]}")
        gateway = Gateway(client, database, task_queue_prefix=settings.task_queue_prefix)
        async with running_worker(client, database, registry, settings):
            for _ in range(requests):
                plan = [ProposedAction(key="gate", type="bench.gate", arguments={"n": 1})]
                await gateway.start_run(StartRun(agent="bench-agent", plan=plan), by=SYSTEM)
            asked = await _waiting(database, requests)
            told = _Told()
            begun = time.perf_counter()
            await asyncio.gather(*(_decide_all(gateway, actor, list(asked), told) for actor in actors))
            seconds = time.perf_counter() - begun
            await _settled(database, requests)
            _count(kind, database, folder / f"effects-{kind}", told, requests, seconds, report)
    database.close()


def some_people(database: Database, count: int) -> list[Actor]:
    """Approvers, as many as are wanted."""
    now = datetime.now(UTC)
    with database.write() as session:
        made = [
            people.add(session, email=f"p{n}@example.com", name=f"Person {n}", roles=[Role.APPROVER], at=now)
            for n in range(count)
        ]
    return [person.acting(Via.WEB) for person in made]


async def _decide_all(gateway: Gateway, by: Actor, asked: list[tuple[str, str]], told: _Told) -> None:
    chance = random.Random(by.id)
    chance.shuffle(asked)
    for approval_id, digest in asked:
        verb = chance.choice((Verb.APPROVE, Verb.REJECT))
        try:
            decision = await gateway.decide(approval_id, verb=verb, digest=digest, by=by, reason="Because.")
        except AssentError as error:
            told.refused[error.code] += 1
        else:
            told.sent.append(decision.id)


async def _waiting(database: Database, requests: int) -> list[tuple[str, str]]:
    while True:
        with database.read() as session:
            rows = session.execute(select(col(ApprovalRow.id), col(ApprovalRow.digest))).all()
        if len(rows) == requests:
            return [(row[0], row[1]) for row in rows]
        await asyncio.sleep(0.2)


async def _settled(database: Database, requests: int) -> None:
    """Wait until every request is closed, every approved action is done, and every decision that was sent arrived."""
    done = [ActionStatus.DONE.value, ActionStatus.FAILED.value, ActionStatus.UNKNOWN.value]
    closed = select(col(ApprovalRow.id)).where(col(ApprovalRow.status) != ApprovalStatus.PENDING.value)
    approved = select(col(ApprovalRow.id)).where(col(ApprovalRow.status) == ApprovalStatus.APPROVED.value)
    effects = select(col(EffectRow.action_id)).where(col(EffectRow.status).in_(done))
    while True:
        with database.read() as session:
            counts = [len(session.execute(each).all()) for each in (closed, approved, effects)]
        if counts[0] == requests and counts[1] == counts[2]:
            return
        await asyncio.sleep(0.2)


def _count(
    kind: str, database: Database, journal: Path, told: _Told, requests: int, seconds: float, report: Report
) -> None:
    with database.read() as session:
        rows = session.execute(select(ApprovalRow)).scalars().all()
        kept = {row.id: row for row in session.execute(select(DecisionRow)).scalars()}
    closing = Counter(row.approval_id for row in kept.values() if row.counted)
    approved = sum(row.status == ApprovalStatus.APPROVED.value for row in rows)
    effects = Counter(journal.read_text(encoding="utf-8").split("\n")[:-1])
    doubled = sum(number > 1 for number in closing.values()) + sum(number > 1 for number in effects.values())
    lost = requests - len(closing) + abs(approved - len(effects))
    attempts = len(told.sent) + told.refused.total()
    report.failed |= bool(doubled or lost)
    report.notes.append(
        f"**{PEOPLE} people at once, {kind}**: {requests:,} requests, {attempts:,} decisions in {seconds:.1f} s "
        f"({attempts / seconds:,.0f} a second): {len(told.sent):,} sent, {told.refused.total():,} refused on the spot, "
        f"{len(closing):,} counted, {approved:,} approved, {effects.total():,} effects; "
        f"{doubled} doubled, {lost} lost: {'met' if not doubled and not lost else 'MISSED'}."
    )
