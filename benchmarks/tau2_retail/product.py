"""A whole Assent of the benchmark's own: `assent up` on a folder, with the benchmark's shop behind it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import yaml

import assent_shop
from assent.domain.people import SYSTEM
from assent.gateway import utc_now
from assent.runtime import processes
from assent.runtime.logs import tail
from assent.runtime.people import sign_in_link
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.keys import make_key
from assent_shop import team

AGENT = "shop-support"
COLLEAGUE = "noor.haddad@shop.example"
"""Somebody of the group that decides on returns."""
SHOP_FILE = "shop.db"
START_SECONDS = 900.0
"""The first start may have to build Temporal."""

_POLL_SECONDS = 0.2


@contextmanager
def running_product(folder: Path, data: Path) -> Iterator[Settings]:
    """Run Temporal, worker and web as processes until the block ends.

    Args:
        folder: An empty folder for everything they keep.
        data: Folder of the benchmark, which fills the shop.

    Raises:
        RuntimeError: They do not come up.
    """
    settings = _settings(folder, data)
    command = [sys.executable, "-m", "assent", "up", "--no-sample", "--data-dir", str(settings.data_dir)]
    log = folder / "up.log"
    with log.open("wb") as output:
        child = processes.start(command, output=output, changes=dict(settings.environment()))
        try:
            _wait_until_ready(settings, child, log)
            yield settings
        finally:
            processes.stop(child)


def agent_key(settings: Settings) -> str:
    """A key for the shop's agent."""
    database = Database(settings.database_url)
    try:
        with database.write() as session:
            lifetime = timedelta(days=1)
            return make_key(session, agent=AGENT, at=utc_now(), by=SYSTEM, name="benchmark", lifetime=lifetime).key
    finally:
        database.close()


def person_link(settings: Settings) -> str:
    """A link that lets a person in, once."""
    return sign_in_link(settings)


def colleague_link(settings: Settings) -> str:
    """A link that lets a colleague in, once, after the shop's groups were made with both of them."""
    database = Database(settings.database_url)
    try:
        sign_in_link(settings)
        team.gather(database)
    finally:
        database.close()
    return sign_in_link(settings, COLLEAGUE)


def _settings(folder: Path, data: Path) -> Settings:
    connectors = folder / "connectors.yaml"
    options = {"url": f"sqlite:///{SHOP_FILE}", "tau2": str(data.absolute()), "mail_seconds": 0}
    connectors.write_text(yaml.safe_dump([{"use": "assent_shop.connector:build", "options": options}]), "utf-8")
    return Settings.load(
        data_dir=folder / "data",
        web_port=processes.free_port(),
        connectors=[str(connectors)],
        cards=[Path(assent_shop.__file__).parent / "cards"],
    )


def _wait_until_ready(settings: Settings, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    url = f"{settings.public_url}/readyz"
    while child.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url, trust_env=False, timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(_POLL_SECONDS)
    raise RuntimeError(f"Assent did not come up:\n{tail(log)}")
