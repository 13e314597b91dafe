"""Incidents by REST: the same doors, the same refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from assent.domain.approvals import Verb
from assent.domain.people import Role
from assent.store.people import Person
from tests.site import ADDRESS, Site


@asynccontextmanager
async def signed_in(site: Site, person: Person) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's session with the token that scripts send."""
    async with site.browser(person) as client:
        client.base_url = httpx.URL(f"{ADDRESS}/api/v1")
        client.headers["X-CSRF-Token"] = (await client.get("/me")).json()["csrf"]
        yield client


async def test_the_life_of_an_incident(site: Site, olga: Person) -> None:
    run_id = await site.finished("milk", "honey")
    async with signed_in(site, olga) as api:
        made = await api.post("/incidents", json={"runs": [run_id], "severity": "critical"})
        assert made.status_code == 201, made.text
        here = f"/incidents/{made.json()['id']}"
        assert made.headers["location"] == f"/api/v1{here}"
        assert made.json()["title"] == "Run Tidy up"
        shown = (await api.get(here)).json()
        assert (shown["facts"]["runs"], shown["facts"]["effects"]) == (1, 2)
        assert "Not stopped" in shown["draft"]
        paused = await api.post(f"{here}/pause", json={"kind": "run", "name": run_id})
        assert paused.status_code == 201, paused.text
        shown = (await api.get(here)).json()
        assert shown["state"] == "stopped"
        assert shown["pauses"] == [paused.json()["pause"]]
        found = await api.post(f"{here}/found", json={"by": "table", "name": "desk"})
        assert found.json() == {"added": 1}
        assert (await api.post(f"{here}/found", json={"by": "table", "name": "desk"})).json() == {"added": 0}
        parts = (await api.get(f"{here}/parts", params={"kind": "record"})).json()["items"]
        assert [part["ref"] for part in parts] == ["desk/notes"]
        assert len((await api.get(f"{here}/affected")).json()) == 2
        affected = (await api.get("/affected", params={"by": "table", "name": "desk", "limit": 1})).json()
        more = {"by": "table", "name": "desk", "limit": 1, "cursor": affected["next_cursor"]}
        rest = (await api.get("/affected", params=more)).json()
        assert rest["next_cursor"] is None
        assert rest["items"][0]["action_id"] != affected["items"][0]["action_id"]
        gone = await api.delete(f"{here}/parts", params={"kind": "record", "ref": "desk/notes"})
        assert gone.status_code == 204
        assert (await api.delete(f"{here}/parts", params={"kind": "record", "ref": "x"})).status_code == 404
        told = await api.post(f"{here}/told", json={"text": "We are on it."})
        assert told.status_code == 202, told.text
        assert told.json()["edited"]
        assert (await api.post(f"{here}/notes", json={"text": "Called Bo."})).status_code == 201
        entries = []
        cursor = None
        while True:
            page = (
                await api.get(f"{here}/timeline", params={"limit": 3, **({"cursor": cursor} if cursor else {})})
            ).json()
            entries += page["items"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert [entry["event"] for entry in entries] == sorted({entry["event"] for entry in entries})
        kinds = [entry["kind"] for entry in entries]
        assert {"incident.opened", "pause.requested", "incident.moved", "incident.noted", "incident.told"} <= set(kinds)
        assert (await api.post(f"{here}/state", json={"state": "closed"})).status_code == 409
        assert (await api.post(f"{here}/state", json={"state": "mended"})).status_code == 200
        for section in ("what_happened", "cause", "changes"):
            kept = await api.put(f"{here}/report/{section}", json={"text": "Words.", "after": 0})
            assert kept.json() == {"version": 1}
        assert (await api.put(f"{here}/report/cause", json={"text": "Late.", "after": 0})).status_code == 409
        report = (await api.get(f"{here}/report")).json()
        assert report["sections"][1]["versions"][0]["text"] == "Words."
        agreed = await api.post(f"{here}/actions", json={"text": "Ask twice", "owner": olga.id, "due": "2020-01-31"})
        assert agreed.status_code == 201, agreed.text
        (todo,) = (await api.get("/incident-actions")).json()["items"]
        assert todo["overdue"]
        assert todo["owner"] == "Olga Operator"
        change = f"/incident-actions/{todo['id']}"
        assert (await api.patch(change, json={"state": "dropped"})).status_code == 422
        assert (await api.patch(change, json={"due": "2999-01-31"})).status_code == 204
        assert (await api.patch(change, json={"state": "done"})).status_code == 204
        assert (await api.get(f"{here}/actions")).json()["items"][0]["state"] == "done"
        closed = await api.post(f"{here}/state", json={"state": "closed"})
        assert closed.json()["closed_at"]
        assert (await api.post(f"{here}/parts", json={"kind": "run", "refs": [run_id]})).status_code == 409
        assert (await api.get("/incidents", params={"open": True})).json()["items"] == []
        assert (await api.post(f"{here}/state", json={"state": "open"})).status_code == 422
        again = await api.post(f"{here}/state", json={"state": "open", "why": "It is back."})
        assert again.json()["closed_at"] is None


async def test_a_customer_is_found_by_what_requests_name(site: Site, olga: Person) -> None:
    decided = await site.waiting(to="carol")
    run_id = decided.action_id.partition(":")[0]
    other = await site.finished("milk")
    await site.world.decide(decided, Verb.APPROVE)
    await site.world.result(run_id)
    async with signed_in(site, olga) as api:
        found = (await api.get("/affected", params={"by": "customer", "name": "carol"})).json()["items"]
        assert {each["run_id"] for each in found} == {run_id}
        record = (await api.get("/affected", params={"by": "record", "name": "carol"})).json()["items"]
        assert [each["record"] for each in record] == ["desk/carol"]
        nobody = (await api.get("/affected", params={"by": "customer", "name": other})).json()["items"]
        assert {each["run_id"] for each in nobody} <= {other}
        later = {"by": "table", "name": "desk", "since": "2999-01-01T00:00:00Z"}
        assert (await api.get("/affected", params=later)).json()["items"] == []


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR])
async def test_who_may(site: Site, role: Role) -> None:
    async with signed_in(site, site.person("Pia Plain", role)) as api:
        assert (await api.get("/incidents")).status_code == (200 if role is Role.AUDITOR else 403)
        assert (await api.post("/incidents", json={"title": "x"})).status_code == 403
        assert (await api.post("/incidents/none/notes", json={"text": "x"})).status_code == 403
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url=ADDRESS) as nobody:
        assert (await nobody.get("/api/v1/incidents")).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"title": "x" * 201}, 422),
        ({"title": "x", "commander": "nobody"}, 404),
        ({"runs": ["run-none"]}, 404),
        ({"pauses": ["pause-none"]}, 404),
        ({"title": "x", "rollbacks": ["none"]}, 404),
        ({"title": "x", "records": [""]}, 422),
        ({"title": "x", "severity": "odd"}, 422),
    ],
)
async def test_what_opens_nothing(site: Site, olga: Person, body: dict[str, object], status: int) -> None:
    async with signed_in(site, olga) as api:
        refused = await api.post("/incidents", json=body)
        assert refused.status_code == status, refused.text
        assert (await api.get("/incidents")).json()["items"] == []
