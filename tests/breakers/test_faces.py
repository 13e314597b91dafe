"""A breaker that fired, as web, API and command line show it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from assent.cli import run
from assent.domain.people import Role
from assent.runtime.settings import Settings
from assent.store import samples
from assent.store.samples import Sample
from assent.store.tables import TripRow
from tests.breakers.test_whole import FAILS, trips
from tests.desk import CARD
from tests.pages.reading import PageReader
from tests.site import Site, build
from tests.world import AGENT, action, make_world


@pytest_asyncio.fixture
async def site(temporal_server: str, settings: Settings) -> AsyncIterator[Site]:
    """The pages, with a worker behind them."""
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        yield build(world)
    world.database.close()


async def fired(site: Site) -> TripRow:
    """A breaker that paused tips, after some time in which all was well."""
    world = site.world
    world.publish(CARD + FAILS)
    now = datetime.now(UTC)
    with world.database.write() as session:
        for ago, value in ((3000, 0), (1800, 1), (1200, 2), (600, 0)):
            sample = Sample(now - timedelta(seconds=ago), value, 2, 10)
            samples.keep(session, "desk-clerk", [("tips-fail", timedelta(minutes=1), sample)])
    run_id = await world.start(open=True)
    for number in range(3):
        await world.gateway.propose(run_id, action(f"tip-{number}", "desk.tip", to="nobody", amount=1), by=AGENT)
    (trip,) = await world.eventually(lambda: trips(world))
    return trip


async def test_pages_say_why_an_agent_is_paused(site: Site) -> None:
    trip = await fired(site)
    async with site.browser(site.person("Ada Admin", Role.ADMIN)) as browser:
        agent = await browser.get("/agents/desk-clerk")
        assert "When it is paused by itself" in agent.text
        assert '<figure class="trend">' in agent.text
        assert "fired, and holds" in agent.text
        one = PageReader((await browser.get("/agents/desk-clerk/breakers/tips-fail")).text)
        assert "at most 2 of the last 10 “Tip” actions in 1 h" in one.words
        assert "Tips must not be lost." in one.words
        shown = await browser.get(f"/trips/{trip.id}")
        page = PageReader(shown.text)
        assert "3 of the last 3 “Tip” actions failed, at most 2 may." in page.words
        assert "Tips cannot be given now. Propose desk.note instead." in page.words
        assert f"/stop#{trip.pause_id}" in page.addresses
        assert all(action_id in shown.text for action_id in trip.evidence)
        assert trip.cause in (await browser.get("/trips?agent=desk-clerk")).text
        stop = (await browser.get("/stop")).text
        assert trip.cause in stop
        assert f"/trips/{trip.id}" in stop
        for lost in ("/agents/desk-clerk/breakers/none", "/agents/none/breakers/a", "/trips/none"):
            assert (await browser.get(lost)).status_code == 404


async def test_the_api_says_it_too(site: Site) -> None:
    trip = await fired(site)
    async with site.browser(site.person("Ada Admin", Role.ADMIN)) as browser:
        (breaker,) = (await browser.get("/api/v1/agents/desk-clerk/breakers")).json()["items"]
        assert (breaker["state"], breaker["pauses"]) == ("holding", [trip.pause_id])
        assert breaker["rule"]["allowed"] == "at most 2 of the last 10 “Tip” actions in 1 h"
        alone = (await browser.get("/api/v1/agents/desk-clerk/breakers/tips-fail")).json()
        assert len(alone["samples"]) >= 4
        (listed,) = (await browser.get("/api/v1/trips?agent=desk-clerk")).json()["items"]
        assert listed == (await browser.get(f"/api/v1/trips/{trip.id}")).json()
        assert (listed["measured"], listed["threshold"], listed["counted"]) == (3.0, 2.0, 3)
        assert listed["woken"][0]["email"] == "bo@example.com"
        assert (await browser.get("/api/v1/connectors")).json() == {"items": []}
        assert (await browser.get("/api/v1/trips/none")).status_code == 404
    async with site.browser() as nobody:
        assert (await nobody.get("/api/v1/trips")).status_code == 401


async def test_so_does_the_command_line(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trip = await fired(site)
    for name, value in site.world.settings.environment().items():
        monkeypatch.setenv(name, value)

    async def type_(*arguments: str) -> str:
        capsys.readouterr()
        code = await asyncio.to_thread(run, ("breaker", *arguments))
        said = capsys.readouterr()
        assert code == 0, said.err
        return said.out

    assert "tips-fail" in await type_("list")
    shown = await type_("show", "desk-clerk", "tips-fail")
    assert "holding" in shown
    assert trip.pause_id in shown
    assert trip.cause in await type_("trips")
    assert "Tips cannot be given now." in await type_("trip", trip.id)
    assert json.loads(await type_("trips", "--json"))["items"][0]["id"] == trip.id
    assert json.loads(await type_("list", "--json"))[0]["state"] == "holding"
    await type_("health")
