"""Kill the worker, and the whole product with Temporal, while a thousand runs are under way; then count effects."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.people import SYSTEM
from assent.gateway import utc_now
from assent.runtime import instance, processes
from assent.runtime.console import verified
from assent.runtime.logs import tail
from assent.runtime.people import sign_in_link
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.keys import make_key
from assent.store.tables import ActionRow, RunRow
from benchmarks.connector import CARD
from benchmarks.ports import lasting_port
from benchmarks.report import Report
from benchmarks.tau2_retail.person import Person

NAME = "kills"
_PLAN = [
    {"key": "step", "type": "bench.step", "arguments": {"n": 1}},
    {"key": "gate", "type": "bench.gate", "arguments": {"n": 2}},
]


class Product:
    """`assent up` on a folder, that can be killed and started again.

    Args:
        folder: An empty folder.
        card: The one card that it publishes.
        connector: What that card acts through.
        changes: Settings other than the defaults, another database say.
    """

    def __init__(
        self, folder: Path, *, card: str = CARD, connector: str = "benchmarks.connector:build", **changes: Any
    ) -> None:
        cards = folder / "cards"
        cards.mkdir()
        (cards / "agent.yaml").write_text(card, encoding="utf-8")
        self.settings = Settings.load(
            data_dir=folder / "data",
            web_port=lasting_port(),
            connectors=[connector],
            cards=[cards],
            **changes,
        )
        self._log = folder / "up.log"
        self._up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        command = [sys.executable, "-m", "assent", "up", "--no-sample", "--data-dir", str(self.settings.data_dir)]
        with self._log.open("ab") as output:
            self._up = processes.start(command, output=output, changes=dict(self.settings.environment()))
        while self._up.poll() is None:
            with contextlib.suppress(httpx.TransportError, ValueError):
                answer = httpx.get(f"{self.settings.public_url}/readyz", trust_env=False, timeout=5)
                # Another program on that port may answer everything with a page.
                if answer.is_success and "parts" in answer.json():
                    return
            time.sleep(0.2)
        raise RuntimeError(f"Assent did not come up:\n{tail(self._log)}")

    def require_up(self) -> None:
        """Complain if it ended by itself."""
        if self._up is not None and self._up.poll() is not None:
            raise RuntimeError(f"Assent ended by itself:\n{tail(self._log)}")

    def kill_worker(self) -> None:
        """``kill -9`` a worker; the supervisor starts another."""
        running = instance.running(self.settings.data_dir)
        assert running is not None
        worker = next(pid for name, pid in running.children.items() if name.startswith("worker"))
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)

    def kill_everything(self) -> None:
        """``kill -9`` every process, Temporal included, and start again on what is left on the disk."""
        assert self._up is not None
        running = instance.running(self.settings.data_dir)
        assert running is not None
        self._up.kill()
        for pid in running.children.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._up.wait()
        time.sleep(1.0)
        self.start()

    def stop(self) -> None:
        """End it in order."""
        if self._up is not None:
            processes.stop(self._up)


def measure(folder: Path, report: Report, *, runs: int) -> None:
    """Run it, kill it, count.

    Args:
        folder: An empty folder.
        report: Gets a note of what was found.
        runs: How many runs; a kill comes each time another seventh of them has ended.
    """
    progress = Progress()
    product = Product(folder)
    progress.phase("kills: starting the product")
    product.start()
    try:
        work(product, runs, [product.kill_worker, product.kill_everything] * 3, progress)
        verdict = asyncio.run(verified(product.settings, histories=True))
        found = count(product.settings, folder / "data" / "effects.journal")
    finally:
        product.stop()
    good = verdict.clean and not found["doubled"] and not found["lost"] and not found["unexplained"]
    report.failed = report.failed or not good
    report.notes.append(
        f"**kill -9** of a worker three times and of everything with Temporal three times during {runs:,} runs: "
        f"{found['ended']:,} runs ended, {found['effects']:,} effects, {len(found['doubled'])} doubled, "
        f"{len(found['lost'])} lost, {found['unknown']} unknown ({len(found['unexplained'])} without an explanation), "
        f"{verdict.adopted} adopted; `assent verify`: "
        f"{'clean' if verdict.clean else f'{len(verdict.faults)} faults'}."
    )


def work(product: Product, runs: int, kills: Sequence[Callable[[], None]], progress: Progress) -> None:
    """Do runs of one automatic and one approved action, and kill something each time another part of them has ended.

    Args:
        product: Started.
        runs: How many runs.
        kills: What to kill, in order.
        progress: Told what is going on.
    """
    settings = product.settings
    database = Database(settings.database_url)
    with database.write() as session:
        made = make_key(session, agent="bench-agent", at=utc_now(), by=SYSTEM, name="bench", lifetime=timedelta(days=1))
    over = threading.Event()
    threads = [
        threading.Thread(target=_start_all, args=(settings.public_url, made.key, runs, over)),
        threading.Thread(target=_approve_all, args=(settings, over)),
    ]
    for thread in threads:
        thread.start()
    try:
        for number, kill in enumerate(kills, 1):
            _wait_for(product, database, runs * number // (len(kills) + 1), progress)
            progress.phase(f"kills: number {number} of {len(kills)}")
            kill()
        _wait_for(product, database, runs, progress)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        database.close()


def _wait_for(product: Product, database: Database, ended: int, progress: Progress) -> None:
    while True:
        product.require_up()
        with database.read() as session:
            count = session.execute(
                select(func.count()).select_from(RunRow).where(col(RunRow.ended_at).is_not(None))
            ).scalar_one()
        if count >= ended:
            return
        progress.tick()
        time.sleep(0.3)


def _start_all(url: str, key: str, runs: int, over: threading.Event) -> None:
    """Start every run, again and again until it is accepted: the same id starts it once."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30, headers={"Authorization": f"Bearer {key}"}) as http:
        for number in range(runs):
            body = {"agent": "bench-agent", "run_id": f"kill-{number:04d}", "plan": _PLAN, "open": False}
            while not over.is_set():
                with contextlib.suppress(httpx.TransportError):
                    answer = http.post("/api/v1/runs", json=body)
                    if answer.is_success:
                        break
                    if answer.status_code < 500:
                        raise RuntimeError(answer.text)
                time.sleep(0.2)


def _approve_all(settings: Settings, over: threading.Event) -> None:
    """Approve whatever waits, as a person with a session would."""
    person = Person(sign_in_link(settings))
    try:
        while not over.is_set():
            with contextlib.suppress(httpx.TransportError, httpx.HTTPStatusError):
                waiting = person.pending()
                for approval_id in waiting:
                    with contextlib.suppress(httpx.HTTPStatusError):
                        person.approve(approval_id)
            time.sleep(0.2)
    finally:
        person.close()


def count(settings: Settings, journal: Path) -> dict[str, Any]:
    """Hold the journal of the benchmark's system against the actions."""
    happened = Counter(journal.read_text(encoding="utf-8").split())
    database = Database(settings.database_url)
    with database.read() as session:
        rows = session.execute(select(col(ActionRow.action_id), col(ActionRow.status), col(ActionRow.message))).all()
        ended = session.execute(
            select(func.count()).select_from(RunRow).where(col(RunRow.ended_at).is_not(None))
        ).scalar_one()
    database.close()
    status = {row[0]: row[1] for row in rows}
    unknown = [row for row in rows if row[1] == ActionStatus.UNKNOWN]
    done = {key for key, value in status.items() if value == ActionStatus.DONE}
    return {
        "ended": ended,
        "effects": sum(happened.values()),
        "doubled": [key for key, count in happened.items() if count > 1],
        "lost": sorted(done ^ {key for key in happened if status.get(key) != ActionStatus.UNKNOWN}),
        "unknown": len(unknown),
        "unexplained": [row[0] for row in unknown if not row[2]],
    }
