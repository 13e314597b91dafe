"""A process that proposes what a grant covers, from several threads.

Run as ``python -m tests.grants.spender DATABASE_URL NUMBER``; prints how many proposals came to what, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from assent.domain.ports import SubmitAction
from assent.domain.runs import RunHeader
from assent.gateway import utc_now
from assent.store.database import Database
from assent_activities.admission import Admission
from assent_activities.connectors import build_registry
from assent_activities.dependencies import Dependencies
from assent_activities.effects import EffectProtocol
from tests.desk import Desk
from tests.world import AGENT, action

THREADS = 4
PROPOSALS = 30
"""Of each thread."""


def main() -> None:
    url, number = sys.argv[1:]
    database = Database(url)
    desk = Desk()
    dependencies = Dependencies(database=database, registry=build_registry([desk]), clock=utc_now)
    admission = Admission(dependencies, EffectProtocol(dependencies))

    def spend(thread: int) -> Counter[str]:
        run_id = f"run-{number}-{thread}"
        header = RunHeader(run_id=run_id, agent="desk-clerk", started_by=AGENT, started_at=utc_now(), first=True)
        proposals = (action(f"a{each}", "desk.pay", to="bob", amount=1) for each in range(PROPOSALS))
        return Counter(admission.submit(SubmitAction(header=header, action=each)).status.value for each in proposals)

    with ThreadPoolExecutor(THREADS) as executor:
        total = sum(executor.map(spend, range(THREADS)), Counter[str]())
    database.close()
    print(json.dumps({"total": total, "effects": len(desk.done)}))


if __name__ == "__main__":
    main()
