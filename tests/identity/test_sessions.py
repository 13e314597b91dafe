"""Sessions: listed, ended at once, never somebody else's; and what no other site can do."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from assent.domain.people import SYSTEM, Role
from assent.runtime.processes import free_port
from assent.store import cards
from assent.store.keys import make_key
from assent_ui.auth import COOKIE
from tests.identity.house import PASSWORD, House
from tests.identity.serving import served

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def test_one_sees_where_one_is_signed_in_and_ends_it(house: House) -> None:
    ann = house.person("Ann")
    async with house.browser(ann) as here, house.browser(address="198.51.100.9") as there:
        there.client.headers["User-Agent"] = FIREFOX
        await there.client.post("/sign-in", data={"token": house.link(ann)})
        page = (await here.get("/account")).text
        assert "Firefox on Linux" in page
        assert "198.51.100.9" in page
        found = (await here.api("GET", "/me/sessions")).json()["items"]
        assert [each["current"] for each in found] == [False, True]
        await here.send(f"/account/sessions/{found[0]['id']}/end")
        assert not await there.signed_in()
        assert await here.signed_in()
    ended = house.events("session.ended")[0]
    assert (ended.actor.id, ended.body["sessions"]) == (ann.id, [found[0]["id"]])


async def test_all_others_end_with_one_click(house: House) -> None:
    ann = house.person("Ann")
    async with house.browser(ann) as here, house.browser(ann) as second, house.browser(ann) as third:
        await here.send("/account/sessions/end-others")
        assert [await each.signed_in() for each in (here, second, third)] == [True, False, False]
        assert (await here.api("DELETE", "/me/sessions")).status_code == 204
        assert await here.signed_in()


async def test_nobody_ends_anothers(house: House) -> None:
    ann, eve = house.person("Ann"), house.person("Eve", Role.OPERATOR)
    async with house.browser(ann) as victim, house.browser(eve) as browser:
        theirs = (await victim.api("GET", "/me/sessions")).json()["items"][0]["id"]
        assert (await browser.send(f"/account/sessions/{theirs}/end")).status_code == 404
        assert (await browser.api("DELETE", f"/me/sessions/{theirs}")).status_code == 404
        assert (await browser.api("DELETE", f"/people/{ann.id}/sessions")).status_code == 403
        assert (await browser.send(f"/people/{ann.id}/sessions/end")).status_code == 403
        assert await victim.signed_in()


async def test_signing_in_always_gives_a_new_token_and_ends_the_one_before(house: House) -> None:
    ann, eve = house.person("Ann"), house.person("Eve")
    async with house.browser(eve) as browser:
        planted = browser.client.cookies[COOKIE]
        await browser.client.post("/sign-in", data={"token": house.link(ann)})
        assert browser.client.cookies[COOKIE] != planted
        async with house.browser() as attacker:
            answer = await attacker.client.get("/account", headers={"Cookie": f"{COOKIE}={planted}"})
            assert answer.status_code == 303
    async with house.browser() as fresh:
        chosen = {"Cookie": f"{COOKIE}=chosen-by-an-attacker"}
        answer = await fresh.client.post("/sign-in", data={"token": house.link(ann)}, headers=chosen)
        assert answer.status_code == 303
        assert len(answer.cookies[COOKIE]) > 60


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/account/password", {"password": PASSWORD, "again": PASSWORD}),
        ("/account/password/remove", {}),
        ("/account/sessions/end-others", {}),
        ("/account/confirm/password", {"password": PASSWORD}),
        ("/account/passkeys/options", {}),
        ("/people", {"email": "new@example.com"}),
        ("/groups", {"name": "finance"}),
        ("/cards", {"source": "name: x"}),
        ("/sign-out", {}),
    ],
)
async def test_no_other_site_does_anything_for_one(house: House, path: str, fields: dict[str, str]) -> None:
    async with house.proven(house.person("Ada", Role.ADMIN)) as browser:
        csrf = await browser.csrf()
        for data, headers in (
            (fields, {}),
            (fields | {"csrf": "guessed"}, {}),
            (fields | {"csrf": csrf}, {"Sec-Fetch-Site": "cross-site"}),
            (fields | {"csrf": csrf}, {"Origin": "https://evil.example"}),
        ):
            assert (await browser.client.post(path, data=data, headers=headers)).status_code == 403
        assert await browser.signed_in()


@pytest.mark.parametrize("path", ["/sign-in/password", "/sign-in"])
async def test_no_other_site_signs_one_in(house: House, path: str) -> None:
    ann = house.person("Ann")
    async with house.proven(ann), house.browser() as fresh:
        data = {"email": ann.email, "password": PASSWORD, "token": house.link(ann)}
        refused = await fresh.client.post(path, data=data, headers={"Sec-Fetch-Site": "cross-site"})
        assert refused.status_code == 403
        assert not await fresh.signed_in()


@pytest.mark.parametrize(
    "next",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/\tx", "data:x"],
)
async def test_confirming_and_signing_in_lead_nowhere_else(house: House, next: str) -> None:
    ann = house.person("Ann")
    async with house.proven(ann) as browser:
        page = await browser.client.get("/account/confirm", params={"next": next})
        assert "evil" not in page.text
        answer = await browser.send("/account/confirm/password", password=PASSWORD, next=next)
        assert answer.headers["location"] == "/account?done=confirmed"
    async with house.browser() as fresh:
        form = {"email": ann.email, "password": PASSWORD, "next": next}
        answer = await fresh.client.post("/sign-in/password", data=form)
        assert answer.headers["location"] == "/"


async def test_a_wrong_password_confirms_nothing_and_is_counted(house: House) -> None:
    async with house.browser(house.person("Ann", Role.ADMIN)) as browser:
        await browser.set_password()
        codes = [
            (await browser.send("/account/confirm/password", password="wrong wrong", next="/people")).status_code
            for _ in range(11)
        ]
        assert codes == [401] * 10 + [429]
        assert (await browser.send("/groups", name="x")).headers["location"].startswith("/account/confirm")


async def test_use_is_noted_now_and_then(house: House) -> None:
    ann = house.person("Ann")
    async with house.browser(ann) as browser:
        first = (await browser.api("GET", "/me/sessions")).json()["items"][0]["seen_at"]
        house.clock.ahead = timedelta(minutes=6)
        await browser.get("/account")
        assert (await browser.api("GET", "/me/sessions")).json()["items"][0]["seen_at"] > first


@pytest.mark.parametrize("path", ["/live", "/api/v1/runs/some-run/events"])
@pytest.mark.parametrize("way", ["sign-out", "ended", "switched off", "key"])
async def test_an_open_stream_ends_with_what_it_came_with(house: House, path: str, way: str) -> None:
    ann = house.person("Ann", Role.ADMIN)
    admin = house.person("Ada", Role.ADMIN)
    at = house.clock()
    with house.database.write() as session:
        cards.publish(session, agent="clerk", title="Clerk", source="", card={}, catalogue={}, at=at, by=SYSTEM)
        key = make_key(session, agent="clerk", at=at, by=SYSTEM)
    house.app.state.deps.owners.remember("some-run", "clerk")
    if way == "key" and path == "/live":
        return
    port = free_port()
    async with served(house.app, port), house.browser(ann) as browser, house.proven(admin) as other:
        headers = {"Host": "localhost:8484"}
        cookies = {COOKIE: browser.client.cookies[COOKIE]}
        if way == "key":
            headers["Authorization"], cookies = f"Bearer {key.key}", {}
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, cookies=cookies) as client,
            client.stream("GET", path, headers=headers) as stream,
        ):
            assert stream.status_code == 200
            parts = stream.aiter_text()
            assert "retry" in await anext(parts)
            reading = asyncio.create_task(_to_the_end(parts))
            if way == "sign-out":
                await browser.send("/sign-out")
            elif way == "ended":
                await other.send(f"/people/{ann.id}/sessions/end")
            elif way == "switched off":
                await other.send(f"/people/{ann.id}/access", disabled="yes")
            else:
                await other.send(f"/agents/clerk/keys/{key.id}/revoke")
            await reading
        assert house.app.state.deps.watch._listeners == set()


async def _to_the_end(parts: object) -> None:
    async for _ in parts:  # type: ignore[attr-defined]
        pass
