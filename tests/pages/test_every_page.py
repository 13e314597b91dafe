"""Every page has an empty state, is well formed, loads nothing from elsewhere and asks who is there."""

from __future__ import annotations

import re

import pytest

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import Verb
from assent.domain.people import Role, Via
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.gateway import NewIncident
from assent.store.people import Person
from assent.store.queries import runs
from tests.pages.reading import PageReader
from tests.site import Site
from tests.world import action

_PASSKEYS_AT = "http://localhost:8484/"
"""A passkey belongs to a host name: pages opened by number lead to the installation's own name for them."""

EMPTY = {
    "/": "Nothing waits for you",
    "/runs": "Nothing has run yet",
    "/runs?status=failed": "No run matches",
    "/agents": "The desk clerk",
    "/agents/desk-clerk": "Mallory is never paid.",
    "/stop": "Nothing is stopped",
    "/incidents": "No incident yet",
    "/incidents?state=closed": "No incident is closed",
    "/incidents/actions": "No action is open",
    "/ledger?kind=effect.done": "No event matches",
    "/system": "No agent has a key",
    "/quality": "Nothing was counted yet",
    "/undo?kind=run": "Nothing has run yet",
    "/rollbacks": "Nothing was rolled back yet",
    "/rollbacks?status=held": "No rollback matches",
    "/records": "No agent touched a record yet",
    "/records?q=W1": "No record matches",
}


@pytest.mark.parametrize(("address", "words"), EMPTY.items())
async def test_empty_states(site: Site, ada: Person, address: str, words: str) -> None:
    async with site.browser(ada) as browser:
        page = await browser.get(address)
    assert page.status_code == 200
    assert words in PageReader(page.text).words


async def test_pages_are_well_formed_and_stay_at_home(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    decided = await site.waiting(to="carol")
    await site.world.decide(decided, Verb.APPROVE)
    run_id = decided.action_id.partition(":")[0]
    await site.world.result(run_id)
    ideas = await site.world.start(
        action("idea", "desk.idea", text="x"), action("bad", "desk.pay", to="mallory", amount=1)
    )
    await site.world.result(ideas)
    scope = RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)
    rollback_id = (await site.world.gateway.rollback(scope, by=ada.acting(Via.WEB))).id
    preview_id = (await site.world.gateway.preview_rollback(scope, by=ada.acting(Via.WEB))).rollback_id
    incident_id = await site.world.gateway.open_incident(NewIncident(run_ids=[run_id]), by=ada.acting(Via.WEB))
    async with site.browser(ada) as browser:
        addresses = {
            *EMPTY,
            f"/incidents/{incident_id}",
            f"/incidents/{incident_id}/report",
            f"/incidents/{incident_id}/find?by=table&name=desk&since=",
            "/incidents/new",
            f"/approvals/{waiting.approval_id}",
            f"/approvals/{decided.approval_id}",
            f"/runs/{run_id}",
            f"/runs/{ideas}",
            "/undo",
            "/undo?kind=type",
            "/undo?kind=record",
            "/undo?kind=run",
            "/rollbacks",
            f"/rollbacks/{preview_id}",
            f"/rollbacks/{preview_id}?verdict=conflict",
            f"/rollbacks/{rollback_id}",
            f"/rollbacks/{rollback_id}?outcome=left",
            "/records",
            "/records?q=c",
            "/records/desk/carol",
            "/ledger",
            "/no/such/page",
            "/runs/none",
        }
        seen: set[str] = set()
        while addresses - seen:
            address = min(addresses - seen)
            seen.add(address)
            page = await browser.get(address, follow_redirects=True)
            # Whoever may do everything is offered nothing that they are refused.
            assert page.status_code in (200, 404), (address, page.status_code)
            if "text/html" not in page.headers["content-type"]:
                continue
            reader = PageReader(page.text)
            assert len(reader.ids) == len(set(reader.ids)), address
            for found in reader.addresses:
                assert found.startswith(("/", "#", _PASSKEYS_AT)), (address, found)
                assert not found.startswith("//"), (address, found)
            elsewhere = re.sub(r'xmlns="[^"]*"', "", page.text).replace(_PASSKEYS_AT.rstrip("/"), "")
            assert not re.search(r"https?://", elsewhere), address
            if page.status_code == 200 and len(seen) < 80:
                links = {attributes["href"] for tag, attributes in reader.tags if tag == "a" and "href" in attributes}
                addresses |= {link.partition("#")[0] for link in links if link.startswith("/")} - {"/ledger/export"}


async def test_static_files_are_ours_and_stand_alone(site: Site) -> None:
    async with site.browser() as browser:
        for name in ("app.css", "app.js", "logo.svg"):
            answer = await browser.get(f"/static/{name}")
            assert answer.status_code == 200
            assert not re.search(r"(https?:)?//(?!www\.w3\.org/2000/svg)[a-z]", _without_comments(answer.text)), name


@pytest.mark.parametrize("address", ["/", "/runs", "/approvals/ap-1", "/ledger?kind=x", "/stop"])
async def test_nobody_signed_in_is_sent_to_sign_in_and_back(site: Site, address: str) -> None:
    async with site.browser() as browser:
        answer = await browser.get(address)
        assert answer.status_code == 303
        to = answer.headers["location"]
        assert to.startswith("/sign-in")
        page = PageReader((await browser.get(to)).text)
        assert "one-time link" in page.words
        person = site.person("Nina New")
        ask = await browser.get("/sign-in", params={"token": site.link(person), "next": address})
        form = PageReader(ask.text).form("/sign-in")
        back = await browser.post("/sign-in", data=form.fields)
        assert back.headers["location"] == address
        assert (await browser.get("/runs")).status_code == 200
        again = await browser.post("/sign-in", data=form.fields)
        assert again.status_code == 401
        assert "This link does not work" in PageReader(again.text).words


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
async def test_signing_in_never_leads_elsewhere(site: Site, elsewhere: str) -> None:
    async with site.browser() as browser:
        token = site.link(site.person("Nina New"))
        answer = await browser.post("/sign-in", data={"token": token, "next": elsewhere})
        assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "address", ["/runs/none", "/approvals/none", "/agents/none", "/rollbacks/none", "/records/none", "/nothing"]
)
async def test_what_is_not_there(site: Site, ada: Person, address: str) -> None:
    async with site.browser(ada) as browser:
        page = await browser.get(address)
    assert page.status_code == 404
    assert "There is no" in PageReader(page.text).words


@pytest.mark.parametrize(
    "address",
    [
        "/ledger?since=odd",
        "/runs?status=odd",
        "/runs?cursor=odd",
        "/?cursor=odd",
        "/stop?scope=odd",
        "/undo?kind=odd",
        "/records?q=a&cursor=odd",
        "/ledger?run=a&resource=b",
    ],
)
async def test_what_makes_no_sense(site: Site, ada: Person, address: str) -> None:
    async with site.browser(ada) as browser:
        page = await browser.get(address)
    assert page.status_code == 422
    assert "Not understood" in PageReader(page.text).words


async def test_a_run_tells_its_story(site: Site, ada: Person) -> None:
    run_id = await site.world.start(
        action("look", "desk.read", text="the balance"),
        ProposedAction(key="pay", type="desk.pay", arguments={"to": "bob", "amount": 40}, reason="He is owed it."),
        action("thanks", "desk.note", text="paid"),
        received={"from": "bob@example.com", "text": "Please pay me."},
    )
    waiting = await site.world.outcome(run_id, "pay", ActionStatus.AWAITING)
    await site.world.decide(waiting, Verb.APPROVE)
    await site.world.result(run_id)
    async with site.browser(ada) as browser:
        words = PageReader((await browser.get(f"/runs/{run_id}")).text).words
    for told in (
        "The agent received",
        "Please pay me.",
        "Read the balance",
        "He is owed it.",
        "The card asks a person to approve it.",
        "Ann Approver (in the web page) approved",
        "They saw exactly this request.",
        "desk/bob",
        "What the agent got back",
        "Completed",
    ):
        assert told in words, told
    order = [words.index(title) for title in ("Read the balance", "Pay 40 to bob", "Write down paid")]
    assert order == sorted(order)


async def test_older_runs_are_a_page_away(site: Site, ada: Person) -> None:
    for number in range(42):
        await site.world.start(open=True, run_id=f"many-{number:02d}", idle_seconds=60)
    await site.world.eventually(lambda: _runs(site) >= 42 or None)
    async with site.browser(ada) as browser:
        first = PageReader((await browser.get("/runs")).text)
        older = next(found for found in first.addresses if "cursor=" in found)
        second = PageReader((await browser.get(older)).text)
    shown = [found for page in (first, second) for found in page.addresses if found.startswith("/runs/many-")]
    assert len(shown) == len(set(shown)) == 42


async def test_only_auditors_read_the_ledger(site: Site, ada: Person) -> None:
    await site.finished("a")
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        page = await browser.get("/ledger")
        assert "The ledger is for auditors" in page.text
        assert "effect.done" not in page.text
        assert (await browser.get("/ledger/export")).status_code == 403
    async with site.browser(ada) as browser:
        page = await browser.get("/ledger")
        assert "effect.done" in page.text
        form = PageReader(page.text).form("/ledger/check")
        checked = await browser.post("/ledger/check", data=form.fields)
        assert "The chain is whole" in PageReader(checked.text).words
        none = await browser.get("/ledger", params={"until": "2020-01-01T00:00"})
        assert "No event matches" in none.text
        exported = (await browser.get("/ledger/export")).text.splitlines()
        assert any('"kind": "effect.done"' in line for line in exported)


def _runs(site: Site) -> int:
    with site.world.database.read() as session:
        return runs.count(session)


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", text, flags=re.S)
