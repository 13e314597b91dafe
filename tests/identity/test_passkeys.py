"""Passkeys: made, used, named, removed; and every way of cheating with one."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import httpx
import pytest

from assent.domain.people import Role
from assent_ui.auth import COOKIE
from tests.identity.authenticator import PRESENT, VERIFIED, Authenticator, data, text
from tests.identity.house import Browser, House

OTHER_SITE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


async def options(browser: Browser, path: str) -> dict[str, Any]:
    csrf = await browser.csrf() if await browser.signed_in() else ""
    answer = await browser.client.post(f"{path}/options", json={}, headers={"X-CSRF-Token": csrf})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def send(browser: Browser, path: str, answer: dict[str, Any], **more: str) -> httpx.Response:
    csrf = await browser.csrf() if await browser.signed_in() else ""
    return await browser.client.post(path, json={"answer": answer, **more}, headers={"X-CSRF-Token": csrf})


async def add(browser: Browser, device: Authenticator, name: str = "") -> httpx.Response:
    made = device.make(await options(browser, "/account/passkeys"))
    return await send(browser, "/account/passkeys", made, name=name)


async def enter(browser: Browser, device: Authenticator, next: str = "/") -> httpx.Response:
    return await send(browser, "/sign-in/passkey", device.use(await options(browser, "/sign-in/passkey")), next=next)


@pytest.fixture
def device() -> Authenticator:
    return Authenticator()


async def test_a_passkey_is_made_and_signs_in_without_a_name(house: House, device: Authenticator) -> None:
    ann = house.person("Ann", Role.ADMIN)
    async with house.browser(ann) as browser:
        asked = await options(browser, "/account/passkeys")
        assert asked["authenticatorSelection"]["residentKey"] == "required"
        assert asked["authenticatorSelection"]["userVerification"] == "required"
        assert asked["rp"]["id"] == "localhost"
        assert (await add(browser, device, "Phone")).json()["to"].startswith("/account")
        assert "Phone" in (await browser.get("/account")).text
    async with house.browser() as fresh:
        assert "Sign in with a passkey" in (await fresh.get("/sign-in")).text
        asked = await options(fresh, "/sign-in/passkey")
        assert asked["allowCredentials"] == []
        answer = await enter(fresh, device, "/people")
        assert (answer.status_code, answer.json()) == (200, {"to": "/people"})
        assert await fresh.signed_in()
        # It is a fresh proof.
        assert (await fresh.send("/groups", name="finance")).headers["location"] == "/groups/finance"
    assert house.events("session.opened")[-1].body["how"] == "passkey"
    assert house.events("passkey.added")[0].body["name"] == "Phone"


async def test_several_are_named_and_removed(house: House, device: Authenticator) -> None:
    ann = house.person("Ann")
    second = Authenticator()
    async with house.proven(ann) as browser:
        await add(browser, device)
        assert (await add(browser, second)).status_code == 200
        assert (await add(browser, device)).json()["what"] == "This passkey is known here already."
        found = (await browser.api("GET", "/me/account")).json()["passkeys"]
        assert [key["name"] for key in found] == ["Passkey 1", "Passkey 2"]
        await browser.send(f"/account/passkeys/{found[0]['id']}/name", name="  Key   ring ")
        await browser.send(f"/account/passkeys/{found[1]['id']}/remove")
        found = (await browser.api("GET", "/me/account")).json()["passkeys"]
        assert [key["name"] for key in found] == ["Key ring"]
    async with house.browser() as fresh:
        assert (await enter(fresh, second)).status_code == 401
        assert (await enter(fresh, device)).status_code == 200
    kinds = ("passkey.added", "passkey.renamed", "passkey.removed")
    assert [len(house.events(kind)) for kind in kinds] == [2, 1, 1]


async def test_nobody_touches_anothers(house: House, device: Authenticator) -> None:
    ann, eve = house.person("Ann"), house.person("Eve")
    async with house.browser(ann) as browser:
        await add(browser, device)
        key = (await browser.api("GET", "/me/account")).json()["passkeys"][0]["id"]
    async with house.proven(eve) as browser:
        assert (await browser.send(f"/account/passkeys/{key}/remove")).status_code == 404
        assert (await browser.send(f"/account/passkeys/{key}/name", name="Mine")).status_code == 404
        # Another's passkey confirms nothing either.
        await add(browser, Authenticator())
        house.clock.ahead = timedelta(minutes=6)
        answer = device.use(await options(browser, "/account/confirm/passkey"))
        assert (await send(browser, "/account/confirm/passkey", answer)).status_code == 401
    assert house.events("passkey.removed") == []


async def test_a_session_becomes_fresh_and_its_old_token_worthless(house: House, device: Authenticator) -> None:
    ann = house.person("Ann", Role.ADMIN)
    async with house.browser(ann) as browser:
        await add(browser, device)
        assert (await browser.send("/groups", name="finance")).headers["location"].startswith("/account/confirm")
        before = {"Cookie": f"{COOKIE}={browser.client.cookies[COOKIE]}"}
        answer = device.use(await options(browser, "/account/confirm/passkey"))
        assert (await send(browser, "/account/confirm/passkey", answer, next="/groups")).json() == {"to": "/groups"}
        assert (await browser.send("/groups", name="finance")).headers["location"] == "/groups/finance"
        async with house.browser() as thief:
            assert (await thief.client.get("/account", headers=before)).status_code == 303
        house.clock.ahead = timedelta(minutes=5, seconds=5)
        assert (await browser.send("/groups", name="sre")).headers["location"].startswith("/account/confirm")


async def test_an_answer_counts_once(house: House, device: Authenticator) -> None:
    async with house.browser(house.person("Ann")) as browser:
        await add(browser, device)
    device.step = 0
    async with house.browser() as fresh:
        answer = device.use(await options(fresh, "/sign-in/passkey"))
        assert (await send(fresh, "/sign-in/passkey", answer)).status_code == 200
        await fresh.send("/sign-out")
        assert (await send(fresh, "/sign-in/passkey", answer)).status_code == 401
        assert not await fresh.signed_in()


async def test_a_challenge_belongs_to_its_browser_its_purpose_and_its_time(house: House, device: Authenticator) -> None:
    ann = house.person("Ann")
    async with house.browser(ann) as browser, house.browser() as fresh, house.browser() as other:
        await add(browser, device)
        asked = await options(fresh, "/sign-in/passkey")
        await options(other, "/sign-in/passkey")
        assert (await send(other, "/sign-in/passkey", device.use(asked))).status_code == 401
        for_confirming = await options(browser, "/account/confirm/passkey")
        assert (await send(browser, "/sign-in/passkey", device.use(for_confirming))).status_code == 401
        for_entering = await options(browser, "/sign-in/passkey")
        assert (await send(browser, "/account/confirm/passkey", device.use(for_entering))).status_code == 401
        late = await options(fresh, "/sign-in/passkey")
        house.clock.ahead = timedelta(minutes=11)
        assert (await send(fresh, "/sign-in/passkey", device.use(late))).status_code == 401
        made_up = {"challenge": text(b"x" * 64), "rpId": "localhost"}
        assert (await send(fresh, "/sign-in/passkey", device.use(made_up))).status_code == 401


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "http://localhost:9999"},
        {"origin": "https://evil.example"},
        {"relying_party": "evil.example"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"cross_origin": True},
    ],
    ids=str,
)
async def test_an_answer_for_elsewhere_or_from_nobody_is_refused(
    house: House, device: Authenticator, lie: dict[str, Any]
) -> None:
    async with house.browser(house.person("Ann")) as browser:
        liar = Authenticator(**lie)
        assert (await add(browser, liar)).status_code == 422
        await add(browser, device)
    for name, value in lie.items():
        setattr(device, name, value)
    async with house.browser() as fresh:
        assert (await enter(fresh, device)).status_code == 401
        assert not await fresh.signed_in()
    assert house.events("session.refused")


async def test_a_counter_that_goes_back_is_refused(house: House, device: Authenticator) -> None:
    async with house.browser(house.person("Ann")) as browser:
        await add(browser, device)
    copied = copy.copy(device)
    async with house.browser() as fresh, house.browser() as thief:
        assert (await enter(fresh, device)).status_code == 200
        assert (await enter(thief, copied)).status_code == 401
        assert not await thief.signed_in()
    assert "sign count" in str(house.events("session.refused")[-1].body["why"])


async def test_a_changed_answer_is_refused(house: House, device: Authenticator) -> None:
    async with house.browser(house.person("Ann")) as browser:
        await add(browser, device)
    async with house.browser() as fresh:
        for part in ("signature", "authenticatorData", "clientDataJSON", "userHandle"):
            answer = device.use(await options(fresh, "/sign-in/passkey"))
            bytes_of = bytearray(data(answer["response"][part]))
            bytes_of[-2] ^= 1
            answer["response"][part] = text(bytes(bytes_of))
            assert (await send(fresh, "/sign-in/passkey", answer)).status_code == 401, part


@pytest.mark.parametrize(
    "nonsense",
    [
        {},
        {"id": 1},
        {"id": "a", "response": []},
        {"id": "a", "response": {"clientDataJSON": 7}},
        {"id": "a", "rawId": "a", "type": "public-key", "response": {"clientDataJSON": "e30"}},
        {"id": "\x00", "response": {"clientDataJSON": "!!!"}},
    ],
    ids=range(6),
)
async def test_nonsense_is_refused_calmly(house: House, nonsense: dict[str, Any]) -> None:
    async with house.browser(house.person("Ann")) as browser, house.browser() as fresh:
        assert (await send(fresh, "/sign-in/passkey", nonsense)).status_code == 401
        assert (await send(browser, "/account/passkeys", nonsense)).status_code == 401
        assert (await send(browser, "/account/confirm/passkey", nonsense)).status_code == 401


async def test_no_other_site_can_send_one(house: House, device: Authenticator) -> None:
    async with house.browser(house.person("Ann")) as browser:
        await add(browser, device)
        without = await browser.client.post("/account/passkeys", json={"answer": {}})
        assert without.status_code == 403
    async with house.browser() as fresh:
        answer = device.use(await options(fresh, "/sign-in/passkey"))
        refused = await fresh.client.post("/sign-in/passkey", json={"answer": answer}, headers=OTHER_SITE)
        assert refused.status_code == 403
        assert not await fresh.signed_in()


async def test_begun_too_often(house: House) -> None:
    async with house.browser() as fresh:
        codes = {(await fresh.client.post("/sign-in/passkey/options", json={})).status_code for _ in range(302)}
        assert codes == {200, 429}
