"""Proving undos from the agent's page and by REST: a worker tries them on scratch records of a real connector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from assent.domain.people import SYSTEM, Role
from assent.runtime.cards import publish_card
from assent.runtime.settings import Settings
from assent.runtime.worker import running_worker
from assent.store.people import Person
from assent_activities.connectors import ConnectorEnvironment, build_registry
from assent_activities.connectors.sql_rows import build as build_rows
from tests.pages.reading import PageReader
from tests.settling.crm import CARD, OPTIONS, make_tables
from tests.site import Site, build
from tests.world import make_world

PROOFS = "/api/v1/agents/crm-clerk/undo-proofs"


@pytest_asyncio.fixture
async def site(temporal_server: str, settings: Settings, tmp_path: Path) -> AsyncIterator[Site]:
    """Pages and a worker that has a table of customers and an empty one."""
    make_tables(url := f"sqlite:///{tmp_path / 'crm.db'}")
    rows = build_rows(ConnectorEnvironment(tmp_path, {**OPTIONS, "url": url}))
    world = await make_world(temporal_server, settings.database_url, settings)
    registry = build_registry([world.desk, rows])
    publish_card(world.database, registry, CARD, where="test card", by=SYSTEM)
    async with running_worker(world.client, world.database, registry, world.settings):
        yield build(world)
    rows.close()
    world.database.close()


@pytest.fixture
def olga(site: Site) -> Person:
    """An operator."""
    return site.person("Olga Operator", Role.OPERATOR)


async def test_undos_are_proven_by_rest(site: Site, olga: Person) -> None:
    async with site.browser(olga) as browser:
        headers = {"X-CSRF-Token": (await browser.get("/api/v1/me")).json()["csrf"]}
        before = {each["type"]: each for each in (await browser.get(PROOFS)).json()["items"]}
        assert set(before) == {"crm.customers.update", "crm.empty.update"}
        assert {each["overdue"] for each in before.values()} == {True}
        assert before["crm.customers.update"]["worked_at"] is None
        answer = await browser.post(PROOFS, json={}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["complete"]
        tried = {each["type"]: each["worked"] for each in answer.json()["items"]}
        assert tried == {"crm.customers.update": True, "crm.empty.update": None}
        after = {each["type"]: each for each in (await browser.get(PROOFS)).json()["items"]}
        proven = after["crm.customers.update"]
        assert (proven["worked_by"], proven["worked_how"], proven["overdue"]) == ("Olga Operator", "trial", False)
        assert (proven["wrong"], proven["failed_at"]) == ("", None)
        assert proven["due_at"] > proven["worked_at"]
        assert (after["crm.empty.update"]["overdue"], after["crm.empty.update"]["worked_at"]) == (True, None)
        one = await browser.post(PROOFS, json={"type": "crm.empty.update"}, headers=headers)
        assert [each["type"] for each in one.json()["items"]] == ["crm.empty.update"]
        assert (await browser.post(PROOFS, json={"type": "crm.none"}, headers=headers)).status_code == 422
        nobody = PROOFS.replace("crm-clerk", "nobody")
        assert (await browser.get(nobody)).status_code == 404
        assert (await browser.post(nobody, json={}, headers=headers)).status_code == 404
    assert site.world.events(kind="undo.proven", agent="crm-clerk") == ["undo.proven"]


async def test_undos_are_proven_from_the_agents_page(site: Site, olga: Person) -> None:
    async with site.browser(olga) as browser:
        page = PageReader((await browser.get("/agents/crm-clerk")).text)
        assert "2 undos lack a proof" in page.words
        form = page.form("/agents/crm-clerk/undo-proofs#undos-title")
        answer = await browser.post("/agents/crm-clerk/undo-proofs", data=form.fields)
        assert answer.status_code == 200, answer.text
        done = PageReader(answer.text).words
        assert "1 undo works" in done
        assert "crm.empty.update: not tried. There is no empty to try it on" in done
        page = PageReader((await browser.get("/agents/crm-clerk")).text)
        assert "on scratch records, Olga Operator" in page.words
        assert "1 undo lacks a proof" in page.words


@pytest.mark.parametrize(("role", "may"), [(Role.OWNER, True), (Role.APPROVER, False), (Role.AUDITOR, False)])
async def test_operators_and_owners_prove_undos(site: Site, role: Role, may: bool) -> None:
    async with site.browser(site.person("Pat Person", role)) as browser:
        csrf = (await browser.get("/api/v1/me")).json()["csrf"]
        page = await browser.get("/agents/crm-clerk")
        assert ('action="/agents/crm-clerk/undo-proofs#undos-title"' in page.text) == may
        assert len((await browser.get(PROOFS)).json()["items"]) == 2
        wanted = {"type": "crm.customers.update"}
        answer = await browser.post(PROOFS, json=wanted, headers={"X-CSRF-Token": csrf})
        assert answer.status_code == (200 if may else 403), answer.text
        if not may:
            assert (await browser.post("/agents/crm-clerk/undo-proofs", data={"csrf": csrf})).status_code == 403
    assert bool(site.world.events(kind="undo.proven")) == may
