"""A standing grant from the browser: seen in use, live, and revoked with one click more than by accident."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from assent.domain.actions import ActionStatus
from assent.domain.people import Role, Via
from assent.store.people import Person
from tests.browser.conftest import Desktop
from tests.browser.test_looking import OPEN_ALL, SCREENS, _faults
from tests.pages.test_grants import given
from tests.site import HOSTILE
from tests.world import AGENT, action

PHONE = {"viewport": {"width": 390, "height": 844}}


async def test_watching_and_revoking_a_grant(desktop: Desktop, ada: Person) -> None:
    world = desktop.site.world
    await given(desktop.site, ada, note="Lunch money")
    page = await desktop.open(ada, "/agents", **PHONE)
    await page.get_by_role("link", name="Standing grants").click()
    await page.get_by_role("link", name="desk.pay").click()
    await expect(page.get_by_text("It has not covered anything yet.")).to_be_visible()
    run_id = await desktop.site.open_run([])
    outcome = await world.gateway.propose(run_id, action("a", "desk.pay", to="bob", amount=5), by=AGENT)
    assert outcome.status is ActionStatus.DONE
    await expect(page.get_by_text("Pay 5 to bob")).to_be_visible()
    await expect(page.get_by_text("1 of 3")).to_be_visible()
    await page.get_by_text("Revoke…").click()
    await page.locator("main").get_by_label("Why?").fill("Enough")
    await page.get_by_role("button", name="Revoke it").click()
    await expect(page.get_by_text("“Enough”")).to_be_visible()
    outcome = await world.gateway.propose(run_id, action("b", "desk.pay", to="bob", amount=5), by=AGENT)
    assert outcome.status is ActionStatus.AWAITING


@pytest.mark.parametrize("screen", ["desktop, light", "phone, dark", "smallest", "zoomed to 200 %"])
async def test_pages_of_grants_hold_on_every_screen(desktop: Desktop, ada: Person, screen: str) -> None:
    site = desktop.site
    run_id = await site.world.start(*(action(f"s{n}", "desk.pay", to="zoe", amount=n + 60) for n in range(2)))
    await site.world.outcome(run_id, "s0", ActionStatus.AWAITING)
    offer = await site.world.gateway.plan_offer(run_id)
    assert offer is not None
    made = await site.world.gateway.approve_plan(run_id, digest=offer.digest, by=ada.acting(Via.WEB), reason=HOSTILE)
    await site.world.result(run_id)
    hostile = await given(site, ada, to=HOSTILE, note=HOSTILE * 20)
    pending = await given(site, site.person("Pat One", Role.APPROVER), count=2)
    page = await desktop.open(ada, **SCREENS[screen])
    addresses = [f"/grants/{hostile.id}", f"/grants/{pending.id}", f"/plans/{made.plan_approval_id}"]
    for address in ("/", "/grants", "/grants?status=revoked", "/agents/desk-clerk", *addresses):
        await page.goto(address)
        await page.evaluate(OPEN_ALL)
        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{address} is {wider} px wider than the screen"
        assert await _faults(page) == [], address
