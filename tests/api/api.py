"""Those who use the API: agents with keys, people with sessions, and a server that can really be connected to."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import uvicorn
from fastapi import FastAPI

from assent.domain.people import SYSTEM, Role
from assent.runtime.cards import publish_card
from assent.runtime.processes import free_port
from assent.store.keys import KeyScope, make_key
from assent_activities.connectors import build_registry
from tests.desk import CARD
from tests.site import ADDRESS, Site

BASE = f"{ADDRESS}/api/v1"
PAY = {"type": "desk.pay", "arguments": {"to": "bob", "amount": 40}, "key": "pay"}
NOTE = {"type": "desk.note", "arguments": {"text": "milk"}, "key": "note"}


class Api:
    """The API of a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world

    def key(
        self,
        agent: str = "desk-clerk",
        *,
        scopes: Collection[KeyScope] = tuple(KeyScope),
        lifetime: timedelta | None = timedelta(days=1),
        made: datetime | None = None,
    ) -> str:
        """A key of an agent."""
        with self.world.database.write() as session:
            at = made or datetime.now(UTC)
            return make_key(session, agent=agent, at=at, by=SYSTEM, scopes=scopes, lifetime=lifetime).key

    def second_agent(self) -> str:
        """Another agent with the same card."""
        card = CARD.replace("name: desk-clerk", "name: other-clerk")
        registry = build_registry([self.world.desk])
        return publish_card(self.world.database, registry, card, where="other card", by=SYSTEM).agent

    @asynccontextmanager
    async def with_key(self, key: str) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who sends a key."""
        async with self._client({"Authorization": f"Bearer {key}"}) as client:
            yield client

    @asynccontextmanager
    async def agent(self) -> AsyncIterator[httpx.AsyncClient]:
        """The desk clerk."""
        async with self.with_key(self.key()) as client:
            yield client

    @asynccontextmanager
    async def person(self, *roles: Role, name: str = "Pat Person") -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who is signed in, with scripts that send the CSRF token."""
        who = self.site.person(name, *roles)
        async with self._client({}) as client:
            signed_in = await client.post(f"{ADDRESS}/sign-in", data={"token": self.site.link(who)})
            assert signed_in.status_code == 303, signed_in.text
            client.headers["X-CSRF-Token"] = (await client.get("/me")).json()["csrf"]
            yield client

    def nobody(self) -> httpx.AsyncClient:
        """Somebody who shows nothing."""
        return self._client({})

    def _client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.site.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers, timeout=60)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Serve an application on a free port; gives its address."""
    port = free_port()
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn gives no event to wait for
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        app.state.deps.watch.close()
        server.should_exit = True
        await task


def fresh(name: str) -> str:
    """An id that no other test uses: they share a Temporal server."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


async def start(client: httpx.AsyncClient, **body: object) -> str:
    """Start a run of the desk clerk, and wait until a worker has taken it up."""
    answer = await client.post("/runs", json={"goal": "Tidy up", **body})
    assert answer.status_code == 201, answer.text
    run_id: str = answer.json()["run_id"]
    while (await client.get(f"/runs/{run_id}")).status_code == 503:
        pass
    return run_id
