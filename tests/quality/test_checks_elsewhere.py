"""Seeded checks over the API: listed, shown and decided by whoever is shown them like requests, and by nobody else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.checks import CheckStatus
from assent.domain.errors import Conflict
from assent.domain.people import Role, Via
from assent.runtime.settings import Settings
from assent.runtime.verify import verify
from assent.store import outbox
from assent.store.people import Person
from assent.store.tables import CheckRow
from assent_activities import seeding
from tests.api.api import Api
from tests.pages.reading import PageReader
from tests.quality.seeded import shown
from tests.site import Site, build
from tests.world import make_world

API = "/api/v1/approvals"


@pytest_asyncio.fixture
async def site(temporal_server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """The pages, with a worker behind them; every request draws a check, and only the test makes them."""
    monkeypatch.setattr(seeding, "drawn", lambda seed, one_in: True)
    monkeypatch.setattr("assent.runtime.worker.seeding.seed", lambda database, now, channels: 0)
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        yield build(world)
    world.database.close()


@pytest.fixture
def ada(site: Site) -> Person:
    """Somebody who may do everything."""
    return site.person("Ada Admin", Role.ADMIN)


@asynccontextmanager
async def program(site: Site, person: Person) -> AsyncIterator[httpx.AsyncClient]:
    """A person's own program."""
    async with site.browser(person) as browser:
        page = PageReader((await browser.get("/account")).text)
        browser.headers["X-CSRF-Token"] = page.form("/sign-out").fields["csrf"]
        yield browser


async def get(browser: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await browser.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def status(site: Site, check: CheckRow) -> str:
    return site.world.row(CheckRow, check.id).status


async def test_it_is_listed_and_shown_like_a_request(site: Site, ada: Person) -> None:
    check = await shown(site, ada)
    async with program(site, ada) as browser:
        for params in ({}, {"mine": "true"}, {"agent": "desk-clerk", "type": "desk.pay", "least": "800"}):
            items = (await get(browser, API, **params))["items"]
            assert check.id in [each["id"] for each in items]
        items = (await get(browser, API))["items"]
        [listed] = [each for each in items if each["id"] == check.id]
        [real] = [each for each in items if each["id"] != check.id]
        assert listed.keys() == real.keys()
        assert len(listed["id"]) == len(real["id"])
        assert listed["action_id"].rpartition(":")[0] == listed["run_id"]
        assert [listed[name] for name in ("revision", "status", "decided_at")] == [1, "pending", None]
        assert check.id not in [each["id"] for each in (await get(browser, API, most="100"))["items"]]
        first = await get(browser, API, limit=1)
        rest = await get(browser, API, limit=1, cursor=first["next_cursor"]) if first["next_cursor"] else {"items": []}
        assert len(first["items"]) <= 2
        assert {each["id"] for each in [*first["items"], *rest["items"]]} <= {each["id"] for each in items}
        assert len((await get(browser, API, limit=2))["items"]) == 2
        for path in ("", "/comments", "/revisions", "/standing"):
            of_check = await get(browser, f"{API}/{check.id}{path}")
            of_real = await get(browser, f"{API}/{real['id']}{path}")
            assert of_check.keys() == of_real.keys(), path
        assert (await get(browser, f"{API}/{check.id}"))["check"] is None
        revisions = (await get(browser, f"{API}/{check.id}/revisions"))["revisions"]
        assert [each["digest"] for each in revisions] == [check.digest]
    async with program(site, site.person("Pia Plain", Role.APPROVER)) as browser:
        assert check.id not in [each["id"] for each in (await get(browser, API))["items"]]
        for path in ("", "/comments", "/revisions", "/standing"):
            assert (await browser.get(f"{API}/{check.id}{path}")).status_code == 404
    assert status(site, check) == CheckStatus.SHOWN


@pytest.mark.parametrize(
    ("verdict", "result", "told"),
    [("reject", CheckStatus.CAUGHT, "you caught it"), ("approve", CheckStatus.MISSED, "it got past you")],
)
async def test_deciding_it_is_told_in_the_answer(
    site: Site, ada: Person, verdict: str, result: CheckStatus, told: str
) -> None:
    check = await shown(site, ada)
    body = {"verdict": verdict, "digest": check.digest, "reason": "Too much.", "id": "mine-1"}
    done = len(site.world.desk.done)
    async with program(site, site.person("Pia Plain", Role.APPROVER)) as browser:
        assert (await browser.post(f"{API}/{check.id}/decisions", json=body)).status_code == 404
    async with program(site, ada) as browser:
        unreasoned = await browser.post(f"{API}/{check.id}/decisions", json={**body, "verdict": "reject", "reason": ""})
        assert unreasoned.status_code == 422
        stale = await browser.post(f"{API}/{check.id}/decisions", json={**body, "digest": "f" * 64})
        assert stale.status_code == 409
        assert status(site, check) == CheckStatus.SHOWN
        answer = await browser.post(f"{API}/{check.id}/decisions", json=body)
        assert answer.status_code == 202
        said = answer.json()
        assert (said["approval_id"], said["verdict"], said["check"]["result"]) == (check.id, verdict, result)
        assert told in said["check"]["told"]
        assert said["check"]["because"] == "It is twenty times what was agreed."
        again = (await browser.post(f"{API}/{check.id}/decisions", json={**body, "verdict": "approve"})).json()
        assert again["check"] == said["check"], "the first answer stays"
        whole = await get(browser, f"{API}/{check.id}")
        assert (whole["check"], whole["decided_by"]) == (said["check"], None)
        assert check.id not in [each["id"] for each in (await get(browser, API))["items"]]
    assert site.world.events(kind="check.answered") == ["check.answered"]
    assert len(site.world.desk.done) == done
    assert (await verify(site.world.database, site.world.client, lambda _: None)).clean


async def test_a_real_decision_says_that_it_was_no_check(site: Site, ada: Person) -> None:
    real = await site.waiting()
    async with program(site, ada) as browser:
        body = {"verdict": "approve", "digest": real.digest}
        answer = await browser.post(f"{API}/{real.approval_id}/decisions", json=body)
        assert answer.json()["check"] is None
    run_id = real.action_id.partition(":")[0]
    await site.world.outcome(run_id, "pay", ActionStatus.DONE)


async def test_it_is_decided_together_with_others(site: Site, ada: Person) -> None:
    check, real = await shown(site, ada), await site.waiting()
    items: list[Any] = [{"approval_id": each, "digest": "f" * 64} for each in (check.id, real.approval_id)]
    body: dict[str, Any] = {"verdict": "reject", "reason": "Too much.", "items": items}
    async with program(site, ada) as browser:
        stale = (await browser.post(f"{API}/decisions", json=body)).json()["items"]
        assert [item["refusal"] for item in stale] == [stale[1]["refusal"]] * 2
        assert status(site, check) == CheckStatus.SHOWN
        items[0]["digest"], items[1]["digest"] = check.digest, real.digest
        answer = (await browser.post(f"{API}/decisions", json=body)).json()
        assert (answer["sent"], answer["refused"]) == (2, 0)
        of_check, of_real = (item["decision"] for item in answer["items"])
        assert of_check.keys() == of_real.keys()
        assert (of_check["check"]["result"], of_real["check"]) == (CheckStatus.CAUGHT, None)
    assert status(site, check) == CheckStatus.CAUGHT
    async with program(site, site.person("Pia Plain", Role.APPROVER)) as browser:
        body["items"] = [items[0], {"approval_id": "ap-none", "digest": check.digest}]
        told = [item["refusal"]["what"] for item in (await browser.post(f"{API}/decisions", json=body)).json()["items"]]
        assert told == [f"There is no approval request {id}." for id in (check.id, "ap-none")]


@pytest.mark.parametrize("way", ["comments", "revisions"])
async def test_asking_about_it_or_changing_it_ends_it_gently(site: Site, ada: Person, way: str) -> None:
    check = await shown(site, ada)
    bodies: dict[str, dict[str, Any]] = {
        "comments": {"text": "Really?", "kind": "question"},
        "revisions": {"arguments": {"to": "carol", "amount": 40}, "digest": check.digest, "reason": "Too much."},
    }
    async with program(site, ada) as browser:
        if way == "revisions":
            same = {**bodies[way], "arguments": check.card["arguments"]}
            assert (await browser.post(f"{API}/{check.id}/revisions", json=same)).status_code == 422
        answer = await browser.post(f"{API}/{check.id}/{way}", json=bodies[way])
        assert answer.status_code == 201, answer.text
        wanted = {"comments": CheckStatus.QUESTIONED, "revisions": CheckStatus.CHANGED}[way]
        assert answer.json()["check"]["result"] == wanted
    assert status(site, check) == wanted


@pytest.mark.parametrize("way", ["asked", "reassignments"])
async def test_letting_somebody_else_decide_it_ends_it_gently(site: Site, ada: Person, way: str) -> None:
    check = await shown(site, ada)
    pia = site.person("Pia Plain", Role.APPROVER)
    body = {"to": "pia.plain@example.com", "reason": "Odd."}
    async with program(site, pia) as browser:
        answer = await browser.post(f"{API}/{check.id}/{way}", json={**body, "to": "ada.admin@example.com"})
        assert answer.status_code == 404
    async with program(site, ada) as browser:
        assert (await browser.post(f"{API}/{check.id}/{way}", json={**body, "to": "nobody"})).status_code == 404
        assert status(site, check) == CheckStatus.SHOWN
        answer = await browser.post(f"{API}/{check.id}/{way}", json=body)
        assert answer.status_code == 201, answer.text
        assert (answer.json()["to"], answer.json()["check"]["result"]) == (pia.id, CheckStatus.QUESTIONED)
    assert status(site, check) == CheckStatus.QUESTIONED
    assert site.world.row(CheckRow, check.id).reason == "Somebody else was to look at it. Odd."


async def test_nobody_else_sees_that_its_message_waits_for_slack(site: Site, ada: Person) -> None:
    check, real = await shown(site, ada), await site.waiting()
    with site.world.database.write() as session:
        for subject in (check.id, real.approval_id or ""):
            outbox.enqueue(session, "slack", "approval.requested", subject, datetime.now(UTC))
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get("/system/slack")).text)
        assert check.id in page.words
        waiting = outbox_count(page)
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        page = PageReader((await browser.get("/system/slack")).text)
        assert check.id not in page.words
        assert (real.approval_id or "") in page.words
        assert outbox_count(page) == waiting - 1


def outbox_count(page: PageReader) -> int:
    """How many messages the page about Slack says wait."""
    found = re.search(r"(\d+) messages? waits? for Slack", page.words)
    return int(found[1]) if found else 0


async def test_an_agents_key_meets_none(site: Site, ada: Person) -> None:
    check = await shown(site, ada)
    async with Api(site).agent() as agent:
        assert check.id not in [each["id"] for each in (await get(agent, "/approvals"))["items"]]
        assert (await agent.get(f"/approvals/{check.id}")).status_code == 404


async def test_there_is_no_vote_on_it_to_take_back(site: Site, ada: Person) -> None:
    check = await shown(site, ada)
    with pytest.raises(Conflict, match="has no vote in force"):
        await site.world.gateway.decide_check(check.id, verb=Verb.WITHDRAW, digest=check.digest, by=ada.acting(Via.API))
    assert status(site, check) == CheckStatus.SHOWN
