"""Deciding with mouse, keyboard and thumb, while things go on."""

from __future__ import annotations

from playwright.async_api import Page, expect

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.store.people import Person
from tests.browser.conftest import Desktop


async def test_the_keyboard_alone_approves(desktop: Desktop, ada: Person) -> None:
    first = await desktop.site.waiting()
    second = await desktop.site.waiting(to="carol")
    page = await desktop.open(ada)
    pane = page.get_by_label("The chosen request")
    await expect(pane.get_by_role("heading", level=1)).to_have_text("Pay 40 to bob")
    await page.keyboard.press("j")
    await expect(pane.get_by_role("heading", level=1)).to_have_text("Pay 40 to carol")
    await page.keyboard.press("k")
    await expect(pane.get_by_role("heading", level=1)).to_have_text("Pay 40 to bob")
    await page.keyboard.press("a")
    await expect(page.get_by_role("button", name="Approve", exact=True)).to_be_focused()
    assert desktop.site.world.desk.done == []
    await page.keyboard.press("Enter")
    await desktop.site.world.outcome(_run(first.action_id), "pay", ActionStatus.DONE)
    await expect(page.get_by_role("status").get_by_text("Approved", exact=True)).to_be_visible()
    await expect(pane.get_by_role("heading", level=1)).to_have_text("Pay 40 to carol")
    assert desktop.site.world.approval(second.approval_id or "").status == "pending"


async def test_the_keyboard_alone_rejects(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada)
    await page.keyboard.press("r")
    reason = page.get_by_label("Why not?")
    await expect(reason).to_be_focused()
    await page.keyboard.type("jkar is no key here")
    await page.keyboard.press("Escape")
    await expect(reason).not_to_be_visible()
    await page.keyboard.press("r")
    await expect(reason).to_have_value("jkar is no key here")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    outcome = await desktop.site.world.outcome(_run(waiting.action_id), "pay")
    assert outcome.status is ActionStatus.REJECTED
    assert outcome.message == "jkar is no key here"


async def test_enter_opens_the_chosen_request(desktop: Desktop, ada: Person) -> None:
    await desktop.site.waiting()
    second = await desktop.site.waiting(to="carol")
    page = await desktop.open(ada)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/approvals/{second.approval_id}")


async def test_rejecting_without_a_reason_says_so_and_then_works(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}")
    await page.get_by_text("Reject…").click()
    await page.get_by_role("button", name="Reject and tell the agent").click()
    await expect(page.get_by_text("A rejection needs a reason.")).to_be_visible()
    desktop.complaints.clear()  # Chromium reports the refusal's status, 422.
    await page.get_by_label("Why not?").fill("Bob was paid yesterday.")
    await page.get_by_role("button", name="Reject and tell the agent").click()
    await expect(page.get_by_text("Rejected by Ada Admin")).to_be_visible()
    await expect(page.get_by_text("The agent was told. Nothing was changed.")).to_be_visible()


async def test_what_happens_next_is_seen_without_reloading(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}")
    await expect(page.get_by_text("Waits for a decision")).to_be_visible()
    await desktop.site.world.decide(waiting, Verb.APPROVE)
    await expect(page.get_by_text("Approved by Ann Approver")).to_be_visible()
    await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    await expect(page.locator(".notice").get_by_text("Done", exact=True)).to_be_visible()


async def test_nothing_jumps_and_new_requests_are_announced(desktop: Desktop, ada: Person) -> None:
    await desktop.site.waiting()
    page = await desktop.open(ada)
    row = page.locator("#waiting [data-row]").first
    await row.focus()
    before = await row.bounding_box()
    await desktop.site.waiting(to="carol")
    await expect(page.get_by_role("heading", name="2 requests wait for you")).to_be_visible()
    news = page.get_by_role("link", name="1 new request. Show")
    await expect(news).to_be_visible()
    await expect(page.locator("#waiting [data-row]")).to_have_count(1)
    await expect(row).to_be_focused()
    assert await row.bounding_box() == before
    await news.click()
    await expect(page.locator("#waiting [data-row]")).to_have_count(2)


async def test_what_is_being_typed_is_left_alone(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}")
    await page.get_by_text("Reject…").click()
    reason = page.get_by_label("Why not?")
    await reason.fill("Because it is")
    await desktop.site.world.decide(waiting, Verb.REJECT, reason="Quicker.")
    await desktop.site.world.outcome(_run(waiting.action_id), "pay", ActionStatus.REJECTED)
    await _looked_again(page)
    await expect(reason).to_have_value("Because it is")
    await page.get_by_role("button", name="Reject and tell the agent").click()
    await expect(page.get_by_text("Somebody else was quicker")).to_be_visible()
    desktop.complaints.clear()  # Chromium reports the refusal's status, 409.


async def test_without_scripts(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, java_script_enabled=False)
    await page.get_by_role("link", name="Pay 40 to bob").click()
    await page.get_by_role("button", name="Approve", exact=True).click()
    await desktop.site.world.outcome(_run(waiting.action_id), "pay", ActionStatus.DONE)
    await expect(page.get_by_text("Approved by Ada Admin")).to_be_visible()


async def test_under_the_thumb_on_a_phone(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting(reason="A long story. " * 200)
    size = {"width": 390, "height": 844}
    page = await desktop.open(ada, viewport=size, has_touch=True, is_mobile=True)
    await page.get_by_role("link", name="Pay 40 to bob").tap()
    await page.wait_for_url(f"**/approvals/{waiting.approval_id}")
    for name in ("Approve", "Reject…"):
        box = await page.get_by_text(name, exact=True).bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] > size["height"] * 0.75
        assert box["y"] + box["height"] <= size["height"]
    await page.get_by_role("button", name="Approve", exact=True).tap()
    await desktop.site.world.outcome(_run(waiting.action_id), "pay", ActionStatus.DONE)
    await expect(page.get_by_text("Approved by Ada Admin")).to_be_visible()
    await expect(page.get_by_text("Your decision was accepted.")).to_have_count(0)


async def _looked_again(page: Page) -> None:
    """Wait until the page has taken an event in: the count beside Inbox is gone."""
    await expect(page.locator("#waiting-count .count")).to_have_count(0)


def _run(action_id: str) -> str:
    return action_id.partition(":")[0]
