"""The control that stops is on every page for whoever may stop, those of errors too; the gateway has the last word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assent.domain.errors import Unavailable
from assent.domain.people import SYSTEM, Role
from assent.runtime.cards import publish_card
from assent.store.people import Person
from assent.store.queries import pauses, trips
from tests.breakers.past import CARD, catalogue
from tests.identity.house import Browser, House, build
from tests.pages.reading import PageReader

CONTROL = "/stop/at-once"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The web pages, without Temporal, with one agent."""
    made = build(tmp_path / "assent.db")
    publish(made, "")
    yield made
    made.database.close()


def publish(house: House, stopping: str) -> None:
    """Put a card in force that says who may stop."""
    publish_card(house.database, catalogue(), f"{CARD}{stopping}", where="test card", by=SYSTEM)


def offered(answer: httpx.Response) -> bool:
    """Whether a page has the control."""
    return CONTROL in [form.action for form in PageReader(answer.text).forms]


async def stop(browser: Browser, what: str = "agent:clerk") -> httpx.Response:
    """Use the control."""
    return await browser.send(CONTROL, what=what)


@pytest.mark.parametrize(
    ("address", "status"),
    [("/no/such/page", 404), ("/runs/none", 404), ("/stop?scope=moon", 422), ("/system/webhooks/none/remove", 405)],
)
async def test_pages_of_errors_have_it(house: House, address: str, status: int) -> None:
    async with house.browser(house.person("Oli", Role.OPERATOR)) as browser:
        answer = await browser.get(address)
        assert answer.status_code == status
        assert offered(answer)
        assert 'data-after=""' in answer.text
        assert (await stop(browser)).status_code == 303
        assert "Agent clerk is paused" in PageReader((await browser.get(address)).text).words


async def test_so_has_the_page_of_what_nobody_foresaw(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(trips, "page", broken)
    async with house.browser(house.person("Oli", Role.OPERATOR)) as browser:
        answer = await browser.get("/trips")
        assert answer.status_code == 500
        assert offered(answer)
        assert "Something went wrong inside Assent." in answer.text
        # The frame itself may be what fails; then the page stands alone.
        monkeypatch.setattr(pauses, "active", broken)
        alone = await browser.get("/trips")
        assert alone.status_code == 500
        assert not offered(alone)
        assert "Something went wrong inside Assent." in alone.text


async def test_a_database_that_does_not_answer_is_not_asked_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Unavailable("The database does not answer.", where="database")

    monkeypatch.setattr(trips, "page", away)
    async with house.browser(house.person("Oli", Role.OPERATOR)) as browser:
        answer = await browser.get("/trips")
    assert answer.status_code == 503
    assert not offered(answer)
    assert "Nothing was lost." in answer.text


async def test_nobody_else_is_shown_it(house: House) -> None:
    async with house.browser() as browser:
        assert not offered(await browser.get("/no/such/page"))
    async with house.browser(house.person("Aud", Role.AUDITOR)) as browser:
        assert not offered(await browser.get("/no/such/page"))
        assert not offered(await browser.get("/runs"))
        assert (await stop(browser)).status_code == 403


def person(house: House, *roles: Role) -> Person:
    """Somebody whom the card may name."""
    return house.person("Nia", *roles)


async def test_whom_a_card_names_is_shown_it_and_may(house: House) -> None:
    publish(house, "stopping: {pause: [nia@example.com]}\n")
    async with house.browser(person(house)) as browser:
        assert offered(await browser.get("/runs"))
        assert offered(await browser.get("/no/such/page"))
        assert (await stop(browser)).status_code == 303
        assert (await stop(browser, "everything:")).status_code == 303


async def test_whom_a_card_leaves_out_is_told_who_may(house: House) -> None:
    publish(house, 'stopping: {pause: ["role:operator"]}\n')
    async with house.browser(person(house, Role.APPROVER)) as browser:
        refused = await stop(browser)
    assert refused.status_code == 403
    words = PageReader(refused.text).words
    assert "Nia may not pause this." in words
    assert "the block stopping of the agent's card says who" in words
    with house.database.read() as session:
        assert pauses.active(session) == ()
