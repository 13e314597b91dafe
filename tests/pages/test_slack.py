"""The page about Slack: the queue, who one is there, and where the app is installed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from assent.domain.people import Role
from assent.store import outbox, slack_people, slack_workspaces
from assent.store.people import Person
from assent.store.slack_tickets import Purpose, Ticket, Tickets
from assent.store.slack_workspaces import Installed
from assent.store.tables import SessionRow
from assent_ui.slack_desk import SlackDesk
from tests.pages.reading import PageReader
from tests.site import HOSTILE, KEY, Site
from tests.world import AGENT

INSTALL = "https://slack.example.com/slack/install"


def stuck(site: Site, error: str) -> None:
    """A message that Slack did not take."""
    now = datetime.now(UTC)
    with site.world.database.write() as session:
        outbox.enqueue(session, "slack", "approval.requested", "ap-1", now)
    [claimed] = outbox.claim_due(site.world.database, "slack", at=now, lease=timedelta(0))
    with site.world.database.write() as session:
        outbox.mark_failed(session, claimed, retry_at=now + timedelta(days=1), error=error)


def ticket(site: Site, name: str = "Ann in Slack") -> str:
    """What `/assent link` gives."""
    made = Ticket(Purpose.OPENED_ON_THE_WEB, "", "T0ACME", "U0ANN", name)
    with site.world.database.write() as session:
        return Tickets(KEY).make(session, made, at=datetime.now(UTC))


def links(site: Site, person: Person) -> list[str]:
    """Somebody's Slack users."""
    with site.world.database.read() as session:
        return [user.name for user in slack_people.users_of(session, [person.id])]


async def post(browser: object, page: str, action: str) -> object:
    """Press the button of a form."""
    form = PageReader(page).form(action)
    return await browser.post(action, data=form.fields)  # type: ignore[attr-defined]


async def test_the_queue_is_seen_and_retried_by_whoever_may(site: Site, ada: Person) -> None:
    eve = site.person("Eve", Role.APPROVER)
    async with site.browser(ada) as browser:
        assert "Everything is posted" in PageReader((await browser.get("/system/slack")).text).words
        assert "Nothing waits to be posted." in PageReader((await browser.get("/system")).text).words
    stuck(site, f"channel_not_found {HOSTILE}")
    async with site.browser(eve) as browser:
        page = (await browser.get("/system/slack")).text
        assert "/system/slack/retry" not in page
    async with site.browser(ada) as browser:
        assert "channel_not_found" in PageReader((await browser.get("/system")).text).words
        page = (await browser.get("/system/slack")).text
        words = PageReader(page).words
        assert "1 message waits for Slack" in words
        assert "1 of them has failed at least once." in words
        assert "channel_not_found" in words
        assert "<script>alert" not in page
        answer = await post(browser, page, "/system/slack/retry")
        assert answer.status_code == 303  # type: ignore[attr-defined]
    assert outbox.claim_due(site.world.database, "slack", at=datetime.now(UTC), lease=timedelta(0))


async def test_a_slack_user_is_linked_after_asking_and_once(site: Site) -> None:
    ann, bea = site.person("Ann", Role.APPROVER), site.person("Bea", Role.APPROVER)
    code = ticket(site, HOSTILE)
    address = f"/system/slack/link/{code}"
    async with site.browser() as stranger:
        assert (await stranger.get(address)).status_code == 303
    async with site.browser(ann) as browser:
        page = (await browser.get(address)).text
        assert "U0ANN" in page
        assert "<script>alert" not in page
        assert "Did somebody send you this link?" in page
        assert links(site, ann) == []
        assert (await browser.post(address, data={})).status_code == 403
        assert links(site, ann) == []
        assert (await post(browser, page, address)).status_code == 303  # type: ignore[attr-defined]
        assert links(site, ann) == ["T0ACME/U0ANN"]
    async with site.browser(bea) as browser:
        assert (await browser.get(address)).status_code == 404
        assert (await browser.get(f"/system/slack/link/{ticket(site)}")).status_code == 200
        page = (await browser.get(f"/system/slack/link/{(again := ticket(site))}")).text
        taken = await post(browser, page, f"/system/slack/link/{again}")
        assert taken.status_code == 409  # type: ignore[attr-defined]
        assert "already Ann" in taken.text  # type: ignore[attr-defined]
    assert links(site, bea) == []


async def test_a_code_for_oneself_and_unlinking(site: Site) -> None:
    ann = site.person("Ann", Role.APPROVER)
    async with site.browser(ann) as browser:
        page = (await browser.get("/system/slack")).text
        made = (await post(browser, page, "/system/slack/code")).text  # type: ignore[attr-defined]
        found = re.search(r"/assent link ([0-9A-Z-]+)", made)
        assert found is not None
        with site.world.database.write() as session:
            used = Tickets(KEY).use_up(session, found[1], Purpose.TYPED_IN_SLACK, at=datetime.now(UTC))
        assert used is not None
        assert used.person_id == ann.id
        address = f"/system/slack/link/{ticket(site)}"
        await post(browser, (await browser.get(address)).text, address)
        page = (await browser.get("/system/slack")).text
        assert "T0ACME/U0ANN" in page
        await post(browser, page, "/system/slack/unlink")
    assert links(site, ann) == []


async def test_an_old_session_links_nobody(site: Site) -> None:
    """Whoever found a browser open would decide in its owner's name for good."""
    ann = site.person("Ann", Role.APPROVER)
    async with site.browser(ann) as browser:
        page, address = (await browser.get("/system/slack")).text, f"/system/slack/link/{ticket(site)}"
        asked = (await browser.get(address)).text
        with site.world.database.write() as session:
            for row in session.query(SessionRow):
                row.created_at -= timedelta(hours=1)
        for answer in (await post(browser, page, "/system/slack/code"), await post(browser, asked, address)):
            assert answer.status_code == 303  # type: ignore[attr-defined]
            assert answer.headers["location"].startswith("/account/confirm")  # type: ignore[attr-defined]
        assert links(site, ann) == []
        with site.world.database.write() as session:
            for row in session.query(SessionRow):
                row.proven_at = datetime.now(UTC)
        assert (await post(browser, asked, address)).status_code == 303  # type: ignore[attr-defined]
    assert links(site, ann) == ["T0ACME/U0ANN"]


async def test_an_installation_link_is_for_administrators_who_prove_themselves(site: Site, ada: Person) -> None:
    eve = site.person("Eve", Role.OPERATOR)
    with site.world.database.write() as session:
        installed = Installed("T0OTHER", HOSTILE, "", "B", "U", "", "", "C1", HOSTILE, ada.id, datetime.now(UTC), None)
        slack_workspaces.save(session, installed, by=AGENT)
    async with site.browser(eve) as browser:
        page = (await browser.get("/system/slack")).text
        assert "T0OTHER" in page
        assert "<script>alert" not in page
        csrf = PageReader(page).form("/system/slack/code").fields
        assert (await browser.post("/system/slack/install", data=csrf)).status_code == 403
    async with site.browser(ada) as browser:
        csrf = PageReader((await browser.get("/system/slack")).text).form("/system/slack/code").fields
        answer = await browser.post("/system/slack/install", data=csrf)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/account/confirm")
        answer = await browser.post("/system/slack/install", data=csrf)
        with site.world.database.write() as session:
            for row in session.query(SessionRow):
                row.proven_at = datetime.now(UTC)
        # The page says that nothing of it is set, as this site has no client id.
        answer = await browser.post("/system/slack/install", data=csrf)
        assert answer.status_code == 422
        assert "Other workspaces cannot install the app." in answer.text
        site.app.state.deps = replace(site.app.state.deps, slack=SlackDesk(Tickets(KEY), f"{INSTALL}?link="))
        answer = await browser.post("/system/slack/install", data=csrf)
        link = re.search(rf"{re.escape(INSTALL)}\?link=([0-9A-Z-]+)", answer.text)
        assert link is not None
        with site.world.database.write() as session:
            used = Tickets(KEY).use_up(session, link[1], Purpose.INSTALL, at=datetime.now(UTC))
        assert used is not None
        assert used.person_id == ada.id
