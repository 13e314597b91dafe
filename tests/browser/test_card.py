"""The content of a request in a browser: every section, on a phone and at a desk, and all of it as text."""

from __future__ import annotations

import pytest

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import Verb
from assent.store.people import Person
from tests.browser.conftest import Desktop
from tests.browser.test_looking import OPEN_ALL, SCREENS, _faults
from tests.world import action

SECTIONS = [
    "What changes",
    "Why it stopped",
    "How it is undone",
    "Who decides",
    "What the agent says",
    "What it was asked",
    "What it looked at",
    "Earlier decisions on the same record",
]


@pytest.mark.parametrize("screen", ["desktop, light", "phone, dark"])
async def test_a_card_with_much_to_say(desktop: Desktop, ada: Person, screen: str) -> None:
    site = desktop.site
    before = await site.waiting(to="bob", amount=7)
    await site.world.decide(before, Verb.REJECT, reason="Bob is on holiday.")
    await site.world.result(before.action_id.partition(":")[0])
    run_id = await site.world.start(
        action("look", "desk.read", text="the ledger"),
        ProposedAction(
            key="pay",
            type="desk.pay",
            arguments={"to": "bob", "amount": 40.5},
            reason="Trust me\u202e, he did the work.",
        ),
        goal="Pay the plumber",
        received={"invoice": "No. 12 " * 2_000},
    )
    outcome = await site.world.outcome(run_id, "pay", ActionStatus.AWAITING)
    page = await desktop.open(ada, f"/approvals/{outcome.approval_id}", **SCREENS[screen])
    headings = await page.locator("#request h2").all_inner_texts()
    assert [each for each in headings if each in SECTIONS] == SECTIONS
    await page.evaluate(OPEN_ALL)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await _faults(page) == []
    assert await page.locator("#request mark").first.inner_text() == "⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩"
    address = await page.get_by_role("link", name="Everything as plain text").get_attribute("href")
    text = await (await page.request.get(f"{desktop.address}{address}")).text()
    assert text.startswith("Pay 40.50 to bob\n\nIN SHORT\n")
    assert "more characters" in text
