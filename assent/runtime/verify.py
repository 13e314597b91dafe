"""``assent verify``: hold the ledger, the rows and Temporal's histories against each other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import col
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, RPCError
from temporalio.service import RPCStatusCode

from assent.domain.actions import ActionStatus
from assent.domain.runs import RunStatus
from assent.store import consistency, ledger
from assent.store.database import Database
from assent.store.queries.checks import faults as faults_of_checks
from assent.store.tables import RunRow

_AT_ONCE = 16
"""Histories read at the same time."""
_PAGE = 500


class Fault(BaseModel):
    """One place where two accounts of the same thing differ."""

    where: str
    what: str


class VerifyReport(BaseModel):
    """What was checked and what was found.

    Attributes:
        events: Ledger events whose place in the chain was recomputed.
        head: Hash of the newest link; note it elsewhere to notice a ledger that was cut off.
        effects: Effects compared with the ledger.
        runs: Runs whose Temporal history was compared.
        gone: Runs whose history Temporal no longer keeps.
        adopted: Actions of ended runs that only the database knows, because a crash came before the history was
            written; their effects are in the ledger all the same.
        temporal: Whether histories were compared at all, else why not.
        faults: Everything that does not agree.
    """

    events: int = 0
    head: str = ""
    effects: int = 0
    runs: int = 0
    gone: int = 0
    adopted: int = 0
    temporal: str = ""
    faults: list[Fault] = Field(default_factory=list)

    def text(self) -> str:
        """The report in words."""
        lines = [
            f"Ledger: {self.events:,} events in the chain, head {self.head[:16]}…",
            f"Effects: {self.effects:,} compared with the ledger",
            f"Histories: {self.runs:,} runs {self.temporal}" if self.runs else f"Histories: {self.temporal}",
        ]
        if self.gone:
            lines.append(f"  {self.gone:,} runs are no longer kept by Temporal")
        if self.adopted:
            lines.append(
                f"  {self.adopted:,} actions are known to the database alone, after a crash; see docs/concepts.md"
            )
        lines += [f"WRONG {fault.where} {fault.what}" for fault in self.faults]
        lines.append("Everything agrees." if self.clean else f"{len(self.faults):,} places disagree.")
        return "\n".join(lines)

    @property
    def clean(self) -> bool:
        """Nothing disagrees."""
        return not self.faults


async def verify(database: Database, client: Client | None, progress: Callable[[str], None]) -> VerifyReport:
    """Check the chain, the rows and, where Temporal can be reached, every history it still has.

    Args:
        database: Assent's database.
        client: Connected to Temporal; ``None`` leaves the histories out.
        progress: Told what is being checked.

    Raises:
        Unavailable: The database is away.
    """
    report = VerifyReport()
    progress("Recomputing the hash chain")
    report.events, chain = await asyncio.to_thread(ledger.check_chain, database)
    report.head = await asyncio.to_thread(ledger.head, database)
    report.faults += [Fault(where=f"ledger event {f.event_id} (link {f.seq})", what=f.what) for f in chain]
    progress("Comparing rows with the ledger")
    report.effects, faults = await asyncio.to_thread(consistency.compare, database)
    report.faults += [Fault(where=f"action {action_id}", what=what) for action_id, what in faults]
    report.faults += [
        Fault(where=f"check {id}", what=what) for id, what in await asyncio.to_thread(faults_of_checks, database)
    ]
    if client is None:
        report.temporal = "not compared: Temporal cannot be reached"
        return report
    report.temporal = "compared"
    for page in _run_pages(database):
        progress(f"Comparing histories ({report.runs + report.gone} runs so far)")
        limit = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(_compare_run(database, client, run_id, ended, report, limit) for run_id, ended in page))
    return report


def _run_pages(database: Database) -> Iterator[list[tuple[str, bool]]]:
    after = ""
    while True:
        with database.read() as session:
            rows = session.execute(
                select(col(RunRow.run_id), col(RunRow.status))
                .where(col(RunRow.run_id) > after)
                .order_by(col(RunRow.run_id))
                .limit(_PAGE)
            ).all()
        if rows:
            yield [(row[0], RunStatus(row[1]).ended) for row in rows]
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


async def _compare_run(
    database: Database, client: Client, run_id: str, ended: bool, report: VerifyReport, limit: asyncio.Semaphore
) -> None:
    async with limit:
        try:
            told = await _told_by_history(client, run_id)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            report.gone += 1
            return
        report.runs += 1
        rows = await asyncio.to_thread(consistency.statuses_of_run, database, run_id)
    for action_id, status in told.items():
        if not status.settled:
            continue
        row = rows.get(action_id)
        if row is None:
            report.faults.append(Fault(where=f"action {action_id}", what=f"is {status} in the history and has no row"))
        elif row is not status and not _later(status, row):
            what = f"is {status} in the history and {row} in the database"
            report.faults.append(Fault(where=f"action {action_id}", what=what))
    if ended:
        report.adopted += sum(1 for action_id in rows if action_id not in told)


def _later(history: ActionStatus, row: ActionStatus) -> bool:
    """Whether a row may have moved on after the run was told."""
    undone = history is ActionStatus.DONE and row is ActionStatus.UNDONE
    explained = history is ActionStatus.UNKNOWN and row in _EXPLAINED
    return undone or explained


_EXPLAINED = {
    ActionStatus.DONE,
    ActionStatus.FAILED,
    ActionStatus.UNDONE,
    # Settled as not happened and tried again, on its way to the run.
    ActionStatus.HELD,
    ActionStatus.CLEARED,
    ActionStatus.CLAIMED,
}


async def _told_by_history(client: Client, workflow_id: str) -> dict[str, ActionStatus]:
    """The last status of each action that a run's activities reported, over all its continuations."""
    told: dict[str, ActionStatus] = {}
    execution: str | None = None
    while True:
        earlier = ""
        here: dict[str, ActionStatus] = {}
        handle = client.get_workflow_handle(workflow_id, run_id=execution)
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                earlier = event.workflow_execution_started_event_attributes.continued_execution_run_id
            for payload in _payloads(event):
                _note(payload, here)
        told = {**here, **told}
        if not earlier:
            return told
        execution = earlier


def _payloads(event: Any) -> Iterator[Payload]:
    if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
        for payloads in event.marker_recorded_event_attributes.details.values():
            yield from payloads.payloads
    elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        yield from event.activity_task_completed_event_attributes.result.payloads


def _note(payload: Payload, told: dict[str, ActionStatus]) -> None:
    try:
        content = json.loads(payload.data)
    except ValueError:
        return
    if not isinstance(content, dict):
        return
    outcome = content.get("outcome", content)
    if isinstance(outcome, dict) and {"action_id", "status"} <= outcome.keys():
        told[outcome["action_id"]] = ActionStatus(outcome["status"])
