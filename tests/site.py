"""The web pages over a whole product: people with signed-in browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from fastapi import FastAPI

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.people import SYSTEM, Role
from assent.runtime.card_desk import Desk
from assent.store import people
from assent.store.people import Person
from assent.store.sign_in import SignIn
from assent_ui.app import create_app
from tests.world import AGENT, World, action

ADDRESS = "http://127.0.0.1:8484"
KEY = "a key of the tests, 32 characters or more"
HOSTILE = 'Bob</h1><script>alert(1)</script><b onclick="x()">\u202eelbisivni\u2066 \u200bpаypal\x07'


@dataclass
class Site:
    """The web application and the world behind it."""

    world: World
    app: FastAPI

    def person(self, name: str, *roles: Role) -> Person:
        """Somebody with roles."""
        address = f"{name.lower().replace(' ', '.')}@example.com"
        with self.world.database.write() as session:
            return people.by_email(session, address) or people.add(
                session, email=address, name=name, roles=roles, at=datetime.now(UTC)
            )

    def link(self, person: Person) -> str:
        """A one-time token for somebody."""
        with self.world.database.write() as session:
            return SignIn(KEY).make_link(session, person, at=datetime.now(UTC), by=SYSTEM)

    @asynccontextmanager
    async def browser(self, person: Person | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """A browser without scripts, signed in as somebody."""
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, timeout=60) as client:
            if person is not None:
                answer = await client.post("/sign-in", data={"token": self.link(person)})
                assert answer.status_code == 303, answer.text
            yield client

    async def waiting(
        self, *, to: str = "bob", amount: float = 40, key: str = "pay", reason: str = ""
    ) -> ActionOutcome:
        """A run of one action that waits for a person."""
        proposal = ProposedAction(key=key, type="desk.pay", arguments={"to": to, "amount": amount}, reason=reason)
        run_id = await self.world.start(proposal, goal=f"Pay {to}"[:200])
        return await self.world.outcome(run_id, key, ActionStatus.AWAITING)

    async def finished(self, *texts: str) -> str:
        """A run that wrote something down and ended."""
        run_id = await self.world.start(*(action(f"n{at}", "desk.note", text=text) for at, text in enumerate(texts)))
        await self.world.result(run_id)
        return run_id

    async def open_run(self, proposals: Iterable[ProposedAction]) -> str:
        """An open run with some proposals made."""
        run_id = await self.world.start(open=True)
        for proposal in proposals:
            await self.world.gateway.propose(run_id, proposal, by=AGENT)
        return run_id


def build(world: World, *, public_url: str = ADDRESS) -> Site:
    """The site of a world."""
    named = world.settings.model_copy(update={"connectors": ["tests.cli.connector:desk"]})
    cards = Desk(named, world.database)
    app = create_app(world.gateway, world.database, public_url=public_url, secret_key=KEY, cards=cards)
    return Site(world, app)
