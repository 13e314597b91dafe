"""From a mail to a decision, in a browser where nobody is signed in: the link, the request, a proof, the effect."""

from __future__ import annotations

import importlib.resources
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from assent.domain.actions import ActionStatus
from assent.domain.people import SYSTEM, Role
from assent.gateway import utc_now
from assent.reaching.mailer import Mailer
from assent.store import approvals, passwords
from assent.store.mail_links import MailLinks
from tests.browser.cards import PROVEN
from tests.browser.conftest import PATIENCE, Desktop
from tests.reaching.bureau import deliver
from tests.reaching.mail_host import html_of, link_of, mail_host
from tests.site import KEY

PASSWORD = "four words make one"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"}
AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


async def _violations(page: Page) -> int:
    await page.evaluate(AXE)
    return len((await page.evaluate("axe.run()"))["violations"])


@pytest.mark.parametrize("options", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_mail_leads_to_the_request_and_the_card_asks_for_proof(
    desktop: Desktop, options: dict[str, object]
) -> None:
    world, bea = desktop.site.world, desktop.site.person("Bea Busy", Role.APPROVER)
    world.publish(PROVEN)
    with world.database.write() as session:
        passwords.keep(session, bea, passwords.hashed(PASSWORD), at=datetime.now(UTC), by=SYSTEM)
    waiting = await desktop.site.waiting()
    assert waiting.approval_id is not None
    with world.database.write() as session:
        approvals.notify(session, ["mail"], approvals.REQUESTED, waiting.approval_id, datetime.now(UTC))
    async with mail_host() as host:
        mailer = Mailer(
            host.server(),
            world.database,
            MailLinks(KEY),
            public_url=desktop.address,
            link_lifetime=timedelta(hours=24),
            clock=utc_now,
        )
        await deliver(mailer)
        [mail] = host.to(bea.email)
    context = await desktop.browser.new_context(base_url=desktop.address, reduced_motion="reduce", **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    await page.set_content(html_of(mail))
    assert await page.get_by_role("link").count() == 1
    assert await page.get_by_role("link").get_attribute("href") == f"{desktop.address}{link_of(mail)}"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.goto(link_of(mail))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Open the request as Bea Busy")
    assert await _violations(page) == 0
    await page.get_by_role("button", name="Open the request").click()
    await page.wait_for_url(f"**/approvals/{waiting.approval_id}")
    await page.get_by_role("link", name="Confirm that it is you…").click()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Confirm").click()
    await page.wait_for_url(f"**/approvals/{waiting.approval_id}")
    await page.get_by_role("button", name="Approve", exact=True).click()
    outcome = await world.outcome(waiting.action_id.partition(":")[0], "pay", ActionStatus.DONE)
    assert outcome.status is ActionStatus.DONE
    again = await context.browser.new_context(base_url=desktop.address) if context.browser else context
    second = await again.new_page()
    await second.goto(link_of(mail))
    await expect(second.get_by_text("This link was used before; it works once.")).to_be_visible()
    assert await _violations(second) == 0
