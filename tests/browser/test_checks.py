"""Catching and missing a seeded check, with a mouse and with a thumb."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from assent.store.people import Person
from assent.store.tables import OpeningRow
from assent_activities import seeding
from tests.browser.conftest import Desktop
from tests.quality.seeded import shown

SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


@pytest.fixture(autouse=True)
def every_request_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "drawn", lambda seed, one_in: True)
    monkeypatch.setattr("assent.runtime.worker.seeding.seed", lambda database, now, channels: 0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("catches", [True, False], ids=["caught", "missed"])
async def test_a_check_is_told_at_once(desktop: Desktop, ada: Person, size: str, catches: bool) -> None:
    check = await shown(desktop.site, ada)
    page = await desktop.open(ada, **SIZES[size])
    await page.get_by_role("link", name="Pay 800 to carol").first.click()
    if size == "phone":
        await page.wait_for_url(f"**/approvals/{check.id}")
    await expect(page.get_by_role("heading", name="Pay 800 to carol")).to_be_visible()
    if catches:
        await page.get_by_text("Reject…").click()
        await page.get_by_label("Why not?").fill("That is far too much.")
        await page.get_by_role("button", name="Reject and tell the agent").click()
        await expect(page.get_by_text("That was a check, and you caught it")).to_be_visible()
    else:
        await page.get_by_role("button", name="Approve", exact=True).click()
        await expect(page.get_by_text("That was a check, and it got past you")).to_be_visible()
    await expect(page.get_by_text("It is twenty times what was agreed.")).to_be_visible()
    wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0
    assert len(desktop.site.world.desk.done) == 1
    await page.goto("/")
    await expect(page.get_by_role("link", name="Pay 800 to carol")).to_have_count(0)


async def test_the_script_counts_only_what_was_in_sight(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}")
    await page.wait_for_timeout(1_500)
    hide = "Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true })"
    await page.evaluate(f"{hide}; document.dispatchEvent(new Event('visibilitychange'))")
    await page.wait_for_timeout(3_000)
    digest = await page.locator("#decide input[name=digest]").input_value()
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.get_by_text("Approved by Ada Admin")).to_be_visible()
    opened = desktop.site.world.row(OpeningRow, (waiting.approval_id, digest, ada.id))
    assert opened.measured == "visible"
    assert opened.seconds is not None
    assert opened.seconds >= 1
    row = desktop.site.world.approval(waiting.approval_id or "")
    assert row.decided_at is not None
    assert opened.seconds <= (row.decided_at - opened.at).total_seconds() - 2.5
