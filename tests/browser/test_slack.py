"""Linking oneself to Slack, and the queue, in a browser on a phone and on a desk."""

from __future__ import annotations

import importlib.resources
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from assent.domain.people import Role
from assent.store import outbox, slack_people
from assent.store.people import Person
from assent.store.slack_tickets import Purpose, Ticket, Tickets
from tests.browser.conftest import Desktop
from tests.site import KEY

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


async def _violations(page: Page) -> int:
    await page.evaluate(AXE)
    return len((await page.evaluate("axe.run()"))["violations"])


@pytest.mark.parametrize("options", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_slack_user_is_confirmed_and_the_queue_is_retried(
    desktop: Desktop, ada: Person, options: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    ann, now = desktop.site.person("Ann", Role.OPERATOR), datetime.now(UTC)
    database = desktop.site.world.database
    with database.write() as session:
        made = Ticket(Purpose.OPENED_ON_THE_WEB, "", "T0ACME", "U0ANN", "Ann in Slack")
        code = Tickets(KEY).make(session, made, at=now)
        outbox.enqueue(session, "slack", "approval.requested", "ap-1", now)
    [claimed] = outbox.claim_due(database, "slack", at=now, lease=timedelta(0))
    with database.write() as session:
        outbox.mark_failed(session, claimed, retry_at=now + timedelta(days=1), error="channel_not_found")
    page = await desktop.open(ann, f"/system/slack/link/{code}", **options)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Is this you in Slack?")
    assert await _violations(page) == 0
    await page.get_by_role("button", name="Yes, this is me").click()
    await page.wait_for_url("**/system/slack")
    await expect(page.get_by_text("T0ACME/U0ANN")).to_be_visible()
    assert await _violations(page) == 0
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="Try again now").click()
    await page.wait_for_url("**/system/slack")
    assert outbox.claim_due(database, "slack", at=datetime.now(UTC), lease=timedelta(0))
    await page.get_by_role("button", name="Link another Slack user").click()
    await expect(page.get_by_text("/assent link ")).to_be_visible()
    with database.read() as session:
        assert [user.name for user in slack_people.users_of(session, [ann.id])] == ["T0ACME/U0ANN"]
