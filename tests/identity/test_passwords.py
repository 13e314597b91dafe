"""Passwords: rules, guessing, and what a stranger can learn from the answers."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters

from assent.domain.errors import InvalidInput
from assent.domain.people import Role, Via
from assent.store import passwords
from assent.store.attempts import PER_ACCOUNT, PER_ADDRESS
from assent.store.refusals import PER_MINUTE
from tests.identity.house import PASSWORD, House


async def test_somebody_sets_one_and_signs_in_with_it(house: House) -> None:
    ann = house.person("Ann", Role.ADMIN)
    async with house.browser(ann) as browser:
        assert (await browser.set_password()).headers["location"] == "/account?done=password"
    async with house.browser() as fresh:
        assert 'name="password"' in (await fresh.get("/sign-in")).text
        answer = await fresh.sign_in(" ANN@example.com ")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        # It is a fresh proof, for five minutes.
        assert (await fresh.send("/groups", name="finance")).headers["location"] == "/groups/finance"
        house.clock.ahead = timedelta(minutes=5, seconds=5)
        assert (await fresh.send("/groups", name="sre")).headers["location"].startswith("/account/confirm")
        await fresh.confirm()
        assert (await fresh.send("/groups", name="sre")).headers["location"] == "/groups/sre"
    assert [event.body["how"] for event in house.events("session.opened")] == ["link", "password"]
    assert [event.kind for event in house.events("password.set")] == ["password.set"]


async def test_only_its_hash_is_kept(house: House) -> None:
    ann = house.person("Ann")
    async with house.proven(ann):
        pass
    with house.database.read() as session:
        kept = passwords.kept_hash(session, ann.id) or ""
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert extract_parameters(kept) == extract_parameters(passwords._NOBODY)
    assert not PasswordHasher().check_needs_rehash(passwords._NOBODY)
    assert not any(PASSWORD.encode() in content for content in files_of(house))


def files_of(house: House) -> list[bytes]:
    """What is on the disk: SQLite's file, and its log with what is not in the file yet."""
    path = house.database.url.database or ""
    return [Path(f"{path}{ending}").read_bytes() for ending in ("", "-wal")]


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", "12 to 1,000"),
        ("x" * 1_001, "12 to 1,000"),
        ("ann@example.com", "your own name or address"),
        ("AnnAnnAnnAnn1", "your own name or address"),
    ],
)
async def test_bad_ones_are_refused(house: House, password: str, fault: str) -> None:
    async with house.browser(house.person("Ann")) as browser:
        answer = await browser.send("/account/password", password=password, again=password)
        assert answer.status_code == 422
        assert fault in answer.text
        differing = await browser.send("/account/password", password=PASSWORD, again=f"{PASSWORD}!")
        assert "not the same" in differing.text
        assert 'value="four words' not in differing.text
    assert house.events("password.set") == []


def test_the_same_characters_count_however_they_were_typed(house: House) -> None:
    composed = unicodedata.normalize("NFC", "Übermäßig größer")
    kept = passwords.hashed(composed)
    assert passwords.matches(kept, unicodedata.normalize("NFD", composed))
    assert not passwords.matches(kept, composed.upper())
    assert not passwords.matches(None, composed)
    with pytest.raises(InvalidInput):
        passwords.check_rules("x" * 11, house.person("Ann"))


async def test_strangers_learn_nothing(house: House) -> None:
    house.person("Nopass")
    gone = house.person("Gone")
    async with house.proven(house.person("Ann")), house.proven(gone):
        pass
    async with house.proven(house.person("Ada", Role.ADMIN)) as admin:
        await admin.send(f"/people/{gone.id}/access", disabled="yes")
    async with house.browser() as fresh:
        answers = [
            await fresh.sign_in("nobody@example.com"),
            await fresh.sign_in("nopass@example.com"),
            await fresh.sign_in("ann@example.com", "a wrong password"),
            await fresh.sign_in("gone@example.com"),
            await fresh.sign_in("not an address"),
        ]
    assert {answer.status_code for answer in answers} == {401}
    pages = {answer.text.replace(email, "") for answer, email in zip(answers, _typed(), strict=True)}
    assert len(pages) == 1


def _typed() -> list[str]:
    return ["nobody@example.com", "nopass@example.com", "ann@example.com", "gone@example.com", "not an address"]


async def test_unknown_people_cost_one_check_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bool] = []
    check = passwords.matches

    def counted(kept: str | None, password: str) -> bool:
        checked.append(kept is not None)
        return check(kept, password)

    monkeypatch.setattr(passwords, "matches", counted)
    async with house.proven(house.person("Ann")), house.browser() as fresh:
        checked.clear()
        await fresh.sign_in("nobody@example.com")
        await fresh.sign_in("ann@example.com", "a wrong password")
    assert checked == [False, True]


async def test_guessing_one_account_ends_soon(house: House) -> None:
    ann = house.person("Ann")
    async with house.proven(ann):
        pass
    for number in range(PER_ACCOUNT):
        async with house.browser(address=f"198.51.100.{number}") as thief:
            assert (await thief.sign_in("ann+x@example.com", "a wrong password")).status_code == 401
    async with house.browser(address="198.51.100.99") as fresh:
        refused = await fresh.sign_in("ann@example.com")
        assert refused.status_code == 429
        assert "tried too often" in refused.text
        # Other ways in are open, and an account that is not there is counted the same way.
        await fresh.client.post("/sign-in", data={"token": house.link(ann)})
        assert await fresh.signed_in()
        await fresh.send("/sign-out")
        house.clock.ahead = timedelta(minutes=15, seconds=1)
        assert (await fresh.sign_in("ann@example.com")).status_code == 303
    whys = [event.body["why"] for event in house.events("session.refused")]
    assert whys.count("That was tried too often.") == 1
    assert {event.body.get("person") for event in house.events("session.refused")} <= {ann.id, None}


async def test_a_success_starts_the_count_again(house: House) -> None:
    async with house.proven(house.person("Ann")), house.browser() as fresh:
        for _ in range(3):
            for _ in range(PER_ACCOUNT - 1):
                assert (await fresh.sign_in("ann@example.com", "wrong")).status_code == 401
            assert (await fresh.sign_in("ann@example.com")).status_code == 303


async def test_guessing_from_one_address_ends_and_does_not_fill_the_ledger(house: House) -> None:
    async with house.browser(address="2001:db8::1") as thief:
        codes = [(await thief.sign_in(f"nobody{n}@example.com", "x")).status_code for n in range(PER_ADDRESS + 5)]
    assert codes == [401] * PER_ADDRESS + [429] * 5
    async with house.browser(address="2001:db8::ffff") as neighbour:
        assert (await neighbour.sign_in("ann@example.com", "x")).status_code == 429
    async with house.browser(address="2001:db8:0:1::1") as elsewhere:
        assert (await elsewhere.sign_in("ann@example.com", "x")).status_code == 401
    refused = house.events("session.refused")
    assert len(refused) <= PER_MINUTE
    assert "nobody1@example.com" not in str([event.body for event in refused])


async def test_changing_it_ends_every_other_session(house: House) -> None:
    ann = house.person("Ann")
    async with house.browser(ann) as first, house.browser(ann) as second:
        await first.set_password()
        assert not await second.signed_in()
        assert await first.signed_in()
        # Now it needs a fresh proof.
        refused = await first.send("/account/password", password="another password", again="another password")
        assert refused.status_code == 403
        await first.confirm()
        await first.set_password("another password")
    async with house.browser() as fresh:
        assert (await fresh.sign_in("ann@example.com")).status_code == 401
        assert (await fresh.sign_in("ann@example.com", "another password")).status_code == 303
        await fresh.send("/account/password/remove")
        assert (await fresh.sign_in("ann@example.com", "another password")).status_code == 401
    assert len(house.events("password.changed")) == len(house.events("password.removed")) == 1


async def test_a_first_one_is_set_soon_after_signing_in(house: House) -> None:
    async with house.browser(house.person("Ann")) as browser:
        house.clock.ahead = timedelta(minutes=16)
        refused = await browser.send("/account/password", password=PASSWORD, again=PASSWORD)
        assert refused.status_code == 403
        assert "within 15 minutes of signing in" in refused.text
        assert "new-password" not in refused.text
    assert house.events("password.set") == []


async def test_an_old_hash_is_renewed(house: House) -> None:
    ann = house.person("Ann")
    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    with house.database.write() as session:
        passwords.keep(session, ann, weak, at=house.clock(), by=ann.acting(Via.WEB))
    async with house.browser() as fresh:
        assert (await fresh.sign_in("ann@example.com")).status_code == 303
    with house.database.read() as session:
        renewed = passwords.kept_hash(session, ann.id) or ""
    assert renewed != weak
    assert not passwords.is_outdated(renewed)
    assert passwords.matches(renewed, PASSWORD)
