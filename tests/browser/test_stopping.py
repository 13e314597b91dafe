"""The kill switch as people use it: from any page in two taps, by keyboard, without scripts, watched live."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.pauses import Disposition, ResumeAnswers, Scope, ScopeKind
from assent.domain.people import Role, Via
from assent.store.people import Person
from assent_activities.connectors import ActionFailed, Call
from tests.browser.conftest import Desktop
from tests.browser.test_looking import OPEN_ALL, SCREENS, _faults
from tests.desk import CARD
from tests.site import HOSTILE


async def test_stop_from_a_run_and_resume(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    run_id = waiting.action_id.partition(":")[0]
    watching = await desktop.open(ada, "/")
    page = await desktop.open(ada, f"/runs/{run_id}")
    control = page.locator("#stop-menu > summary")
    await control.click()
    button = page.get_by_role("button", name="Stop it now")
    await expect(button).not_to_be_focused()
    await page.get_by_role("radio", name="Agent desk-clerk").check()
    await page.get_by_label("Why?").fill("It pays too much.")
    await button.click()
    await expect(page.get_by_role("heading", name="1 pause in force")).to_be_visible()
    await expect(watching.get_by_text("Agent desk-clerk is paused")).to_be_visible()
    await expect(page.get_by_text("At rest", exact=True).first).to_be_visible()
    await desktop.site.world.decide(waiting, Verb.APPROVE)
    await expect(page.get_by_text("1 action held")).to_be_visible()
    await expect(page.get_by_text("waits for this pause alone")).to_be_visible()
    await page.get_by_text("Resume…").click()
    await page.get_by_label("What was the cause?").fill("A wrong limit.")
    await page.get_by_label("What was changed?").fill("It is 50 now.")
    await page.get_by_role("button", name="Let agent desk-clerk go on").click()
    await expect(page.get_by_role("heading", name="Nothing is stopped")).to_be_visible()
    await expect(watching.get_by_text("Agent desk-clerk is paused")).to_have_count(0)
    await desktop.site.world.outcome(run_id, "pay", ActionStatus.DONE)


async def test_what_is_being_typed_stays_while_the_page_changes(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    await desktop.site.world.gateway.pause(Scope(kind=ScopeKind.EVERYTHING), by=ada.acting(Via.WEB))
    page = await desktop.open(ada, "/stop")
    await page.get_by_text("Resume…").click()
    await page.get_by_label("What was the cause?").fill("Half a sen")
    await desktop.site.world.decide(waiting, Verb.APPROVE)
    await desktop.site.world.outcome(waiting.action_id.partition(":")[0], "pay", ActionStatus.HELD)
    await page.wait_for_timeout(2_500)
    await expect(page.get_by_label("What was the cause?")).to_have_value("Half a sen")
    await page.get_by_label("What was the cause?").blur()


async def test_by_keyboard_alone(desktop: Desktop, ada: Person) -> None:
    page = await desktop.open(ada, "/agents/desk-clerk")
    await page.locator("#stop-menu > summary").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("radio", name="Agent desk-clerk")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("radio", name="Agent desk-clerk")).to_be_hidden()
    await page.keyboard.press("Enter")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Stop it now")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="1 pause in force")).to_be_visible()


async def test_without_scripts(desktop: Desktop, ada: Person) -> None:
    waiting = await desktop.site.waiting()
    page = await desktop.open(ada, f"/approvals/{waiting.approval_id}", java_script_enabled=False)
    await page.locator("#stop-menu > summary").click()
    await page.get_by_role("radio", name="Action type desk.pay").check()
    await page.get_by_role("button", name="Stop it now").click()
    await expect(page.get_by_role("heading", name="1 pause in force")).to_be_visible()
    await expect(page.get_by_role("heading", name="Action type desk.pay")).to_be_visible()
    await page.get_by_text("Freeze, drain or compensate…").click()
    await page.locator("[id^=how-of-]").select_option("drain")
    await page.get_by_role("button", name="Change it").click()
    await expect(page.locator(".pause-card .over")).to_contain_text("Drain: what was approved before goes on")


@pytest.mark.parametrize("screen", SCREENS)
async def test_it_holds_on_every_screen(desktop: Desktop, ada: Person, screen: str) -> None:
    await everything(desktop, ada)
    page = await desktop.open(ada, **SCREENS[screen])
    for address in ("/stop", "/stop?scope=type&name=desk.pay", "/stop/hooks"):
        await page.goto(address)
        await page.evaluate(OPEN_ALL)
        await _holds(page, address, axe="color_scheme" in SCREENS[screen])
    await page.goto("/agents/desk-clerk")
    await page.locator("#stop-menu > summary").click()
    box = await page.locator("#stop-menu > div").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= SCREENS[screen]["viewport"]["width"]
    await _holds(page, "the control", axe="color_scheme" in SCREENS[screen])


async def everything(desktop: Desktop, ada: Person) -> None:
    """A pause that holds, one that waits for a second person, and one that lets runs go."""
    desktop.site.world.desk.trouble = _closed
    world, oli = desktop.site.world, desktop.site.person("Oli Other", Role.OPERATOR)
    world.publish(CARD + "stopping: {second: true, ramp: 1h}\n")
    waiting = [await desktop.site.waiting(to=f"bob{each}") for each in range(3)]
    by = ada.acting(Via.WEB)
    wide = await world.gateway.pause(Scope(kind=ScopeKind.AGENT, name="desk-clerk"), by=by, cause=HOSTILE)
    for each in waiting:
        await world.decide(each, Verb.APPROVE)
        await world.outcome(each.action_id.partition(":")[0], "pay", ActionStatus.HELD)
    answers = ResumeAnswers(cause="The limit was wrong.", changed="It is 50 now.", checks=["unit tests", "by hand"])
    await world.gateway.resume(wide, by=by, answers=answers)
    await world.gateway.second_resume(wide, by=oli.acting(Via.WEB))
    asked = await world.gateway.pause(Scope(kind=ScopeKind.TYPE, name="desk.tip"), by=by, cause="Odd tips")
    await world.gateway.resume(asked, by=oli.acting(Via.SLACK), answers=answers)
    scope = Scope(kind=ScopeKind.RECORD, name="desk/bob")
    await world.gateway.pause(scope, by=by, cause="Bob complained.", disposition=Disposition.DRAIN)


async def _holds(page: Page, what: str, *, axe: bool) -> None:
    wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{what} is {wider} px wider than the screen"
    if axe:
        assert await _faults(page) == [], what


def _closed(call: Call) -> None:
    """What fails is not let go any further."""
    raise ActionFailed("The bank is closed.")
