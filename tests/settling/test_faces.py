"""Finding out in the browser, by the API and on the command line: the same facts, and one outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest_asyncio

from assent.domain.actions import ActionStatus
from assent.domain.people import Role, Via
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.store.people import Person
from tests.desk import CARD
from tests.pages.reading import PageReader
from tests.settling.test_runs import agreed, unknown_run
from tests.site import Site, build
from tests.world import World, action


@pytest_asyncio.fixture
async def site(world: World) -> Site:
    """The pages over the world."""
    return build(world)


@pytest_asyncio.fixture
async def ada(site: Site) -> AsyncIterator[Person]:
    """An operator."""
    yield site.person("Ada Admin", Role.OPERATOR)


async def test_an_inbox_has_the_task_and_its_page_everything_to_find_out(site: Site, ada: Person) -> None:
    world = site.world
    run_id, action_id = await unknown_run(world)
    quoted = quote(action_id, safe="")
    async with site.browser(ada) as browser:
        inbox = PageReader((await browser.get("/")).text)
        assert "Did it happen?" in inbox.words
        assert "Tip bob with 5" in inbox.words
        assert "1 effect, nobody knows yet" in inbox.words
        assert "/effects" in inbox.addresses
        assert "1 waiting" in inbox.words
        assert "1 waiting" in PageReader((await browser.get("/runs")).text).words
        assert "Tip bob with 5" in PageReader((await browser.get("/effects")).text).words
        assert "Find out whether it happened" in PageReader((await browser.get(f"/runs/{run_id}")).text).words
        page = PageReader((await browser.get(f"/effects/{action_id}")).text)
        for part in ("Did it happen?", "attempt 1", action_id, "The line went dead", '"amount": 5'):
            assert part in page.words, part
        asked = await browser.post(
            f"/effects/{action_id}/reconcile", data=page.form(f"/effects/{quoted}/reconcile").fields
        )
        assert asked.status_code == 303
        assert "cannot say" in PageReader((await browser.get(asked.headers["location"])).text).words
        form = page.form(f"/effects/{quoted}/settle").fields
        missing = await browser.post(f"/effects/{action_id}/settle", data=form | {"note": "x", "happened": ""})
        assert missing.status_code == 422
        said = form | {"happened": "yes", "note": "The till is short", "reference": "T-1"}
        done = await browser.post(f"/effects/{action_id}/settle", data=said)
        assert done.status_code == 303
        after = PageReader((await browser.get(f"/effects/{action_id}")).text).words
        assert "It happened" in after
        assert "The till is short" in after
        late = await browser.post(f"/effects/{action_id}/settle", data=said | {"happened": "no"})
        assert late.status_code == 409
        assert "It is done already" in PageReader(late.text).words
        assert "Found out" in PageReader((await browser.get(f"/runs/{run_id}")).text).words
        inbox = PageReader((await browser.get("/")).text)
        assert "Did it happen?" not in inbox.words
        assert "1 waiting" not in inbox.words
    await agreed(world)


async def test_whoever_may_not_settle_it_may_look(site: Site) -> None:
    _, action_id = await unknown_run(site.world)
    async with site.browser(site.person("Lou Looker", Role.AUDITOR)) as browser:
        assert "Did it happen?" not in PageReader((await browser.get("/")).text).words
        page = PageReader((await browser.get(f"/effects/{action_id}")).text)
        assert "You can look, not settle it" in page.words
        fields = {"csrf": page.form("/sign-out").fields["csrf"], "happened": "yes", "note": "I say so"}
        assert (await browser.post(f"/effects/{action_id}/settle", data=fields)).status_code == 403


async def test_an_inbox_counts_what_its_person_may_settle(site: Site) -> None:
    await unknown_run(site.world)
    counted = {}
    for name, role in {"Pat": Role.APPROVER, "Olga": Role.OPERATOR, "Lou": Role.AUDITOR, "Mo": Role.OWNER}.items():
        async with site.browser(site.person(f"{name} Person", role)) as browser:
            counted[name] = "1 waiting" in PageReader((await browser.get("/agents")).text).words
    assert counted == {"Pat": True, "Olga": True, "Lou": False, "Mo": False}


async def test_an_approver_of_the_type_may_settle_it_by_the_api(site: Site) -> None:
    run_id, action_id = await unknown_run(site.world, happens=False)
    async with site.browser(site.person("Pat Approver", Role.APPROVER)) as browser:
        me = (await browser.get("/api/v1/me")).json()
        headers = {"X-CSRF-Token": me["csrf_token"]} if "csrf_token" in me else {}
        if not headers:
            page = PageReader((await browser.get("/")).text)
            headers = {"X-CSRF-Token": page.form("/sign-out").fields["csrf"]}
        listed = (await browser.get("/api/v1/effects")).json()["items"]
        assert [each["action_id"] for each in listed] == [action_id]
        shown = (await browser.get(f"/api/v1/effects/{action_id}")).json()
        assert (shown["effect"], shown["may_settle"], shown["arguments"]) == (
            "unknown",
            True,
            {"to": "bob", "amount": 5},
        )
        assert shown["undo"]["kind"] == "before_image"
        asked = await browser.post(f"/api/v1/effects/{action_id}/reconcile", headers=headers)
        assert asked.json()["status"] == "unknown"
        body = {"happened": False, "note": "The till is full"}
        done = await browser.post(f"/api/v1/effects/{action_id}/settle", json=body, headers=headers)
        assert done.json()["status"] == "failed", done.text
        again = await browser.post(f"/api/v1/effects/{action_id}/settle", json=body, headers=headers)
        assert again.status_code == 409
        assert (await browser.get("/api/v1/effects")).json()["items"] == []
        [settled] = (await browser.get("/api/v1/effects", params={"settled": True})).json()["items"]
        assert (settled["happened"], settled["how"]) == (False, "person")
        retried = await browser.post(f"/api/v1/effects/{action_id}/retry", headers=headers)
        assert retried.status_code == 202, retried.text
        assert (await browser.get("/api/v1/effects/run-none:x")).status_code == 404
    await site.world.outcome(run_id, "pay", ActionStatus.DONE)
    await asyncio.sleep(0)


async def test_an_agents_page_says_which_undos_were_seen_to_work(site: Site, ada: Person) -> None:
    world = site.world
    world.publish(CARD + "undo_proof: {within: 90d}\n")
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get("/agents/desk-clerk")).text)
        assert "The undo of desk.note was never seen to work." in page.words
        run_id = await world.start(action("a", "desk.note", text="x"))
        await world.result(run_id)
        begun = await world.gateway.rollback(
            RollbackScope(kind=RollbackScopeKind.RUN, id=run_id), by=ada.acting(Via.WEB), reason="A test"
        )
        await world.client.get_workflow_handle(begun.id).result()
        page = PageReader((await browser.get("/agents/desk-clerk")).text)
        assert "The undo of desk.note was never seen to work." not in page.words
        assert "for real" in page.words
