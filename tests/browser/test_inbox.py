"""The inbox with many requests: filters, saved views, alike ones, several decided together, and live updates."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.people import Role
from assent.store.people import Person
from tests.browser.conftest import Desktop

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_several_are_decided_together(desktop: Desktop, ada: Person, screen: dict[str, Any]) -> None:
    asked = [await desktop.site.waiting(to=name) for name in ("bob", "carol", "dora")]
    page = await desktop.open(ada, **screen)
    for name in ("bob", "dora"):
        await page.get_by_role("checkbox", name=f"Choose: Pay 40 to {name}").check()
    await expect(page.get_by_text("2 ticked")).to_be_visible()
    await page.get_by_role("button", name="Decide the ticked ones…").click()
    await expect(page.get_by_role("heading", name="Decide 2 requests together")).to_be_visible()
    await expect(page.get_by_text("Pay 40 to carol")).to_have_count(0)
    await page.get_by_role("button", name="Approve the ticked ones").click()
    await expect(page.get_by_role("heading", name="2 of 2 sent")).to_be_visible()
    for outcome in (asked[0], asked[2]):
        await desktop.site.world.outcome(outcome.action_id.partition(":")[0], "pay", ActionStatus.DONE)
    assert desktop.site.world.approval(asked[1].approval_id or "").status == "pending"


async def test_alike_requests_are_ticked_at_once_and_rejected_with_one_reason(desktop: Desktop, ada: Person) -> None:
    asked = [await desktop.site.waiting(to=name) for name in ("bob", "carol")]
    page = await desktop.open(ada, "/?alike=yes")
    await expect(page.get_by_role("heading", name="desk.pay by desk-clerk")).to_be_visible()
    await page.get_by_label("Choose these 2").check()
    await page.get_by_role("button", name="Decide the ticked ones…").click()
    await page.get_by_text("Reject…", exact=True).click()
    await page.get_by_role("button", name="Reject the ticked ones").click()
    await expect(page.get_by_text("A rejection needs a reason.")).to_be_visible()
    desktop.complaints.clear()  # Chromium reports the refusal's status, 422.
    await page.get_by_label("Why not?").fill("Not this month.")
    await page.get_by_role("button", name="Reject the ticked ones").click()
    await expect(page.get_by_role("heading", name="2 of 2 sent")).to_be_visible()
    for outcome in asked:
        ended = await desktop.site.world.outcome(outcome.action_id.partition(":")[0], "pay")
        assert (ended.status, ended.message) == (ActionStatus.REJECTED, "Not this month.")


async def test_filters_and_search_narrow_and_a_view_keeps_them(desktop: Desktop, ada: Person) -> None:
    await desktop.site.waiting(amount=3)
    await desktop.site.waiting(to="carol", amount=300)
    page = await desktop.open(ada)
    await page.get_by_text("Filter and sort").click()
    await page.get_by_label("Amount from").fill("100")
    await page.get_by_label("Order").select_option("Largest amount")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(_rows(page)).to_have_count(1)
    await expect(_rows(page)).to_contain_text("Pay 300 to carol")
    await page.get_by_text("Save this view…").click()
    await page.get_by_label("Name").fill("Big ones")
    await page.get_by_role("button", name="Save", exact=True).click()
    view = page.get_by_role("navigation", name="Whose requests").get_by_role("link", name="Big ones")
    await expect(view).to_have_attribute("aria-current", "true")
    address = await view.get_attribute("href")
    await page.get_by_role("link", name="Without the filter 100 or more").click()
    await expect(_rows(page)).to_have_count(2)
    await page.get_by_role("searchbox").fill("carol")
    await page.keyboard.press("Enter")
    await expect(_rows(page)).to_have_count(1)
    # Somebody else follows the link.
    other = await desktop.open(desktop.site.person("Bo Other", Role.APPROVER), address or "")
    await expect(other.get_by_text("Big ones of Ada Admin")).to_be_visible()
    await expect(_rows(other)).to_have_count(1)
    await page.goto(address or "")
    await page.get_by_role("button", name="Remove the view").click()
    await expect(view).to_have_count(0)


async def test_a_request_that_somebody_decides_stays_where_it_is_and_says_so(desktop: Desktop, ada: Person) -> None:
    first = await desktop.site.waiting()
    await desktop.site.waiting(to="carol")
    page = await desktop.open(ada)
    second = _rows(page).nth(1)
    before = await second.bounding_box()
    await desktop.site.world.decide(first, Verb.APPROVE)
    row = _rows(page).nth(0)
    await expect(row).to_contain_text("decided just now")
    await expect(row).to_contain_text("Approved")
    await expect(row.get_by_role("checkbox")).to_have_count(0)
    after = await second.bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=24)
    await page.reload()
    await expect(page.locator("#waiting section").first.locator("li[data-key]")).to_have_count(1)


async def test_the_keyboard_ticks_and_shows_its_keys(desktop: Desktop, ada: Person) -> None:
    await desktop.site.waiting()
    await desktop.site.waiting(to="carol")
    page = await desktop.open(ada)
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.get_by_role("checkbox", name="Choose: Pay 40 to carol")).to_be_checked()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Keys")).not_to_be_visible()
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()


def _rows(page: Page) -> Locator:
    return page.locator("#waiting .rows[data-keys] > li")
