"""The sample that ``assent up`` runs: the shop, its agent, and a steady trickle of customers.

``python -m assent_shop.sample --url URL --key KEY [--pace SECONDS]`` runs the agent alone against any Assent that has
the shop's connector and card.
"""

from __future__ import annotations

import argparse
import logging
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from assent.domain.people import SYSTEM
from assent.gateway import utc_now
from assent.runtime.settings import Settings
from assent.store import keys
from assent.store.database import Database
from assent_shop.office import Office
from assent_shop.stock import sample_shop
from assent_shop.support import LetterWriter
from assent_shop.team import gather
from assent_shop.trickle import Pace, Trickle

AGENT = "shop-support"
CONNECTOR = "assent_shop.connector:build"
CARDS = Path(__file__).parent / "cards"
KEY_LIFETIME = timedelta(days=30)
"""After that the agent stops, and is given a new key when it is started again."""

log = logging.getLogger(__name__)


def configure(settings: Settings) -> Settings:
    """Settings with the shop's connector and card, unless they name them already."""
    connectors = [*settings.connectors, *([] if _has_shop(settings) else [CONNECTOR])]
    cards = [*settings.cards, *([] if CARDS in settings.cards else [CARDS])]
    return settings.model_copy(update={"connectors": connectors, "cards": cards})


def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Gather the people who decide for the shop, once; whoever administers this installation is one of them.

    Raises:
        Unavailable: The database is away.
    """
    database = Database(settings.database_url)
    try:
        for made in gather(database):
            say(f"Shop: {made}")
    finally:
        database.close()


def main(settings: Settings) -> None:
    """Run the agent against this installation, with a key that lives as long as the process."""
    with own_key(settings) as key:
        work(_local_url(settings), key)


def work(url: str, key: str, pace: Pace | None = None, *, stop: threading.Event | None = None) -> None:
    """Answer customers until SIGTERM or Ctrl-C, or until ``stop`` is set.

    Args:
        url: Address of Assent.
        key: Key of the agent.
        pace: How fast letters come.
        stop: Ends it.

    Raises:
        httpx.HTTPStatusError: The key is no good.
    """
    stop = stop or _stop_at_signals()
    pace = pace or Pace()
    chance = random.Random()
    with Office(url, key) as office:
        left = office.pick_up(stop)
        log.info("%s is at work; %d requests of earlier still wait.", AGENT, left)
        writer = LetterWriter(sample_shop(), chance)
        Trickle(writer, chance, office.answer, waiting=office.waiting, pace=pace).run(stop)


def _stop_at_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def own_key(settings: Settings) -> Iterator[str]:
    """A key of the agent for this installation, revoked at the end."""
    database = Database(settings.database_url)
    try:
        with database.write() as session:
            made = keys.make_key(
                session, agent=AGENT, at=utc_now(), by=SYSTEM, name="sample agent", lifetime=KEY_LIFETIME
            )
        try:
            yield made.key
        finally:
            with database.write() as session:
                keys.revoke_key(session, made.id, at=utc_now(), by=SYSTEM)
    finally:
        database.close()


def _has_shop(settings: Settings) -> bool:
    return CONNECTOR in settings.connectors or any(
        CONNECTOR in Path(name).read_text("utf-8")
        for name in settings.connectors
        if Path(name).suffix in (".yaml", ".yml") and Path(name).is_file()
    )


def _local_url(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web_host, settings.web_host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.web_port}"


def _command(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="assent_shop.sample", description="The shop's scripted support agent.")
    parser.add_argument("--url", required=True, help="address of Assent, http://127.0.0.1:8484")
    parser.add_argument("--key", required=True, help=f"key of the agent {AGENT}")
    parser.add_argument("--pace", type=float, default=Pace().seconds, help="seconds between two letters")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    work(given.url, given.key, Pace(seconds=given.pace))


if __name__ == "__main__":
    _command()
