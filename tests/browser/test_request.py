"""What a person does on the page of one request besides approving and rejecting it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.people import Role, Via
from assent.store.people import Person
from tests.browser.cards import GENEROUS, PROVEN, VETO
from tests.browser.conftest import Desktop
from tests.world import AGENT, action

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
SCREENS = pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])


@SCREENS
async def test_two_people_decide_and_one_takes_it_back(desktop: Desktop, ada: Person, screen: dict[str, Any]) -> None:
    desktop.site.world.publish(GENEROUS)
    waiting = await desktop.site.waiting(amount=900)
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}", **screen)
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.get_by_text("Your vote counts.")).to_be_visible()
    await expect(page.get_by_text("1 of 2 approvals").first).to_be_visible()
    await page.get_by_role("button", name="Take it back").click()
    await expect(page.get_by_text("0 of 2 approvals").first).to_be_visible()
    await expect(page.get_by_text("took it back")).to_be_visible()
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    assert desktop.site.world.desk.done == []
    await desktop.site.world.decide(waiting, Verb.APPROVE)
    await expect(page.get_by_text("Done", exact=True).first).to_be_visible()
    assert desktop.site.world.desk.done == [waiting.action_id]


@SCREENS
async def test_editing_shows_the_difference_first(desktop: Desktop, ada: Person, screen: dict[str, Any]) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}", **screen)
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("link", name="Edit what it asks for…").click()
    await page.get_by_label("amount").fill("none")
    await page.get_by_role("button", name="See what would change").click()
    await expect(page.get_by_label("amount")).to_have_attribute("aria-invalid", "true")
    desktop.complaints.clear()  # Chromium reports the refusal's status, 422.
    await page.get_by_label("amount").fill("35")
    await page.locator("main").get_by_label("Why").fill("Five were paid.")
    await page.get_by_role("button", name="See what would change").click()
    await expect(page.get_by_role("heading", name="Is this what you mean?")).to_be_visible()
    row = page.locator("table.changes tr[data-change=changed]")
    await expect(row).to_contain_text("40")
    await expect(row).to_contain_text("35")
    await page.get_by_role("button", name="Ask for this instead").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Pay 35 to bob")
    await expect(page.get_by_text("This is revision 2.", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Approve", exact=True).click()
    await desktop.site.world.outcome(waiting.action_id.partition(":")[0], "pay", ActionStatus.DONE)
    assert desktop.site.world.desk.balances["bob"] == 35


async def test_who_decides_on_what_was_edited_meanwhile_is_shown_the_difference(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}", java_script_enabled=False)
    gateway = desktop.site.world.gateway
    by = desktop.site.person("Bo Second", Role.APPROVER)
    edit = await gateway.revise(
        waiting.approval_id or "", {"to": "bob", "amount": 4000}, digest=waiting.digest or "", by=by.acting(Via.WEB)
    )
    made = await gateway.edited(edit.id, wait_seconds=60)
    assert made is not None
    assert made.revision == 2
    await page.get_by_role("button", name="Approve", exact=True).click()
    notice = page.get_by_role("alert")
    await expect(notice).to_contain_text("It has changed since you opened it")
    await expect(notice).to_contain_text("Bo Second edited it.")
    await expect(notice.locator("tr[data-change=changed]")).to_contain_text("4000")
    assert desktop.site.world.desk.done == []
    desktop.complaints.clear()  # Chromium reports the refusal's status, 409.


@SCREENS
async def test_asking_the_agent(desktop: Desktop, ada: Person, screen: dict[str, Any]) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}", **screen)
    await page.keyboard.press("c")
    words = page.get_by_label("Your words")
    await expect(words).to_be_focused()
    await words.fill("Which invoice?")
    await page.get_by_role("button", name="Ask the agent", exact=True).click()
    await expect(page.get_by_text("The agent has not answered yet.")).to_be_visible()
    (question,) = await desktop.site.world.gateway.questions(waiting.action_id.partition(":")[0])
    await desktop.site.world.gateway.answer(waiting.approval_id or "", question.id, "<b>4711</b>\u202e", by=AGENT)
    await expect(page.get_by_text("<b>4711</b>")).to_be_visible()
    await expect(page.get_by_text("The agent answers. Nobody has checked it.")).to_be_visible()
    await expect(page.locator("#talk mark")).to_have_text("⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩")


@SCREENS
async def test_approving_from_now_on(desktop: Desktop, ada: Person, screen: dict[str, Any]) -> None:
    world = desktop.site.world
    world.publish(GENEROUS)
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}", **screen)
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("link", name="Approve from now on…").click()
    await page.get_by_label("What it must be").nth(0).select_option("is a number from … to …")
    await page.get_by_label("To", exact=True).nth(0).fill("50")
    await page.get_by_label("How many times").fill("3")
    await page.get_by_role("button", name="See what it would cover").click()
    await expect(page.get_by_text("amount is at most 50")).to_be_visible()
    await page.get_by_role("button", name="Let it run 3 times").click()
    await page.wait_for_url("**granted=*")
    run_id = await world.start(action("pay", "desk.pay", to="bob", amount=12))
    done = await world.outcome(run_id, "pay")
    assert done.status is ActionStatus.DONE
    over = await world.start(action("pay", "desk.pay", to="bob", amount=51))
    await world.outcome(over, "pay", ActionStatus.AWAITING)


async def test_approving_a_whole_plan(desktop: Desktop, ada: Person) -> None:
    world = desktop.site.world
    run_id = await world.start(
        action("one", "desk.pay", to="bob", amount=1), action("two", "desk.pay", to="carol", amount=2)
    )
    first = await world.outcome(run_id, "one", ActionStatus.AWAITING)
    page = await desktop.open(ada, f"/approvals/{first.approval_id}/plan")
    await expect(page.locator(".plan > li")).to_have_count(2)
    await page.get_by_role("button", name="Approve the plan of 2 steps").click()
    await expect(page.get_by_text("The plan is approved")).to_be_visible()
    await world.outcome(run_id, "two", ActionStatus.DONE)
    assert world.desk.done == [f"{run_id}:one", f"{run_id}:two"]


async def test_asking_somebody_else(desktop: Desktop, ada: Person) -> None:
    bo = desktop.site.person("Bo Second", Role.APPROVER)
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}/hand")
    await page.get_by_label("Who", exact=True).select_option(bo.id)
    await page.get_by_label("Let them decide in my place").check()
    await page.get_by_role("button", name="Ask", exact=True).click()
    await expect(page.get_by_text("handed this request to Bo Second").first).to_be_visible()
    await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)


async def test_objecting_to_what_would_run_by_itself(desktop: Desktop, ada: Person) -> None:
    world = desktop.site.world
    world.publish(VETO)
    run_id = await world.start(action("note", "desk.note", text="Bob is owed 40"))
    waiting = await world.outcome(run_id, "note", ActionStatus.AWAITING)
    page = await desktop.open(desktop.site.person("Eva Everyone"), f"/approvals/{waiting.approval_id}")
    await expect(page.get_by_text("unless somebody objects").first).to_be_visible()
    await page.get_by_text("Object…", exact=True).click()
    await page.get_by_label("Why not?").fill("Bob has left.")
    await page.get_by_role("button", name="Object and tell the agent").click()
    ended = await world.outcome(run_id, "note")
    assert ended.status is ActionStatus.REJECTED
    assert ended.message == "Bob has left."


async def test_a_decision_that_needs_a_fresh_proof_leads_there(desktop: Desktop, ada: Person) -> None:
    desktop.site.world.publish(PROVEN)
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}")
    await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    proof = page.get_by_role("link", name="Confirm that it is you…")
    await expect(proof).to_have_attribute("href", f"/account/confirm?next=%2Fapprovals%2F{waiting.approval_id}")


async def test_the_keyboard_goes_through_the_inbox_request_by_request(desktop: Desktop, ada: Person) -> None:
    first = await desktop.site.waiting()
    second = await desktop.site.waiting(to="carol")
    page = await desktop.open(ada, f"/approvals/{first.approval_id}")
    await page.keyboard.press("j")
    await page.wait_for_url(f"**/approvals/{second.approval_id}")
    await page.keyboard.press("k")
    await page.wait_for_url(f"**/approvals/{first.approval_id}")
    await page.keyboard.press("e")
    await page.wait_for_url(f"**/approvals/{first.approval_id}/edit")
    await page.go_back()
    await page.keyboard.press("a")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Next in your inbox: Pay 40 to carol").click()
    await page.wait_for_url(f"**/approvals/{second.approval_id}")
