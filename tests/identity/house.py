"""An installation without Temporal, for what people prove and manage; with browsers that have no scripts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from assent.domain.people import SYSTEM, Role
from assent.gateway import Gateway
from assent.store import passwords, people
from assent.store.database import Database
from assent.store.people import Person
from assent.store.queries import ledger
from assent.store.queries.events import EventView
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent.store.sign_in import SignIn
from assent_ui.app import create_app
from assent_ui.card_desk import CardDesk
from assent_ui.identity.openid_source import OpenIdSettings
from tests.databases import prepare

KEY = "a key of the tests, 32 characters or more"
ADDRESS = "http://localhost:8484"
PASSWORD = "four words make one"


class Clock:
    """The time of this machine, which tests can put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class House:
    """The web application, and its database."""

    app: FastAPI
    database: Database
    clock: Clock = field(default_factory=Clock)

    def person(self, name: str, *roles: Role, email: str = "") -> Person:
        """Somebody with roles; the same one for the same name."""
        address = email or f"{name.lower()}@example.com"
        with self.database.write() as session:
            return people.by_email(session, address) or people.add(
                session, email=address, name=name, roles=roles, at=self.clock(), by=SYSTEM
            )

    def link(self, person: Person) -> str:
        """A one-time token."""
        with self.database.write() as session:
            return SignIn(KEY).make_link(session, person, at=self.clock(), by=SYSTEM)

    def events(self, kind: str) -> list[EventView]:
        """Ledger events of a kind, oldest first."""
        with self.database.read() as session:
            found = ledger.page(session, ledger.LedgerFilter(kind=kind), request=PageRequest(MAX_LIMIT))
        return list(found.items)[::-1]

    @asynccontextmanager
    async def browser(self, person: Person | None = None, *, address: str = "203.0.113.7") -> AsyncIterator[Browser]:
        """A browser; signed in by link, if somebody is named."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, timeout=60) as client:
            browser = Browser(client)
            if person is not None:
                answer = await client.post("/sign-in", data={"token": self.link(person)})
                assert answer.status_code == 303, answer.text
            yield browser

    @asynccontextmanager
    async def proven(self, person: Person) -> AsyncIterator[Browser]:
        """A browser of somebody who proved just now who they are, with :data:`PASSWORD`."""
        async with self.browser(person) as browser:
            with self.database.read() as session:
                known = passwords.set_at(session, person.id) is not None
            if not known:
                await browser.set_password()
            await browser.confirm()
            yield browser


class Browser:
    """A browser without scripts."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return await self.client.get(path)

    async def csrf(self) -> str:
        """The token that the person's own pages carry."""
        found = re.search('name="csrf" value="([^"]+)"', (await self.get("/account")).text)
        assert found is not None
        return found[1]

    async def send(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form of one's own page."""
        data = {"csrf": await self.csrf()} | fields
        return await self.client.post(path, data=data, headers={"Referer": f"{ADDRESS}/account"})

    async def set_password(self, password: str = PASSWORD) -> httpx.Response:
        """Set the password."""
        answer = await self.send("/account/password", password=password, again=password)
        assert answer.status_code == 303, answer.text
        return answer

    async def confirm(self, password: str = PASSWORD, next: str = "/") -> httpx.Response:
        """Prove it by password."""
        answer = await self.send("/account/confirm/password", password=password, next=next)
        assert answer.status_code == 303, answer.text
        return answer

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """Sign in by password."""
        return await self.client.post("/sign-in/password", data={"email": email, "password": password})

    async def signed_in(self) -> bool:
        """Whether somebody is."""
        return (await self.get("/account")).status_code == 200

    async def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Use the API as the signed-in person's script."""
        headers = {"X-CSRF-Token": await self.csrf()}
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **options)


def build(
    path: Path, *, public_url: str = ADDRESS, openid: OpenIdSettings | None = None, cards: CardDesk | None = None
) -> House:
    """A fresh house."""
    database, clock = Database(f"sqlite:///{path}"), Clock()
    prepare(database)
    gateway = Gateway(None, database, clock=clock)
    app = create_app(gateway, database, public_url=public_url, secret_key=KEY, clock=clock, openid=openid, cards=cards)
    return House(app, database, clock)
