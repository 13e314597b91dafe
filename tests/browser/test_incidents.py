"""An incident in a browser: opened from a run, stopped from its page, told of, and followed live by somebody else."""

from __future__ import annotations

from playwright.async_api import expect

from assent.domain.approvals import Verb
from assent.domain.people import Role
from assent.store.people import Person
from tests.browser.conftest import Desktop


async def test_an_incident_from_a_run(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    run_id = waiting.action_id.partition(":")[0]
    await desktop.site.world.decide(waiting, Verb.APPROVE)
    await desktop.site.world.result(run_id)
    watching = await desktop.open(desktop.site.person("Aud Auditor", Role.AUDITOR), "/incidents")
    await expect(watching.get_by_text("No incident yet")).to_be_visible()
    page = await desktop.open(ada, f"/runs/{run_id}", viewport={"width": 360, "height": 740})
    await page.get_by_role("button", name="Open an incident").click()
    await expect(page.get_by_role("heading", name="Run Pay bob")).to_be_visible()
    await expect(watching.get_by_role("link", name="Run Pay bob")).to_be_visible()
    await expect(watching.get_by_role("link", name="Incidents 1 open")).to_be_visible()
    button = page.get_by_role("button", name="Stop it because of this")
    await expect(button).not_to_be_focused()
    await button.click()
    await expect(page.get_by_text("Agent desk-clerk is paused")).to_be_visible()
    await expect(page.get_by_text("From open to stopped")).to_be_visible()
    await expect(watching.get_by_text("Stopped", exact=True)).to_be_visible()
    text = page.get_by_label("Text (drafted from the facts")
    assert "Nothing is undone yet; 1 effect stands." in await text.input_value()
    await text.fill("We are on it.")
    await page.get_by_role("button", name="Keep it, I send it myself").click()
    await expect(page.get_by_text("changed before it was sent")).to_be_visible()
    await page.get_by_role("link", name="Find records…").click()
    await page.get_by_label("By", exact=True).select_option("table")
    await page.get_by_label("Name or id").fill("desk")
    await page.get_by_role("button", name="Find", exact=True).click()
    await page.get_by_role("button", name="Add all these records").click()
    await expect(page.get_by_role("link", name="desk/bob")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="CSV").click()
    assert (await download.value).suggested_filename.endswith(".csv")
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
