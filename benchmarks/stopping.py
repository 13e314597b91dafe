"""From requested to fenced beside one commit, and what claims after the fence come to."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.effects import EffectStatus
from assent.domain.pauses import ResumeAnswers, Scope, ScopeKind
from assent.domain.people import SYSTEM
from assent.domain.runs import RunStatus
from assent.gateway import Gateway
from assent.runtime.cards import publish_card
from assent.store import ledger
from assent.store.database import Database
from assent.store.tables import ActionRow, EffectRow, LedgerEventRow, RunRow
from assent_activities.connectors import build_registry
from benchmarks.connector import CARD, BenchConnector
from benchmarks.inbox import databases
from benchmarks.report import Report

NAME = "stopping"

RUNS = 1_000
"""Live runs while it is paused."""

TRIES = 10_000
"""Claims that are tried after the fence."""

PROCESSES = 4
"""Processes that try them."""

BEYOND = 100.0
"""Milliseconds that a pause may take beyond one commit."""

_SAMPLES = 25
_EVERYTHING = Scope(kind=ScopeKind.EVERYTHING)
_ANSWERS = ResumeAnswers(cause="A benchmark.", changed="Nothing.")


def measure(folder: Path, report: Report, *, quick: bool) -> None:
    """Measure on SQLite, and on PostgreSQL where its programs are."""
    with databases(folder, report) as kinds:
        for kind, make in kinds.items():
            database = make("stopping")
            publish_card(database, build_registry([BenchConnector()]), CARD, where="benchmark", by=SYSTEM)
            runs = RUNS // 10 if quick else RUNS
            _fill(database, runs)
            asyncio.run(_fence(kind, database, report, runs))
            place = folder / kind
            place.mkdir()
            _claims(kind, database, place, report, TRIES // 10 if quick else TRIES)
            database.close()


async def _fence(kind: str, database: Database, report: Report, runs: int) -> None:
    """Time a pause beside one commit, taking turns."""
    gateway = Gateway(None, database)
    commits, pauses = [], []
    print(f"fencing on {kind}", flush=True)
    for _ in range(_SAMPLES):
        begun = time.perf_counter()
        with database.write() as session:
            ledger.append(session, at=datetime.now(UTC), kind="benchmark", actor=SYSTEM, body={})
        commits.append((time.perf_counter() - begun) * 1_000)
        begun = time.perf_counter()
        pause_id = await gateway.pause(_EVERYTHING, by=SYSTEM)
        pauses.append((time.perf_counter() - begun) * 1_000)
        await gateway.resume(pause_id, by=SYSTEM, answers=_ANSWERS, at_once=True)
    beyond = statistics.median(pauses) - statistics.median(commits)
    report.failed |= beyond > BEYOND
    report.notes.append(
        f"**Requested to fenced, {runs:,} live runs, {kind}**: {statistics.median(pauses):.1f} ms "
        f"({min(pauses):.1f}-{max(pauses):.1f}) beside {statistics.median(commits):.1f} ms of one commit: "
        f"{beyond:.1f} ms beyond it, at most {BEYOND:g} allowed: {'MISSED' if beyond > BEYOND else 'met'}."
    )


def _claims(kind: str, database: Database, folder: Path, report: Report, tries: int) -> None:
    """Let processes claim, pause, and let them try on; the ledger's order of commits says what slipped."""
    print(f"claiming on {kind}", flush=True)
    command = [sys.executable, "-m", "benchmarks.stopping_claims", database.url.render_as_string(hide_password=False)]
    processes = [
        subprocess.Popen(
            [*command, str(folder), str(number), str(tries // PROCESSES)], stdout=subprocess.PIPE, text=True
        )
        for number in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
        pause_id = asyncio.run(Gateway(None, database).pause(_EVERYTHING, by=SYSTEM))
        (folder / "fenced").touch()
        told = [json.loads(process.communicate()[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    after: Counter[str] = sum((Counter(each["after"]) for each in told), Counter())
    before: Counter[str] = sum((Counter(each["before"]) for each in told), Counter())
    slipped = _slipped(database, pause_id)
    bad = slipped or set(after) != {ActionStatus.HELD.value}
    report.failed |= bool(bad)
    report.notes.append(
        f"**Claims after the fence, {kind}**: {before.total():,} tries by {PROCESSES} processes before it, "
        f"{after.total():,} after it, of which {after[ActionStatus.HELD.value]:,} were held; {slipped} effects were "
        f"claimed after it: {'MISSED' if bad else 'met'}."
    )


def _slipped(database: Database, pause_id: str) -> int:
    """Claims whose event was committed after the pause's."""
    with database.read() as session:
        events = select(LedgerEventRow).where(col(LedgerEventRow.kind) == "pause.requested")
        fenced = max(
            row.id or 0 for row in session.execute(events).scalars() if json.loads(row.body)["pause"] == pause_id
        )
        claimed = (
            select(func.count())
            .select_from(LedgerEventRow)
            .where(col(LedgerEventRow.kind) == "effect.claimed", col(LedgerEventRow.id) > fenced)
        )
        return session.execute(claimed).scalar_one()


def _fill(database: Database, runs: int) -> None:
    """Live runs, each with an action that is done and one that waits for people."""
    rows = [_run(number) for number in range(runs)]
    with database.write() as session:
        session.execute(insert(RunRow), [row["run"] for row in rows])
        session.execute(insert(ActionRow), [action for row in rows for action in row["actions"]])
        session.execute(insert(EffectRow), [row["effect"] for row in rows])


def _run(number: int) -> dict[str, Any]:
    at, person = datetime.now(UTC), SYSTEM.model_dump(mode="json")
    run_id = f"run-{number}"
    common = {"run_id": run_id, "agent": "bench-agent"}
    action = {"arguments": {"n": 1}, "reasons": [], "card_version": 1, "proposed_at": at}
    return {
        "run": common
        | {"status": RunStatus.WAITING.value, "started_by": person, "started_at": at, "last_at": at, "actions": 2},
        "actions": [
            common | action | {"action_id": f"{run_id}:{key}", "key": key, "type": type, "status": status.value}
            for key, type, status in (
                ("a", "bench.step", ActionStatus.DONE),
                ("b", "bench.gate", ActionStatus.AWAITING),
            )
        ],
        "effect": common
        | {
            "action_id": f"{run_id}:a",
            "type": "bench.step",
            "status": EffectStatus.DONE.value,
            "holder": "bench",
            "lease_until": at,
            "claimed_at": at,
            "finished_at": at,
            "changes": [],
        },
    }
