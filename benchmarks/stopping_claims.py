"""A process that claims as fast as it can, and goes on trying after the fence: ``… URL FOLDER NUMBER TRIES``.

It says ready once it claims, and ends after so many tries since it saw the file ``FOLDER/fenced``; then it prints how
many tries came to what before and after.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

from temporalio.exceptions import ApplicationError

from assent.domain.actions import ProposedAction
from assent.domain.people import SYSTEM
from assent.domain.ports import SubmitAction
from assent.domain.runs import RunHeader
from assent.gateway import utc_now
from assent.store.database import Database
from assent_activities.admission import Admission
from assent_activities.connectors import build_registry
from assent_activities.dependencies import Dependencies
from assent_activities.effects import EffectProtocol
from benchmarks.connector import BenchConnector


def main() -> None:
    """Claim until told, then try as often as asked."""
    url, folder, number, tries = sys.argv[1:]
    fenced = Path(folder) / "fenced"
    dependencies = Dependencies(database=Database(url), registry=build_registry([BenchConnector()]), clock=utc_now)
    admission = Admission(dependencies, EffectProtocol(dependencies))
    header = RunHeader(
        run_id=f"claimer-{number}", agent="bench-agent", started_by=SYSTEM, started_at=utc_now(), first=True
    )
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    while after.total() < int(tries):
        counts = after if fenced.exists() else before
        if counts is before:
            # Without it SQLite's writers, which poll for their turn, would let the pausing process wait for seconds.
            time.sleep(0.005)
        action = ProposedAction(key=f"a{before.total() + after.total()}", type="bench.step", arguments={"n": 1})
        try:
            counts[admission.submit(SubmitAction(header=header, action=action)).status.value] += 1
        except ApplicationError:
            counts["again"] += 1
        if before.total() == 1:
            print("ready", flush=True)
    print(json.dumps({"before": before, "after": after}), flush=True)


if __name__ == "__main__":
    main()
