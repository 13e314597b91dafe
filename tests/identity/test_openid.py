"""Signing in at a real OpenID provider that runs in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from assent.domain.people import Role
from assent.runtime.processes import free_port
from assent_ui.identity.openid import PATH_BACK
from assent_ui.identity.openid_source import OpenIdSettings
from tests.identity.house import ADDRESS, Browser, House, build
from tests.identity.provider import CLIENT_ID, CLIENT_SECRET, PASSWORD, UNVERIFIED, VERIFIED


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The provider, for the tests of this file."""
    port = free_port()
    folder = str(tmp_path_factory.mktemp("provider"))
    command = [sys.executable, "-m", "tests.identity.provider", str(port), folder, f"{ADDRESS}{PATH_BACK}"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield f"http://127.0.0.1:{port}/o"
        process.terminate()


def settings(issuer: str, **changes: object) -> OpenIdSettings:
    return OpenIdSettings(
        **{"issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "name": "the tests"} | changes  # type: ignore[arg-type]
    )


@pytest.fixture
def house(tmp_path: Path, issuer: str) -> Iterator[House]:
    made = build(tmp_path / "assent.db", openid=settings(issuer))
    yield made
    made.database.close()


class Provider:
    """Somebody's browser at the provider."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def way_back(self, address: str, user: str) -> str:
        """Go where Assent sends one, sign in there if asked to; gives the way back."""
        answer = await self.client.get(address)
        while True:
            to = str(answer.next_request.url) if answer.next_request else ""
            if to.startswith(f"{ADDRESS}{PATH_BACK}"):
                return to
            if to:
                answer = await self.client.get(to)
                continue
            token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', answer.text)
            form = {"username": user.partition("@")[0], "password": PASSWORD}
            form |= {"csrfmiddlewaretoken": token[1]} if token else {}
            answer = await self.client.post(str(answer.request.url), data=form)
            assert answer.status_code == 302, answer.text


@pytest.fixture
async def provider() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=60)


async def leave(browser: Browser, path: str = "/sign-in/openid?next=/runs") -> str:
    answer = await browser.get(path)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def enter(browser: Browser, provider: httpx.AsyncClient, user: str = VERIFIED) -> httpx.Response:
    back = await Provider(provider).way_back(await leave(browser), user)
    return await browser.get(back)


async def test_somebody_known_by_a_verified_address_is_let_in_and_bound(
    house: House, provider: httpx.AsyncClient
) -> None:
    vera = house.person("Vera", Role.APPROVER, email=VERIFIED)
    async with house.browser() as browser:
        assert "Sign in with" in (await browser.get("/sign-in")).text
        answer = await enter(browser, provider)
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
        assert (await browser.client.get("/api/v1/me")).json()["id"] == vera.id
        assert house.events("identity.bound")[0].body["person"] == vera.id
        opened = house.events("session.opened")[0]
        assert (opened.body["how"], opened.actor.id) == ("oidc", vera.id)
        page = (await browser.get("/account")).text
        assert "Accounts elsewhere" in page
    async with house.browser() as again:
        assert (await enter(again, provider)).status_code == 303
        assert len(house.events("identity.bound")) == 1


async def test_the_way_there_has_pkce_state_and_nonce(house: House) -> None:
    async with house.browser() as browser:
        first, second = [parse_qs(urlsplit(await leave(browser)).query) for _ in range(2)]
    assert first["code_challenge_method"] == ["S256"]
    assert first["response_type"] == ["code"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert CLIENT_SECRET not in str(first)


async def test_somebody_unknown_is_refused_and_told(house: House, provider: httpx.AsyncClient) -> None:
    async with house.browser() as browser:
        answer = await enter(browser, provider)
        assert answer.status_code == 401
        assert "Assent does not know you" in answer.text
        assert not await browser.signed_in()
    assert house.events("session.refused")[0].body["where"] == "openid"


async def test_an_unverified_address_opens_nothing(house: House, provider: httpx.AsyncClient) -> None:
    house.person("Ulla", Role.ADMIN, email=UNVERIFIED)
    async with house.browser() as browser:
        answer = await enter(browser, provider, UNVERIFIED)
        assert answer.status_code == 401
        assert "does not say that your mail address is yours" in answer.text
        assert not await browser.signed_in()


async def test_somebody_unknown_can_become_a_person_without_roles(
    tmp_path: Path, issuer: str, provider: httpx.AsyncClient
) -> None:
    house = build(tmp_path / "created.db", openid=settings(issuer, create_people=True))
    async with house.browser() as browser:
        assert (await enter(browser, provider)).status_code == 303
        me = (await browser.client.get("/api/v1/me")).json()
        assert (me["email"], me["name"], me["roles"]) == (VERIFIED, "Vera", [])
    house.database.close()


async def test_a_second_account_of_one_mailbox_is_not_created(
    tmp_path: Path, issuer: str, provider: httpx.AsyncClient
) -> None:
    house = build(tmp_path / "second.db", openid=settings(issuer, create_people=True))
    name, _, host = VERIFIED.partition("@")
    house.person("Vera", Role.APPROVER, email=f"{name}+work@{host}")
    async with house.browser() as browser:
        answer = await enter(browser, provider)
        assert answer.status_code == 401
        assert "There already is a person" in answer.text
    house.database.close()


async def test_a_way_back_is_good_once_and_in_the_same_browser_alone(house: House, provider: httpx.AsyncClient) -> None:
    house.person("Vera", email=VERIFIED)
    async with house.browser() as browser, house.browser() as thief, house.browser() as victim:
        back = await Provider(provider).way_back(await leave(browser), VERIFIED)
        await leave(thief)
        assert (await thief.get(back)).status_code == 401
        assert (await victim.get(back)).status_code == 401
        assert not await victim.signed_in()
        assert (await browser.get(back)).status_code == 303
        assert (await browser.get(back)).status_code == 401


async def test_a_changed_state_an_old_one_and_another_issuer_are_refused(
    house: House, provider: httpx.AsyncClient
) -> None:
    house.person("Vera", email=VERIFIED)
    async with house.browser() as browser:
        back = await Provider(provider).way_back(await leave(browser), VERIFIED)
        assert (await browser.get(back.replace("state=", "state=x"))).status_code == 401
        assert (await browser.get(f"{back}&iss=https://other.example")).status_code == 401
        back = await Provider(provider).way_back(await leave(browser), VERIFIED)
        house.clock.ahead = timedelta(minutes=11)
        assert (await browser.get(back)).status_code == 401
        assert not await browser.signed_in()


async def test_a_code_of_another_trip_does_not_fit(house: House, provider: httpx.AsyncClient) -> None:
    house.person("Vera", email=VERIFIED)
    async with house.browser() as browser:
        back = await Provider(provider).way_back(await leave(browser), VERIFIED)
        other = await Provider(provider).way_back(await leave(browser), VERIFIED)
        swapped = re.sub(r"code=[^&]+", re.search(r"code=[^&]+", other)[0], back)  # type: ignore[index]
        assert (await browser.get(swapped)).status_code == 401
        assert not await browser.signed_in()


async def test_a_fresh_proof_asks_the_provider_for_one(house: House, provider: httpx.AsyncClient) -> None:
    vera = house.person("Vera", Role.ADMIN, email=VERIFIED)
    async with house.browser() as browser:
        await enter(browser, provider)
        house.clock.ahead = timedelta(minutes=6)
        refused = await browser.send("/groups", name="finance")
        assert refused.headers["location"].startswith("/account/confirm")
        house.clock.ahead = timedelta(0)
        address = await leave(browser, "/account/confirm/openid?next=/groups")
        query = parse_qs(urlsplit(address).query)
        assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
        back = await Provider(provider).way_back(address, VERIFIED)
        answer = await browser.get(back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/groups")
        assert (await browser.send("/groups", name="finance")).headers["location"] == "/groups/finance"
        assert [event.actor.id for event in house.events("session.proven")] == [vera.id]


async def test_a_fresh_proof_of_somebody_else_is_none(house: House, provider: httpx.AsyncClient) -> None:
    house.person("Vera", Role.ADMIN, email=VERIFIED)
    other = house.person("Otto", Role.ADMIN)
    async with house.browser() as theirs:
        await enter(theirs, provider)
    async with house.browser(other) as browser:
        back = await Provider(provider).way_back(await leave(browser, "/account/confirm/openid?next=/groups"), VERIFIED)
        answer = await browser.get(back)
        assert answer.status_code == 401
        assert "another account" in answer.text
        assert house.events("session.proven") == []


async def test_who_is_switched_off_is_refused_there_too(house: House, provider: httpx.AsyncClient) -> None:
    vera, ada = house.person("Vera", email=VERIFIED), house.person("Ada", Role.ADMIN)
    async with house.browser() as browser:
        await enter(browser, provider)
        async with house.proven(ada) as admin:
            await admin.send(f"/people/{vera.id}/access", disabled="yes")
        assert not await browser.signed_in()
        assert (await enter(browser, provider)).status_code == 401


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_it_leads_back_here_alone(house: House, provider: httpx.AsyncClient, next: str) -> None:
    house.person("Vera", email=VERIFIED)
    async with house.browser() as browser:
        answer = await browser.client.get("/sign-in/openid", params={"next": next})
        back = await Provider(provider).way_back(answer.headers["location"], VERIFIED)
        assert (await browser.get(back)).headers["location"] == "/"
