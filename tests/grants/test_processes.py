"""Several processes at once use grants exactly as often as they allow."""

from __future__ import annotations

import json
import subprocess
import sys

from sqlalchemy import func, select
from sqlmodel import col

from assent.gateway import Gateway, utc_now
from assent.store import consistency
from assent.store.queries import grants
from assent.store.tables import GrantUseRow
from tests.grants.bureau import FAY, LEO, Bureau, card
from tests.grants.spender import PROPOSALS, THREADS

PROCESSES = 3


def test_many_processes_use_grants_exactly_as_often_as_they_allow(bureau: Bureau) -> None:
    bureau.publish(card().replace("uses: 5", "uses: 500"))
    # The other processes have the time of this machine.
    bureau.gateway = Gateway(None, bureau.database)
    bureau.clock.now = utc_now()
    allowed = {40: FAY, 77: LEO}
    made = [bureau.grant(by, bureau.terms(uses=uses, days=9)) for uses, by in allowed.items()]
    url = bureau.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.grants.spender", url]
    running = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True) for number in range(PROCESSES)
    ]
    told = [json.loads(process.communicate()[0]) for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES
    done = sum(each["total"].get("done", 0) for each in told)
    awaiting = sum(each["total"].get("awaiting", 0) for each in told)
    assert done == sum(each["effects"] for each in told) == sum(allowed)
    assert awaiting == PROCESSES * THREADS * PROPOSALS - done
    with bureau.database.read() as session:
        used = [grants.one(session, each.id, now=utc_now()).used for each in made]
        recorded = session.execute(
            select(col(GrantUseRow.grant_id), func.count()).group_by(col(GrantUseRow.grant_id))
        ).all()
    assert used == list(allowed)
    assert {row[0]: row[1] for row in recorded} == dict(zip([each.id for each in made], allowed, strict=True))
    assert consistency.compare(bureau.database)[1] == []
