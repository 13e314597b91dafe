"""Stopping, resuming, undoing and watching."""

from __future__ import annotations

from playwright.async_api import expect

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import SYSTEM
from assent.store.people import Person
from tests.browser.conftest import Desktop
from tests.world import AGENT, action


async def test_a_timeline_grows_and_what_is_open_stays_open(desktop: Desktop, ada: Person) -> None:
    world = desktop.site.world
    run_id = await desktop.site.open_run([action("first", "desk.note", text="milk")])
    page = await desktop.open(ada, f"/runs/{run_id}")
    first = page.locator("#first")
    await first.locator("summary").first.click()
    await first.get_by_text("The whole call").click()
    await expect(first.locator("#call-first .raw")).to_be_visible()
    await world.gateway.propose(run_id, action("second", "desk.note", text="honey"), by=AGENT)
    await expect(page.get_by_text("Write down honey")).to_be_visible()
    await expect(first.locator("#call-first .raw")).to_be_visible()
    await world.gateway.end_run(run_id, by=AGENT, summary="Noted all.")
    await expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    await expect(page.get_by_text("Noted all.")).to_be_visible()


async def test_undo_a_run(desktop: Desktop, ada: Person) -> None:
    world = desktop.site.world
    waiting = await desktop.site.waiting()
    run_id = waiting.action_id.partition(":")[0]
    await world.decide(waiting, Verb.APPROVE)
    await world.result(run_id)
    page = await desktop.open(ada, f"/runs/{run_id}")
    await page.get_by_role("button", name="Undo what it did…").click()
    await expect(page.get_by_role("heading", name="1 effect can be undone")).to_be_visible()
    assert world.desk.undone == []
    button = page.get_by_role("button", name="Undo 1 effect")
    await expect(button).not_to_be_focused()
    await button.click()
    await expect(page.get_by_role("heading", name="1 effect undone")).to_be_visible()
    assert len(world.desk.undone) == 1
    await page.goto(f"/runs/{run_id}")
    await expect(page.locator("#pay").get_by_text("Undone", exact=True).first).to_be_visible()


async def test_undo_works_while_everything_is_paused(desktop: Desktop, ada: Person) -> None:
    world = desktop.site.world
    run_id = await desktop.site.finished("milk")
    await world.gateway.pause(Scope(kind=ScopeKind.EVERYTHING), by=SYSTEM, cause="Trouble")
    page = await desktop.open(ada, f"/rollbacks/new?scope=run&id={run_id}")
    await page.get_by_role("button", name="Look at what can be undone").click()
    await page.get_by_role("button", name="Undo 1 effect").click()
    await expect(page.get_by_role("heading", name="1 effect undone")).to_be_visible()
    await expect(page.get_by_text("Everything is paused")).to_be_visible()


async def test_runs_are_filtered_and_followed(desktop: Desktop, ada: Person) -> None:
    await desktop.site.finished("milk")
    page = await desktop.open(ada, "/runs")
    await expect(page.locator("#runs [data-row]")).to_have_count(1)
    waiting = await desktop.site.waiting()
    await expect(page.locator("#runs [data-row]")).to_have_count(2)
    await expect(page.locator("#runs [data-key]").first).to_contain_text("Waiting")
    await page.get_by_role("link", name="Completed", exact=True).click()
    await expect(page.locator("#runs [data-row]")).to_have_count(1)
    await page.get_by_role("link", name="Waiting", exact=True).click()
    await page.wait_for_url("**/runs?status=waiting")
    await page.keyboard.press("j")
    await expect(page.locator("#runs [data-row]")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/runs/{waiting.action_id.partition(':')[0]}")
    await desktop.site.world.outcome(waiting.action_id.partition(":")[0], "pay", ActionStatus.AWAITING)
