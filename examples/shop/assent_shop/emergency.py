"""The shop closes without a word: a breaker pauses the agent, and an incident is opened from its pause.

``python -m assent_shop.emergency [--data-dir .assent]`` puts up the shop's closed sign in the installation that runs on
a data folder, waits until the breaker ``shop-down`` trips, opens an incident with its pause and with the customers that
the agent touched in the last hour, takes the sign down again, and says where to look.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from assent.domain.errors import AssentError, Unavailable
from assent.domain.incidents import PartKind, Severity
from assent.domain.people import SYSTEM
from assent.gateway import Gateway, NewIncident, utc_now
from assent.runtime import instance
from assent.runtime.console import console_actor, opened
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.queries import pauses
from assent.store.queries.affected import Sought, SoughtBy
from assent_shop.connector import CLOSED_SIGN

PATIENCE = timedelta(minutes=5)
"""How long the breaker may take: it trips at the third look at the shop that finds it closed."""

LOOK_EVERY_S = 1.0
LAST_HOUR = timedelta(hours=1)


def tripped(database: Database, since: datetime, patience: timedelta = PATIENCE) -> str:
    """Wait for a breaker's pause; gives its id.

    Raises:
        Unavailable: None came in time.
    """
    until = time.monotonic() + patience.total_seconds()
    while time.monotonic() < until:
        with database.read() as session:
            found = [each for each in pauses.active(session) if each.requested_by.id == SYSTEM.id]
        if found := [each for each in found if each.requested_at >= since]:
            return found[0].id
        time.sleep(LOOK_EVERY_S)
    raise Unavailable("No breaker tripped.", where="shop-down", todo="See the agent's page: is its card the shop's?")


async def answer(gateway: Gateway, pause_id: str) -> str:
    """Open an incident for a breaker's pause, with the customers that were touched in the last hour; gives its id."""
    by = console_actor()
    since = utc_now() - LAST_HOUR
    wanted = NewIncident(severity=Severity.HIGH, began_at=since, pause_ids=[pause_id])
    incident_id = await gateway.open_incident(wanted, by=by)
    sought = Sought(SoughtBy.TABLE, "shop/users", since)
    await gateway.group_found(incident_id, sought, PartKind.RECORD, by=by)
    return incident_id


def _happen(data_dir: Path) -> None:
    settings = instance.as_running(Settings.load(data_dir=data_dir))
    found = instance.running(settings.data_dir)
    if found is None:
        raise Unavailable("Assent does not run on this data folder.", where=str(data_dir), todo="`make up`.")
    sign, since = settings.data_dir / CLOSED_SIGN, utc_now()
    with opened(settings) as database:
        sign.touch()
        try:
            print("The shop is closed. Waiting until the breaker notices …", file=sys.stderr)
            pause_id = tripped(database, since)
        finally:
            sign.unlink(missing_ok=True)
        incident_id = asyncio.run(answer(Gateway(None, database), pause_id))
    print(f"The breaker made the pause {pause_id}, and the incident {incident_id} has it.")
    print("Look at it, find more, tell people, and close it with its post-mortem:")
    print(f"  {found.url}/incidents/{incident_id}")
    print("or, on the command line:")
    print(f"  assent --data-dir {data_dir} incident show {incident_id}")
    print(f"  assent --data-dir {data_dir} incident tell {incident_id} --draft")


def _command(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="assent_shop.emergency", description="Open an incident after a breaker.")
    parser.add_argument("--data-dir", type=Path, default=Path(".assent"), help="data folder of the running Assent")
    try:
        _happen(parser.parse_args(arguments).data_dir)
    except AssentError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_command())
