"""The link of a mail opens one request as one person, once; looking at it uses nothing up."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from assent.domain.people import Role, Via
from assent.store import attempts, credentials, people
from assent.store.people import Person
from tests.identity.house import Browser, House
from tests.pages.reading import PageReader
from tests.reaching.bureau import Bureau, deliver
from tests.reaching.mail_host import MailHost, link_of


async def mailed(bureau: Bureau, host: MailHost, name: str = "Ann Approver") -> tuple[Person, str, str]:
    """Somebody, a request, and the path of their link."""
    ann, approval_id = bureau.person(name), bureau.ask()
    await deliver(bureau.mailer(host.server()))
    return ann, approval_id, link_of(host.to(ann.email)[-1])


async def press(browser: Browser, path: str) -> int:
    """Press the page's button."""
    page = await browser.get(path)
    assert page.status_code == 200, page.text
    form = PageReader(page.text).form(path)
    return (await browser.client.post(path, data=form.fields)).status_code


async def test_looking_uses_nothing_up_and_the_button_opens_the_request(
    house: House, bureau: Bureau, host: MailHost
) -> None:
    ann, approval_id, path = await mailed(bureau, host)
    async with house.browser() as scanner:
        for _ in range(100):
            page = await scanner.get(path)
        assert "Open the request as Ann Approver" in PageReader(page.text).words
        assert not await scanner.signed_in()
    async with house.browser() as browser:
        answer = await browser.client.post(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/approvals/{approval_id}")
        shown = await browser.get(f"/approvals/{approval_id}")
        assert "Refund $45.00" in shown.text
        again = await browser.get(path)
        assert again.headers["location"] == f"/approvals/{approval_id}"
        me = (await browser.get("/api/v1/me")).json()
        assert me["id"] == ann.id
    [opened] = house.events("session.opened")
    assert opened.body["how"] == "mail"
    assert len(house.events("mail_link.used")) == 1


async def test_no_log_holds_a_link_that_still_works(
    house: House, bureau: Bureau, host: MailHost, caplog: pytest.LogCaptureFixture
) -> None:
    _, _, path = await mailed(bureau, host)
    with house.database.write() as session:
        session.execute(text("UPDATE mail_links SET expires_at = 'broken'"))
    async with house.browser() as browser:
        assert (await browser.get(path)).status_code == 500
    [told] = [record.getMessage() for record in caplog.records if record.name == "assent_ui.failures"]
    assert told.startswith("GET /mail/{token} failed, reference")


async def test_the_session_of_a_link_sets_up_no_way_in(house: House, bureau: Bureau, host: MailHost) -> None:
    _, _, path = await mailed(bureau, host)
    async with house.browser() as browser:
        await browser.client.post(path)
        page = await browser.send("/account/password", password="four words make one", again="four words make one")
        assert page.status_code == 403
        assert "new one-time link" in page.text


async def test_a_second_use_says_so_and_leads_to_signing_in(house: House, bureau: Bureau, host: MailHost) -> None:
    _, approval_id, path = await mailed(bureau, host)
    async with house.browser() as browser:
        assert await press(browser, path) == 303
    async with house.browser() as other:
        for answer in (await other.get(path), await other.client.post(path)):
            assert answer.status_code == 401
            words = PageReader(answer.text).words
            assert "This link was used before; it works once." in words
            assert f"/approvals/{approval_id}" in PageReader(answer.text).addresses
        assert not await other.signed_in()
    assert len(house.events("session.refused")) == 2


async def test_two_clicks_at_once_count_once(house: House, bureau: Bureau, host: MailHost) -> None:
    _, _, path = await mailed(bureau, host)
    async with house.browser() as one, house.browser() as two:
        answers = await asyncio.gather(one.client.post(path), two.client.post(path))
    assert sorted(answer.status_code for answer in answers) == [303, 401]


@pytest.mark.parametrize("why", ["too old", "request ended", "disabled", "reset"])
async def test_links_that_no_longer_work(house: House, bureau: Bureau, host: MailHost, why: str) -> None:
    ann, _, path = await mailed(bureau, host)
    boss = house.person("Boss", Role.ADMIN)
    actor = boss.acting(Via.WEB)
    with house.database.write() as session:
        if why == "disabled":
            people.change(session, ann.id, disabled=True, at=house.clock(), by=actor)
        if why == "reset":
            credentials.reset(session, ann, at=house.clock(), by=actor)
    house.clock.ahead += {"too old": timedelta(hours=25), "request ended": timedelta(hours=8)}.get(why, timedelta(0))
    async with house.browser() as browser:
        answer = await browser.client.post(path)
        assert answer.status_code == 401
        assert not await browser.signed_in()


async def test_made_up_links_are_refused_written_down_and_limited(house: House, bureau: Bureau, host: MailHost) -> None:
    _, _, path = await mailed(bureau, host)
    async with house.browser() as guesser:
        for wrong in ("x", path.removeprefix("/mail/")[:-1] + "x", house.link(house.person("Eve")), "%ff%01" * 20):
            answer = await guesser.client.post(f"/mail/{wrong}")
            assert answer.status_code == 401
            assert "never made here" in answer.text
        assert len(house.events("session.refused")) == 4
        for number in range(attempts.PER_ADDRESS):
            answer = await guesser.get(f"/mail/{number}")
        assert answer.status_code == 429
        assert "too often" in answer.text
    async with house.browser(address="203.0.113.8") as elsewhere:
        assert await press(elsewhere, path) == 303


async def test_made_up_sign_in_links_are_limited_too(house: House) -> None:
    async with house.browser() as guesser:
        for number in range(attempts.PER_ADDRESS + 1):
            answer = await guesser.client.post("/sign-in", data={"token": str(number)})
        assert answer.status_code == 429
        good = await guesser.client.post("/sign-in", data={"token": house.link(house.person("Ann"))})
        assert good.status_code == 303


async def test_another_site_cannot_press_the_button(house: House, bureau: Bureau, host: MailHost) -> None:
    _, _, path = await mailed(bureau, host)
    async with house.browser() as browser:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            assert (await browser.client.post(path, headers=headers)).status_code == 403
        assert await press(browser, path) == 303


async def test_who_is_signed_in_as_somebody_else_is_told(house: House, bureau: Bureau, host: MailHost) -> None:
    _, _, path = await mailed(bureau, host)
    async with house.browser(house.person("Bob")) as browser:
        page = PageReader((await browser.get(path)).text)
        assert "You are signed in as Bob" in page.words
        assert await press(browser, path) == 303
        assert (await browser.get("/api/v1/me")).json()["name"] == "Ann Approver"
