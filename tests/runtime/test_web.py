"""The web server as a process: it starts whatever is down, says so, recovers, and ends when asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from assent.domain.errors import NotFound
from assent.domain.people import Role
from assent.gateway import utc_now
from assent.runtime import people as letting_in
from assent.runtime import up
from assent.runtime.cards import publish_card
from assent.runtime.console import console_actor
from assent.runtime.processes import free_port
from assent.runtime.settings import PREFIX, Settings
from assent.store import people
from assent.store.database import Database
from assent.store.keys import make_key
from assent.store.migrate import migrate
from assent_activities.connectors import build_registry
from tests.desk import CARD, Desk
from tests.runtime.processes_of import eventually


@contextmanager
def web(settings: Settings, log: Path, **changes: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and its address."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "TEMPORAL_"))}
    environment = clean | settings.environment() | {"ASSENT_WEB_PORT": str(port), "ASSENT_PUBLIC_URL": ""} | changes
    with log.open("ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "assent", "web"], env=environment, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        assert eventually(lambda: answers(address))
        yield process, address
    finally:
        process.kill()
        process.wait()


def answers(address: str) -> bool:
    try:
        return bool(httpx.get(f"{address}/healthz", trust_env=False).json() == up.ALIVE)
    except httpx.TransportError:
        return False


def parts(address: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{address}/readyz", trust_env=False, timeout=60).json()["parts"]
    return found


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    made = Database(settings.database_url)
    yield made
    made.close()


def test_it_starts_without_anything_and_recovers(
    settings: Settings, database: Database, temporal_server: str, tmp_path: Path
) -> None:
    port = free_port()
    with web(settings, tmp_path / "log", ASSENT_TEMPORAL_ADDRESS=f"127.0.0.1:{port}") as (process, address):
        before = parts(address)
        assert "assent db migrate" in before["database"]["detail"]
        assert "not connected" in before["temporal"]["detail"]
        assert httpx.get(f"{address}/sign-in", trust_env=False, timeout=60).is_success
        migrate(database)
        assert eventually(lambda: parts(address)["database"]["ok"])
        with forwarded(port, temporal_server):
            assert eventually(lambda: parts(address)["temporal"]["ok"])
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_database_that_is_away_is_said_to_be_so(settings: Settings, tmp_path: Path) -> None:
    url = f"postgresql+psycopg://nobody:hunter2@127.0.0.1:{free_port()}/assent"
    with web(settings, tmp_path / "log", ASSENT_DATABASE_URL=url) as (_, address):
        assert not parts(address)["database"]["ok"]
        answer = httpx.get(
            f"{address}/api/v1/runs", headers={"Authorization": "Bearer assent_x"}, trust_env=False, timeout=60
        )
        assert answer.status_code == 503
        assert "hunter2" not in answer.text
        assert "Nothing was changed" in answer.json()["todo"]
        page = httpx.get(f"{address}/", cookies={"assent_session": "x"}, trust_env=False, timeout=60)
        assert page.status_code in {303, 503}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_while_somebody_watches(
    settings: Settings, database: Database, tmp_path: Path, number: signal.Signals
) -> None:
    migrate(database)
    publish_card(database, build_registry([Desk()]), CARD, where="test card", by=console_actor())
    with database.write() as session:
        key = make_key(session, agent="desk-clerk", at=utc_now(), by=console_actor()).key
    with web(settings, tmp_path / "log") as (process, address):
        link = letting_in.sign_in_link(settings.model_copy(update={"public_url": address}))
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as browser:
            assert browser.post("/sign-in", data={"token": httpx.URL(link).params["token"]}).status_code == 303
            assert browser.get("/").is_success
            assert browser.get("/api/v1/me").json()["email"] == letting_in.FIRST_EMAIL
            assert browser.get("/api/v1/runs", headers={"Authorization": f"Bearer {key}"}).is_success
            with browser.stream("GET", "/live?after=0") as watching:
                lines = watching.iter_lines()
                next(lines)
                process.send_signal(number)
                assert process.wait() == 0
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert httpx.URL(link).params["token"] not in log


def test_the_first_link_is_for_an_administrator(settings: Settings, database: Database) -> None:
    migrate(database)
    letting_in.sign_in_link(settings)
    letting_in.sign_in_link(settings)
    with database.write() as session:
        everybody = people.page(session).items
        assert [person.email for person in everybody] == [letting_in.FIRST_EMAIL]
        assert set(everybody[0].roles) == set(Role)
        people.change(session, everybody[0].id, at=utc_now(), by=console_actor(), disabled=True)
    with pytest.raises(NotFound, match="no administrator"):
        letting_in.sign_in_link(settings)
    with database.write() as session:
        people.add(session, email="zoe@example.com", roles=[Role.ADMIN], at=utc_now(), by=console_actor())
    assert "/sign-in?token=" in letting_in.sign_in_link(settings)


def test_an_address_that_is_taken(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        clean = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "TEMPORAL_"))}
        environment = clean | settings.environment() | {"ASSENT_WEB_PORT": str(port)}
        command = [sys.executable, "-m", "assent", "web"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 6
    assert f"could not start on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


@contextmanager
def forwarded(port: int, to: str) -> Iterator[None]:
    """Let a port lead to another address."""
    code = (
        "import asyncio, sys\n"
        "async def copy(a, b):\n"
        "    while data := await a.read(65536):\n"
        "        b.write(data); await b.drain()\n"
        "async def main():\n"
        "    host, _, port = sys.argv[2].rpartition(':')\n"
        "    async def connected(r, w):\n"
        "        r2, w2 = await asyncio.open_connection(host, int(port))\n"
        "        await asyncio.gather(copy(r, w2), copy(r2, w), return_exceptions=True)\n"
        "    async with await asyncio.start_server(connected, '127.0.0.1', int(sys.argv[1])) as server:\n"
        "        await server.serve_forever()\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(port), to])
    try:
        yield
    finally:
        process.kill()
        process.wait()
