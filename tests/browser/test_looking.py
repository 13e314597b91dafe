"""Every page holds on every screen, in both themes, and passes axe."""

from __future__ import annotations

import importlib.resources
from typing import Any

import pytest
from playwright.async_api import Page

from assent.domain.approvals import Verb
from assent.domain.people import Via
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.gateway import NewIncident
from assent.store.people import Person
from tests.browser.cards import GENEROUS
from tests.browser.conftest import Desktop
from tests.site import HOSTILE

AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
OPEN_ALL = "document.querySelectorAll('main details:not(.control):not(.menu)').forEach((each) => { each.open = true; })"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS: dict[str, dict[str, Any]] = {
    "desktop, light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "desktop, dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone, light": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "phone, dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    "smallest": {"viewport": {"width": 320, "height": 568}},
    "zoomed to 200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    "widest": {"viewport": {"width": 2560, "height": 1440}},
}


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_page(desktop: Desktop, ada: Person, screen: str) -> None:
    addresses = await _everything(desktop, ada)
    page = await desktop.open(ada, **SCREENS[screen])
    for address in addresses:
        await page.goto(address)
        await page.evaluate(OPEN_ALL)
        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{address} is {wider} px wider than the screen"
        if "color_scheme" in SCREENS[screen]:
            assert await _faults(page) == [], address
    desktop.complaints[:] = [text for text in desktop.complaints if "status of 404" not in text]


async def _everything(desktop: Desktop, ada: Person) -> list[str]:
    """A little of everything, and the pages that show it."""
    site = desktop.site
    site.world.publish(GENEROUS)
    hostile = await site.waiting(to=HOSTILE, reason=HOSTILE * 20)
    plain = await site.waiting()
    decided = await site.waiting(to="carol")
    await site.world.decide(decided, Verb.APPROVE)
    run_id = decided.action_id.partition(":")[0]
    await site.world.result(run_id)
    scope = RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)
    gateway, me = site.world.gateway, ada.acting(Via.WEB)
    rollback_id = (await gateway.rollback(scope, by=me)).id
    incident_id = await gateway.open_incident(NewIncident(title=HOSTILE, run_ids=[run_id]), by=me)
    return [
        "/",
        "/?agent=nobody",
        "/?alike=yes&sort=amount&least=1&q=",
        "/?q=carol",
        f"/approvals/{plain.approval_id}",
        f"/approvals/{plain.approval_id}/edit",
        f"/approvals/{plain.approval_id}/grant",
        f"/approvals/{plain.approval_id}/plan",
        f"/approvals/{plain.approval_id}/hand",
        f"/decide?id={plain.approval_id}&id={hostile.approval_id}&id={decided.approval_id}",
        f"/approvals/{decided.approval_id}",
        "/runs",
        "/runs?status=failed",
        f"/runs/{run_id}",
        "/agents",
        "/agents/desk-clerk",
        "/cards/new",
        "/cards/new?agent=desk-clerk",
        "/stop",
        "/stop?scope=agent&name=desk-clerk",
        "/stop/hooks",
        "/trips",
        "/drills",
        "/effects",
        "/undo",
        "/rollbacks",
        "/records",
        "/records/desk/carol",
        "/incidents",
        "/incidents/new",
        "/incidents/actions",
        f"/incidents/{incident_id}",
        f"/incidents/{incident_id}/find",
        f"/incidents/{incident_id}/report",
        f"/rollbacks/new?scope=run&id={run_id}",
        f"/rollbacks/{rollback_id}?scope=run&id={run_id}",
        "/ledger",
        "/system",
        "/system/mail",
        "/system/webhooks",
        "/account",
        "/people",
        "/groups",
        "/grants",
        "/quality",
        "/sign-in?token=x",
        "/runs/none",
    ]


async def _faults(page: Page) -> list[str]:
    # The page's own policy lets no other script in, so axe comes in through the debugger.
    await page.evaluate(AXE)
    result = await page.evaluate("(rules) => axe.run({ runOnly: rules })", RULES)
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in result["violations"]]
