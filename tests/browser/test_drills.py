"""Holding a drill from an agent's page, and watching it to its end."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page, expect

from assent.domain.people import Role
from assent.store.people import Person
from tests.browser.conftest import Desktop
from tests.desk import CARD

DRILLED = f"{CARD}drills: {{every: 30d, runs: 2}}\n"


async def test_a_drill_from_the_button_to_its_record(desktop: Desktop, ada: Person) -> None:
    desktop.site.world.publish(DRILLED)
    page = await desktop.open(ada, "/agents/desk-clerk")
    await expect(page.get_by_text("No drill was held yet")).to_be_visible()
    await _pictured(page, "agent-before")
    await page.get_by_role("button", name="Hold a drill on a scratch copy").click()
    await page.wait_for_url("**/drills/drill-*")
    await expect(page.get_by_role("heading", name="Drill of desk-clerk")).to_be_visible()
    await _pictured(page, "under-way")
    await expect(page.get_by_text("Stopping and undoing work")).to_be_visible()
    await expect(page.locator(".drill-steps li")).to_have_count(9)
    await _pictured(page, "passed")
    for scheme in ("dark", "light"):
        phone = await desktop.open(
            ada, page.url, viewport={"width": 320, "height": 700}, color_scheme=scheme, has_touch=True
        )
        wide = await phone.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320
        await _pictured(phone, f"phone-{scheme}")
    await page.goto("/drills")
    await expect(page.locator("#drills li")).to_have_count(1)
    await _pictured(page, "list")
    await page.goto("/agents/desk-clerk")
    await expect(page.locator("#drilled").get_by_text("Passed")).to_be_visible()
    await _pictured(page, "agent-after")
    await page.goto("/runs")
    await expect(page.get_by_text("Nothing has run yet")).to_be_visible()


async def test_who_may_not_hold_drills_sees_them(desktop: Desktop) -> None:
    approver = desktop.site.person("Vera Viewer", Role.APPROVER)
    page = await desktop.open(approver, "/drills?agent=desk-clerk")
    await expect(page.get_by_role("heading", name="No drill was held yet")).to_be_visible()
    await expect(page.get_by_role("button", name="Hold a drill on a scratch copy")).to_have_count(0)


async def _pictured(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at it."""
    folder = os.environ.get("PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
