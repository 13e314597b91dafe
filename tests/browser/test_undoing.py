"""Undoing in a real browser: chosen, looked at, confirmed, watched, and what is left dealt with."""

from __future__ import annotations

import threading

from playwright.async_api import Page, expect

from assent.store.people import Person
from tests.browser.conftest import Desktop
from tests.world import action


async def _tips(desktop: Desktop, *people: str) -> list[str]:
    runs = []
    for to in people:
        runs.append(await desktop.site.world.start(action("tip", "desk.tip", to=to, amount=2), goal=f"Tip {to}"))
        await desktop.site.world.result(runs[-1])
    return runs


async def _look(page: Page) -> None:
    """From any page to the preview of the agent's last hour."""
    await page.get_by_role("link", name="Undo", exact=True).click()
    await page.get_by_role("button", name="Look at what can be undone").click()
    await page.wait_for_url("**/rollbacks/preview-*")


async def test_a_mass_undo_with_one_conflict_to_its_end(desktop: Desktop, ada: Person) -> None:
    await _tips(desktop, "bob", "carol", "dora")
    desktop.site.world.desk.balances["carol"] = 1
    page = await desktop.open(ada)
    await _look(page)
    await expect(page.get_by_role("heading", name="2 effects can be undone")).to_be_visible()
    await expect(page.get_by_role("img", name="Will be undone: 2, changed since: 1.")).to_be_visible()
    await page.get_by_role("link", name="Changed since 1").click()
    await expect(page.get_by_text("carol has spent some of it.")).to_be_visible()
    await expect(page.get_by_text("Tip bob with 2")).to_have_count(0)
    button = page.get_by_role("button", name="Undo 2 effects")
    await expect(button).not_to_be_focused()
    await page.get_by_label("Why?").last.fill("A wrong list.")
    await button.click()
    await expect(page.get_by_role("heading", name="2 effects undone, 1 left for a person")).to_be_visible()
    await page.get_by_text("Try again, resolved by hand, accept it…").click()
    one = page.locator("li", has_text="Tip carol")
    await one.get_by_label("What was done by hand").fill("Asked carol.")
    await one.get_by_role("button", name="Resolved by hand").click()
    await expect(page.get_by_role("heading", name="2 effects undone, 1 settled by people")).to_be_visible()
    await expect(page.get_by_text("Over and done")).to_be_visible()


async def test_progress_lives_and_a_rollback_is_held_by_keyboard(desktop: Desktop, ada: Person) -> None:
    await _tips(desktop, *(f"p{number}" for number in range(5)))
    reached, go = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        reached.set()
        go.wait(60)

    desktop.site.world.desk.undo_trouble = wait
    page = await desktop.open(ada)
    await _look(page)
    await page.get_by_role("button", name="Undo 5 effects").press("Enter")
    await expect(page.get_by_role("heading", name="Undoing 5 effects")).to_be_visible()
    await desktop.site.world.eventually(reached.is_set)
    await page.get_by_role("button", name="Hold it").press("Enter")
    await expect(page.get_by_role("button", name="Let it go on")).to_be_visible()
    go.set()
    await page.get_by_role("button", name="Let it go on").press("Enter")
    await expect(page.get_by_role("heading", name="5 effects undone")).to_be_visible()
    assert len(desktop.site.world.desk.undone) == 5


async def test_a_record_is_found_and_undone_on_a_phone(desktop: Desktop, ada: Person) -> None:
    await _tips(desktop, "bob", "carol")
    page = await desktop.open(ada, "/undo?kind=record", viewport={"width": 320, "height": 640})
    await page.get_by_label("Which record?").fill("bo")
    await page.get_by_role("button", name="Find it").click()
    await page.get_by_role("link", name="desk/bob").click()
    await page.get_by_role("button", name="Undo what agents did to it…").click()
    await page.get_by_role("button", name="Undo 1 effect").click()
    await expect(page.get_by_role("heading", name="1 effect undone")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert desktop.site.world.desk.balances == {"bob": 0, "carol": 2}
