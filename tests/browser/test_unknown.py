"""Finding out what became of an effect, by keyboard and thumb, with the scripts of the pages and without."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page, expect

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.store.people import Person
from tests.browser.conftest import Desktop
from tests.settling.test_runs import break_off
from tests.world import action

_SHOTS = os.environ.get("SHOTS", "")
"""A folder for pictures of the pages, for whoever wants to look at them."""


async def shot(page: Page, name: str) -> None:
    if _SHOTS:
        await page.screenshot(path=Path(_SHOTS) / f"{name}.png", full_page=True)


async def unknown(desktop: Desktop, *, amount: float = 40) -> str:
    """A payment that people approved and that nobody knows about."""
    world = desktop.site.world
    waiting = await desktop.site.waiting(amount=amount, reason="Bob mended the roof")
    break_off(world.desk)
    await world.decide(waiting, Verb.APPROVE)
    await world.outcome(waiting.action_id.partition(":")[0], "pay", ActionStatus.UNKNOWN)
    return waiting.action_id


async def test_from_the_inbox_to_an_answer(desktop: Desktop, ada: Person) -> None:
    action_id = await unknown(desktop)
    page = await desktop.open(ada)
    task = page.locator("#unknown-tasks")
    await expect(task.get_by_role("heading", name="Did it happen?")).to_be_visible()
    await shot(page, "inbox")
    await task.get_by_role("link", name="Pay 40 to bob").click()
    await expect(page.get_by_role("heading", name="Did it happen?")).to_be_visible()
    await expect(page.get_by_text(action_id, exact=True)).to_be_visible()
    await shot(page, "effect")
    await page.get_by_role("button", name="Ask it now").click()
    await expect(page.get_by_text("The system was asked just now, and cannot say")).to_be_visible()
    await page.get_by_role("radio", name="It happened").check()
    await page.get_by_label("How did you find out?").fill("The bank shows the transfer")
    await page.get_by_label("What the other system calls it").fill("TX-9")
    await shot(page, "effect-answer")
    await page.get_by_role("button", name="Settle it").click()
    await expect(page.get_by_role("heading", name="It happened")).to_be_visible()
    await shot(page, "effect-settled")
    await page.get_by_role("link", name="its run").click()
    await expect(page.locator("#pay").get_by_text("Done", exact=True).first).to_be_visible()
    await page.goto("/effects")
    await expect(page.get_by_role("heading", name="Everything is known")).to_be_visible()
    await shot(page, "effects")


async def test_on_a_phone_in_the_dark_without_scripts(desktop: Desktop, ada: Person) -> None:
    action_id = await unknown(desktop)
    phone = {"width": 320, "height": 640}
    page = await desktop.open(
        ada, f"/effects/{action_id}", viewport=phone, color_scheme="dark", java_script_enabled=False
    )
    assert await page.locator("main").bounding_box() is not None
    wide = await page.locator("main *").evaluate_all(
        "all => Math.max(...all.map(e => e.getBoundingClientRect().right))"
    )
    assert wide <= phone["width"] + 1
    await shot(page, "effect-phone")
    await page.get_by_role("radio", name="It did not happen").check()
    await page.get_by_label("How did you find out?").fill("The bank shows nothing")
    await page.get_by_role("button", name="Settle it").click()
    await expect(page.get_by_role("heading", name="It did not happen")).to_be_visible()
    await shot(page, "effect-phone-settled")


async def test_an_action_that_did_not_happen_is_tried_again(desktop: Desktop, ada: Person) -> None:
    world = desktop.site.world
    break_off(world.desk, happens=False)
    run_id = await desktop.site.open_run([action("tip", "desk.tip", to="bob", amount=5)])
    page = await desktop.open(ada, f"/runs/{run_id}")
    await page.get_by_role("link", name="Find out whether it happened").click()
    await page.get_by_role("radio", name="It did not happen").check()
    await page.get_by_label("How did you find out?").fill("The till is full")
    await page.get_by_role("button", name="Settle it").click()
    await page.get_by_role("button", name="Try it again").click()
    await expect(page.locator("#tip").get_by_text("Done", exact=True).first).to_be_visible()
    await shot(page, "run-tried-again")
    assert world.desk.done == [f"{run_id}:tip"]
    await page.goto("/agents/desk-clerk")
    await expect(page.get_by_role("heading", name="Whether undoing it works")).to_be_visible()
    await shot(page, "agent")
