"""Passkeys in a real browser with a virtual authenticator, and the pages of people on every screen."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import CDPSession, Page, expect

from assent.domain.people import Role
from tests.browser.conftest import Desktop
from tests.browser.test_looking import AXE, OPEN_ALL, RULES

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
PHONE = {"viewport": {"width": 390, "height": 844}}
SCREENS: list[dict[str, Any]] = [
    {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    {"viewport": {"width": 320, "height": 568}},
]
PASSWORD = "four words make one"


async def device(page: Page) -> CDPSession:
    """Give a window a device with passkeys."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return session


async def at_localhost(desktop: Desktop, name: str, *roles: Role, **options: Any) -> Page:
    """Somebody signed in by link under the name of this machine: browsers allow no passkeys under its figures."""
    desktop.address = desktop.address.replace("127.0.0.1", "localhost")
    return await desktop.open(desktop.site.person(name, *roles), "/account", **options)


@pytest.mark.parametrize("options", [PHONE, {}], ids=["phone", "desktop"])
async def test_somebody_adds_a_passkey_and_signs_in_with_it(desktop: Desktop, options: dict[str, Any]) -> None:
    page = await at_localhost(desktop, "Pia", Role.ADMIN, **options)
    await device(page)
    await page.get_by_label("Name of a new passkey").fill("Laptop")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_text("Your passkey works from now on.")).to_be_visible()
    await expect(page.get_by_text("Laptop").first).to_be_visible()

    # It proves anew, when something needs that.
    await page.goto("/groups")
    await page.get_by_label("Name", exact=True).fill("finance")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url("**/groups")
    await page.get_by_label("Name", exact=True).fill("finance")
    await page.get_by_role("button", name="Make it").click()
    await page.wait_for_url("**/groups/finance")

    # It signs in, without a name.
    await page.get_by_label("You: Pia").click()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/sign-in")
    await page.goto("/sign-in?next=/people")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url("**/people")


async def test_a_person_who_says_no_is_told_so(desktop: Desktop) -> None:
    page = await at_localhost(desktop, "Pia")
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    no = DEVICE | {"isUserVerified": False}
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": no})
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_role("alert").filter(has_text="The browser was told not to")).to_be_visible()
    await expect(page.get_by_role("button", name="Add a passkey")).to_be_enabled()


async def test_under_an_address_in_figures_it_says_where_to_go(desktop: Desktop) -> None:
    page = await desktop.open(desktop.site.person("Pia"), "/account")
    await expect(page.get_by_role("link", name=desktop.address.replace("127.0.0.1", "localhost"))).to_be_visible()
    await expect(page.get_by_role("button", name="Add a passkey")).to_have_count(0)


@pytest.mark.parametrize("screen", SCREENS, ids=["desktop", "phone", "smallest"])
async def test_the_pages_hold_and_pass_axe(desktop: Desktop, screen: dict[str, Any]) -> None:
    bo = desktop.site.person("Bo", Role.APPROVER)
    page = await at_localhost(desktop, "Pia", Role.ADMIN, **screen)
    await device(page)
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_text("Your passkey works from now on.")).to_be_visible()
    await page.goto("/account/confirm?next=/account")
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url("**/account?done=confirmed")
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_label("Once more").fill(PASSWORD)
    await page.get_by_role("button", name="Set the password").click()
    await expect(page.get_by_text("Your password is set.")).to_be_visible()
    await page.goto("/groups")
    await page.get_by_label("Name", exact=True).fill("finance")
    await page.get_by_role("button", name="Make it").click()
    await page.get_by_label("Address").fill(bo.email)
    await page.get_by_role("button", name="Put in").click()
    await expect(page.get_by_role("button", name="Take Bo out")).to_be_visible()
    agent = "desk-clerk"
    own = ("/account", "/account/confirm?next=/people")
    shared = ("/people", f"/people/{bo.id}", "/groups", "/groups/finance", f"/agents/{agent}/keys")
    for path in (*own, *shared, "/sign-in?token=x"):
        await page.goto(path)
        await _holds(page, path)
    await page.context.clear_cookies()
    await page.goto("/sign-in")
    await expect(page.get_by_label("Password")).to_be_visible()
    await _holds(page, "/sign-in")


async def _holds(page: Page, path: str) -> None:
    await page.evaluate(OPEN_ALL)
    wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{path} is {wider} px wider than the screen"
    await page.evaluate(AXE)
    found = await page.evaluate("(rules) => axe.run({ runOnly: rules })", RULES)
    assert not found["violations"], (path, [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]])
