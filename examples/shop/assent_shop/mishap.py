"""A bad morning: the agent believes a wrong list and moves customers; a colleague corrects one of them by hand.

``python -m assent_shop.mishap [--data-dir .assent] [--customers 12]`` lets that happen in the installation that runs on
a data folder, and says where to look. Undoing it all leaves one conflict: what the colleague wrote is not overwritten.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import Engine, select, update

from assent.client import Assent, AssentApiError
from assent.domain.errors import AssentError, Unavailable
from assent.gateway import utc_now
from assent.runtime import instance
from assent.runtime.settings import Settings
from assent_activities.connectors import ConnectorEnvironment
from assent_shop.connector import Shop, build
from assent_shop.sample import AGENT, own_key
from assent_shop.tables import users

CUSTOMERS = 12
"""Customers that are moved; the agent's card lets 60 addresses change in an hour."""

PATIENCE_S = 30.0
"""Seconds that one change may take."""

WAREHOUSE = {
    "address1": "1 Depot Road",
    "address2": "",
    "city": "Windrush",
    "state": "TX",
    "country": "USA",
    "zip": "78700",
}
"""Where everybody is said to live."""

CORRECTED = {**WAREHOUSE, "address1": "7 Orchard Road", "city": "Lakemere", "state": "MN", "zip": "55104"}
"""What the colleague writes for the one customer who called."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """What happened.

    Attributes:
        since: The moment before the first change.
        moved: Ids of the customers that the agent moved.
        corrected: Id of the one that a colleague corrected by hand.
    """

    since: datetime
    moved: tuple[str, ...]
    corrected: str


def happen(client: Assent, shop: Engine, *, customers: int = CUSTOMERS) -> Mishap:
    """Let it happen: one run for each customer, then the colleague's correction in the shop's own database.

    Args:
        client: The agent's.
        shop: The shop's database.
        customers: How many, at least 1.

    Raises:
        AssentApiError: Assent refused a request or cannot be reached.
        Unavailable: A change was held or refused: the agent is paused, or its hour is used up.
    """
    since = utc_now()
    with shop.connect() as connection:
        chosen = connection.execute(select(users.c.user_id).order_by(users.c.user_id).limit(customers)).scalars().all()
    for user_id in chosen:
        run = client.start_run(goal=f"Bring the address of {user_id} up to date", received={"list": "addresses.csv"})
        outcome = run.act(
            "shop.modify_user_address",
            {"user_id": user_id, **WAREHOUSE},
            reason="The list that came this morning says so.",
            key="move",
            wait=PATIENCE_S,
        )
        run.end(f"{user_id} was brought up to date." if outcome.status == "done" else f"It was {outcome.status}.")
        if outcome.status != "done":
            raise Unavailable(
                f"The change for {user_id} is {outcome.status}. {outcome.message}".strip(),
                where=run.run_id,
                todo="Let the agent go on, or try again in an hour.",
            )
    corrected = chosen[len(chosen) // 2]
    with shop.begin() as connection:
        connection.execute(update(users).where(users.c.user_id == corrected).values(address=CORRECTED))
    return Mishap(since, tuple(chosen), corrected)


def _say(found: Mishap, url: str, data_dir: Path) -> None:
    since = found.since.isoformat(timespec="seconds")
    query = urlencode({"scope": "agent", "id": AGENT, "since": since})
    print(f"The agent believed a wrong list and moved {len(found.moved)} customers to a warehouse.")
    print(f"Then {found.corrected} called, and a colleague corrected that one by hand, in the shop's own database.")
    print()
    print("Stop it, see it, undo it:")
    print(f"  {url}/stop?scope=agent&name={AGENT}")
    print(f"  {url}/rollbacks/new?{query}")
    print("or, on the command line:")
    print(f"  assent --data-dir {data_dir} pause agent {AGENT}")
    print(f"  assent --data-dir {data_dir} rollback agent {AGENT} --since {since} --preview")
    print()
    print("All but one can be undone; the one that was corrected by hand is left for a person.")


def _command(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="assent_shop.mishap", description="Let the shop's agent make a mass mistake.")
    parser.add_argument("--data-dir", type=Path, default=Path(".assent"), help="data folder of the running Assent")
    parser.add_argument("--customers", type=int, default=CUSTOMERS, choices=range(2, 41), metavar="2…40")
    given = parser.parse_args(arguments)
    try:
        settings = instance.as_running(Settings.load(data_dir=given.data_dir))
        found = instance.running(settings.data_dir)
        if found is None:
            raise Unavailable("Assent does not run on this data folder.", where=str(given.data_dir), todo="`make up`.")
        shop = build(ConnectorEnvironment(settings.data_dir, {}))
        assert isinstance(shop, Shop)
        try:
            with own_key(settings) as key, Assent(found.url, key) as client:
                _say(happen(client, shop.store.database.engine, customers=given.customers), found.url, given.data_dir)
        finally:
            shop.close()
    except (AssentError, AssentApiError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_command())
