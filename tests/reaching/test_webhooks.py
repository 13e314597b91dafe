"""Webhooks are signed, called in order and again, go nowhere private, and one that is dead holds up no other."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import web

from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.people import SYSTEM, Role
from assent.reaching import calls
from assent.reaching.addresses import GuardedResolver, is_open
from assent.reaching.hooks import Caller
from assent.store import approvals, credentials, outbox, people, webhooks
from assent.store.sealing import Sealer
from assent.store.webhooks import SEALED_FOR, WEBHOOK
from tests.identity.house import ADDRESS, KEY, House
from tests.pages.reading import PageReader
from tests.reaching.bureau import Bureau
from tests.site import HOSTILE

SEALER = Sealer(KEY, SEALED_FOR)


@dataclass
class Receiver:
    """A program that is called.

    Attributes:
        url: Where.
        secret: What it checks signatures with.
        got: What it took: ids and bodies, oldest first.
        answers: What it says to the next calls; then 204.
        bad: How many calls were not signed by its secret.
        tries: How many calls there were.
    """

    url: str = ""
    secret: str = ""
    got: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    bad: int = 0
    tries: int = 0

    async def take(self, request: web.Request) -> web.Response:
        """Check and keep a call, as docs/reaching.md shows."""
        body, id, sent = await request.read(), request.headers["webhook-id"], request.headers["webhook-timestamp"]
        self.tries += 1
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = base64.b64encode(hmac.new(key, f"{id}.{sent}.".encode() + body, hashlib.sha256).digest()).decode()
        if f"v1,{signed}" not in request.headers["webhook-signature"].split():
            self.bad += 1
            return web.Response(status=401)
        if self.answers:
            return self.answers.pop(0)
        self.got.append((id, json.loads(body)))
        return web.Response(status=204)

    @property
    def events(self) -> list[object]:
        """What it was told."""
        return [body["type"] for _, body in self.got]


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A program on loopback."""
    made = Receiver()
    app = web.Application(client_max_size=10**7)
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
def told(bureau: Bureau) -> Bureau:
    """Requests that webhooks are told of."""
    bureau.channels = (WEBHOOK,)
    return bureau


def add(bureau: Bureau, url: str, person_id: str = "") -> tuple[str, str]:
    """Keep a webhook; gives its id and secret."""
    with bureau.database.write() as session:
        made, secret = webhooks.add(
            session, SEALER, url=url, at=bureau.clock(), by=SYSTEM, internal=True, person_id=person_id
        )
    return made.id, secret


def caller(bureau: Bureau, *, internal: bool = True) -> Caller:
    """What calls."""
    return Caller(bureau.database, SEALER, public_url=ADDRESS, internal=internal, clock=bureau.clock)


async def make_calls(one: Caller) -> None:
    """Make all that are due."""
    while await one.turn():
        pass


async def test_a_request_is_told_signed_and_in_order(told: Bureau, receiver: Receiver) -> None:
    ann = told.person("Ann")
    _, receiver.secret = add(told, receiver.url)
    approval_id = told.ask(agent_words=HOSTILE, arguments={"card": "••••••"})
    told.notify(approvals.CHANGED, approval_id)
    told.notify(approvals.REMINDER, approval_id)
    told.close(approval_id, ann)
    await make_calls(caller(told))
    assert receiver.events == ["approval.requested", "approval.reminded", "approval.decided"]
    assert len({id for id, _ in receiver.got}) == 3
    data = receiver.got[-1][1]["data"]
    assert isinstance(data, dict)
    assert (data["status"], data["decided_by"]) == ("approved", "Ann")
    assert data["url"] == f"{ADDRESS}/approvals/{approval_id}"
    assert data["card"]["agent_words"] == HOSTILE
    assert "/mail/" not in json.dumps(receiver.got)
    assert receiver.bad == 0
    assert told.queue(WEBHOOK) == []


async def test_what_was_not_taken_is_called_again_with_the_same_id(told: Bureau, receiver: Receiver) -> None:
    _, receiver.secret = add(told, receiver.url)
    receiver.answers = [
        web.Response(status=500),
        web.Response(status=429, headers={"Retry-After": "120"}),
        web.Response(status=302, headers={"Location": receiver.url}),
    ]
    told.ask()
    one = caller(told)
    for tries, error in enumerate(("500", "429", "redirect"), start=1):
        await make_calls(one)
        assert receiver.tries == tries
        [waiting] = told.queue(WEBHOOK)
        assert error in waiting.error
        if error == "429":
            assert waiting.due_at - told.clock() > timedelta(seconds=110)
        told.clock.ahead += waiting.due_at - told.clock() + timedelta(seconds=1)
    await make_calls(one)
    assert [id for id, _ in receiver.got] == [f"msg_{waiting.id}"]


DATES = ("Mon, 01 Jan 2024 00:00:00 +99999999999999999", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "x")


async def test_no_answer_ends_the_calls_to_others(told: Bureau, receiver: Receiver) -> None:
    hostile = Receiver(answers=[web.Response(status=503, headers={"Retry-After": date}) for date in DATES])
    _, hostile.secret = add(told, receiver.url)
    receiver.secret, receiver.answers = hostile.secret, hostile.answers
    stop = asyncio.Event()
    running = asyncio.create_task(caller(told).run(stop))
    for _ in DATES:
        told.ask()
    told.ask()
    for _ in range(500):
        if len(receiver.got) == len(DATES) + 1:
            break
        told.clock.ahead += timedelta(seconds=2)
        await asyncio.sleep(0.02)
    stop.set()
    await running
    assert len(receiver.got) == len(DATES) + 1


async def test_a_row_that_cannot_be_read_ends_nothing(told: Bureau, receiver: Receiver) -> None:
    id, receiver.secret = add(told, receiver.url)
    told.ask()
    with told.database.write() as session:
        [written] = outbox.queue(session, WEBHOOK).items
        for subject in (written.subject, "ap-other"):
            other = replace(written, subject=subject)
            outbox.address(
                session, other, id, kind="approval.of_a_later_version", revision=1, at=told.clock(), due_at=told.clock()
            )
    told.ask()
    await make_calls(caller(told))
    assert receiver.events == ["approval.requested"]
    assert "cannot be made" in told.queue(WEBHOOK)[-1].error + told.queue(WEBHOOK)[0].error


async def test_the_path_of_an_address_is_never_told(
    house: House, told: Bureau, caplog: pytest.LogCaptureFixture
) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"nonsense\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    add(told, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/s3cret")
    told.ask()
    one = caller(told)
    await make_calls(one)
    [waiting] = told.queue(WEBHOOK)
    assert "status line" in waiting.error
    async with house.browser(house.person("Oli", Role.OPERATOR)) as browser:
        page = await browser.get("/system/webhooks")
    told.clock.ahead += webhooks.GIVEN_UP_AFTER + timedelta(hours=2)
    await make_calls(one)
    server.close()
    [given_up] = house.events("webhook.given_up")
    assert "s3cret" not in waiting.error + page.text + caplog.text + json.dumps(given_up.body)


async def test_somebody_switched_off_is_told_nothing_more(told: Bureau, receiver: Receiver) -> None:
    ann, bob = told.person("Ann"), told.person("Bob")
    _, receiver.secret = add(told, receiver.url, ann.id)
    decided, waiting = told.ask(), told.ask()
    await make_calls(caller(told))
    assert len(receiver.got) == 2
    told.notify(approvals.REMINDER, waiting)
    one = caller(told)
    await one.turn()
    with told.database.write() as session:
        people.change(session, ann.id, disabled=True, at=told.clock(), by=SYSTEM)
    told.close(decided, bob)
    await make_calls(one)
    assert len(receiver.got) == 2
    assert told.queue(WEBHOOK) == []


async def test_what_was_not_taken_waits_for_the_end_of_quiet_hours(told: Bureau, receiver: Receiver) -> None:
    ann = told.person("Ann")
    _, receiver.secret = add(told, receiver.url, ann.id)
    receiver.answers = [web.Response(status=500)]
    told.ask(within=timedelta(days=2))
    one = caller(told)
    await make_calls(one)
    now = told.clock()
    quiet = {"starts": f"{now:%H:%M}", "ends": f"{now + timedelta(hours=3):%H:%M}"}
    told.choose(ann, quiet=quiet)
    told.clock.ahead += timedelta(hours=1)
    await make_calls(one)
    assert receiver.tries == 1
    told.clock.ahead += timedelta(hours=2)
    await make_calls(one)
    assert receiver.events == ["approval.requested"]


def test_whoever_had_an_account_is_told_nothing_after_a_reset(told: Bureau) -> None:
    ann = told.person("Ann")
    add(told, "https://thief.example.com/", ann.id)
    with told.database.write() as session:
        credentials.reset(session, ann, at=told.clock(), by=SYSTEM)
        assert webhooks.of_owner(session, ann.id) == []


async def test_one_that_is_dead_holds_up_no_other_and_is_given_up(
    house: House, told: Bureau, receiver: Receiver
) -> None:
    add(told, "http://127.0.0.1:9/hook")
    _, receiver.secret = add(told, receiver.url)
    for _ in range(30):
        told.ask()
    one = caller(told)
    await make_calls(one)
    assert len(receiver.got) == 30
    assert len(told.queue(WEBHOOK)) == 30
    told.clock.ahead += webhooks.GIVEN_UP_AFTER + timedelta(hours=2)
    for _ in range(3):
        await make_calls(one)
        told.clock.ahead += timedelta(minutes=1)
    assert told.queue(WEBHOOK) == []
    assert len(house.events("webhook.given_up")) == 30


async def test_a_persons_own_is_told_what_they_are_asked(told: Bureau, receiver: Receiver) -> None:
    ann, oli = told.person("Ann"), told.person("Oli", Role.OPERATOR)
    _, receiver.secret = add(told, receiver.url, ann.id)
    add(told, "http://127.0.0.1:9/hook", oli.id)
    told.ask()
    await make_calls(caller(told))
    assert receiver.events == ["approval.requested"]
    told.choose(ann, webhook=False)
    told.ask()
    await make_calls(caller(told))
    assert receiver.events == ["approval.requested"]
    assert told.queue(WEBHOOK) == []


async def test_nothing_private_is_called(told: Bureau, receiver: Receiver) -> None:
    _, receiver.secret = add(told, receiver.url)
    told.ask()
    await make_calls(caller(told, internal=False))
    assert receiver.tries == 0
    with pytest.raises(Forbidden):
        await GuardedResolver().resolve("localhost", 443)
    add(told, "https://localhost/hook")
    add(told, "https://10.0.0.1/hook")
    told.ask()
    await make_calls(caller(told, internal=False))
    assert all("private" in one.error or "https" in one.error for one in told.queue(WEBHOOK))


PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "x"),
    *("::a00:1", "::ffff:0:a00:1", "fec0::1"),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_open(address: str) -> None:
    assert not is_open(address)


def test_addresses_that_are_open() -> None:
    assert is_open("93.184.215.14")
    assert is_open("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://example.com", "https://u:p@example.com/", "https:///x", "https://e.com/#f", "x y"],
)
def test_addresses_that_are_never_kept(told: Bureau, url: str) -> None:
    with told.database.write() as session, pytest.raises(InvalidInput):
        webhooks.add(session, SEALER, url=url, at=told.clock(), by=SYSTEM, internal=False)


async def test_a_card_too_large_is_left_out_and_says_so(told: Bureau, receiver: Receiver) -> None:
    _, receiver.secret = add(told, receiver.url)
    told.ask(arguments={"text": "x" * calls.MOST_BYTES})
    await make_calls(caller(told))
    data = receiver.got[0][1]["data"]
    assert isinstance(data, dict)
    assert (data["card"], data["card_left_out"]) == (None, True)


async def test_two_callers_call_once(told: Bureau, receiver: Receiver) -> None:
    _, receiver.secret = add(told, receiver.url)
    for _ in range(20):
        told.ask()
    callers = [caller(told) for _ in range(3)]
    while told.queue(WEBHOOK):
        await asyncio.gather(*(make_calls(one) for one in callers))
    assert len({id for id, _ in receiver.got}) == len(receiver.got) == 20


async def test_on_the_page(house: House) -> None:
    ann, boss = house.person("Ann", Role.APPROVER), house.person("Boss", Role.ADMIN)
    async with house.browser(ann) as browser:
        page = await browser.send("/system/webhooks", url="https://example.com/a", whose="mine")
        assert page.headers["location"].startswith("/account/confirm")
    async with house.proven(ann) as browser:
        page = await browser.send("/system/webhooks", url="https://example.com/a", whose="mine")
        assert "whsec_" in page.text
        assert "whsec_" not in (await browser.get("/system/webhooks")).text
        assert (await browser.send("/system/webhooks", url="https://e.com/", whose="mine")).status_code == 409
        assert (await browser.send("/system/webhooks", url="https://e.com/", whose="everybody")).status_code == 403
        again = await browser.get("/system/webhooks")
        assert "https://example.com/a" in PageReader(again.text).words
    async with house.proven(boss) as browser:
        assert "whsec_" in (await browser.send("/system/webhooks", url="https://b.com/s3", whose="everybody")).text
        assert (await browser.send("/system/webhooks", url="http://10.0.0.1/", whose="everybody")).status_code == 422
        with house.database.read() as session:
            [shared], [own] = webhooks.of_owner(session), webhooks.of_owner(session, ann.id)
        async with house.browser(ann) as other:
            assert "s3" not in (await other.get("/system/webhooks")).text
            assert (await other.send(f"/system/webhooks/{shared.id}/remove")).status_code == 404
            assert (await other.send(f"/system/webhooks/{own.id}/remove")).status_code == 303
    said = [json.dumps(event.body) for event in house.events("webhook.added")]
    assert len(said) == 2
    assert "s3" not in "".join(said)


async def test_by_rest(house: House) -> None:
    ann, boss = house.person("Ann", Role.APPROVER), house.person("Boss", Role.ADMIN)
    mine, shared = {"url": "https://example.com/a"}, {"url": "https://b.com/s3", "everybody": True}
    async with house.browser(ann) as browser:
        assert (await browser.api("POST", "/webhooks", json=mine)).status_code == 403
    async with house.proven(ann) as browser, house.proven(boss) as admin:
        made = await browser.api("POST", "/webhooks", json=mine)
        assert made.status_code == 201
        own = made.json()
        assert own["secret"].startswith("whsec_")
        assert (own["url"], own["person_id"]) == (mine["url"], ann.id)
        assert made.headers["location"] == f"/api/v1/webhooks/{own['id']}"
        assert (await browser.api("POST", "/webhooks", json=mine)).status_code == 409
        assert (await browser.api("POST", "/webhooks", json=shared)).status_code == 403
        assert (await admin.api("POST", "/webhooks", json=shared | {"url": "http://10.0.0.1/"})).status_code == 422
        other = (await admin.api("POST", "/webhooks", json=shared)).json()
        listed = (await browser.api("GET", "/webhooks")).json()["items"]
        assert [(each["id"], each["host"], each["url"]) for each in listed] == [
            (own["id"], "example.com", mine["url"]),
            (other["id"], "b.com", None),
        ]
        assert "secret" not in listed[0]
        [seen] = (await admin.api("GET", "/webhooks")).json()["items"]
        assert (seen["url"], seen["person_id"]) == (shared["url"], None)
        assert (await browser.api("DELETE", f"/webhooks/{other['id']}")).status_code == 404
        assert (await browser.api("DELETE", f"/webhooks/{own['id']}")).status_code == 204
        assert (await admin.api("DELETE", f"/webhooks/{other['id']}")).status_code == 204
        assert (await admin.api("GET", "/webhooks")).json()["items"] == []
    assert [len(house.events(kind)) for kind in ("webhook.added", "webhook.removed")] == [2, 2]


def test_what_may_not_be(told: Bureau) -> None:
    ann = told.person("Ann")
    add(told, "https://example.com/", ann.id)
    with pytest.raises(Conflict):
        add(told, "https://example.com/2", ann.id)
    with told.database.write() as session, pytest.raises(NotFound):
        webhooks.remove(session, "hook-none", at=told.clock(), by=SYSTEM)
