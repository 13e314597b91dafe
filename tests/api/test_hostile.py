"""Whatever is sent to the API, nobody gets where they may not, and every refusal says what, where and what to do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent.domain.people import SYSTEM, Role
from assent.gateway import Gateway
from assent.store import people
from assent.store.keys import KeyScope, revoke_key
from assent_ui.app import create_app
from tests.api.api import NOTE, PAY, Api, fresh, start
from tests.site import ADDRESS, KEY


def is_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """A refusal as RFC 9457 wants it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance", "where", "todo"} <= set(problem)
    assert problem["status"] == status
    assert problem["instance"] == answer.request.url.path
    return problem


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer assent_",
        "Bearer assent_wrong",
        "Basic YTpi",
        "Bearer assent_" + "x" * 10_000,
        "Bearer ' OR 1=1 --",
    ],
)
async def test_a_wrong_key(still: Api, authorization: str) -> None:
    async with still.nobody() as stranger:
        answer = await stranger.get("/runs", headers={"Authorization": authorization})
        is_problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_nobody(still: Api) -> None:
    async with still.nobody() as stranger:
        for method, path in (("GET", "/runs"), ("POST", "/runs"), ("GET", "/me"), ("POST", "/pauses")):
            is_problem(await stranger.request(method, path, json={} if method == "POST" else None), 401)


async def test_a_key_that_ended(still: Api) -> None:
    expired = still.key(made=datetime.now(UTC) - timedelta(days=2))
    async with still.with_key(expired) as late:
        assert is_problem(await late.get("/runs"), 401)["detail"] == "This key is too old."
    key = still.key()
    async with still.with_key(key) as agent:
        key_id = (await agent.get("/me")).json()["id"]
        with still.world.database.write() as session:
            revoke_key(session, key_id, at=datetime.now(UTC), by=SYSTEM)
        assert is_problem(await agent.get("/runs"), 401)["detail"] == "This key was revoked."


async def test_a_key_with_less_scope(api: Api) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
    async with api.with_key(api.key(scopes=[KeyScope.RUNS_READ])) as reader:
        assert (await reader.get(f"/runs/{run_id}/timeline")).status_code == 200
        for path in ("/runs", f"/runs/{run_id}/actions", f"/runs/{run_id}/end"):
            body = NOTE if path.endswith("actions") else {}
            assert "runs:write" in is_problem(await reader.post(path, json=body), 403)["detail"]
    async with api.with_key(api.key(scopes=[KeyScope.RUNS_WRITE])) as writer:
        is_problem(await writer.get(f"/runs/{run_id}"), 403)
        assert (await writer.post(f"/runs/{run_id}/actions", json=NOTE)).status_code == 200


async def test_another_agents_things_are_not_there(api: Api) -> None:
    async with api.agent() as agent, api.with_key(api.key(api.second_agent())) as other:
        run_id = await start(agent)
        waiting = (await agent.post(f"/runs/{run_id}/actions", json=PAY)).json()
        for path in ("", "/timeline", "/events", "/actions", "/actions/pay"):
            is_problem(await other.get(f"/runs/{run_id}{path}"), 404)
        is_problem(await other.post(f"/runs/{run_id}/actions", json=NOTE), 404)
        is_problem(await other.post(f"/runs/{run_id}/end", json={"stop": True}), 404)
        is_problem(await other.get(f"/approvals/{waiting['approval_id']}"), 404)
        is_problem(await other.get("/agents/desk-clerk"), 404)
        is_problem(await other.get("/action-types?agent=desk-clerk"), 404)
        is_problem(await other.post("/runs", json={"agent": "desk-clerk"}), 403)
        assert (await other.get("/runs?agent=desk-clerk")).json()["items"] == []
        assert (await other.get("/approvals?agent=desk-clerk")).json()["items"] == []
        assert [each["name"] for each in (await other.get("/agents")).json()["items"]] == ["other-clerk"]


async def test_an_id_that_is_not_written_yet_is_no_way_into_another_agents_run(still: Api) -> None:
    # Without a worker the run stays unwritten, as it is for a moment everywhere else.
    mine = fresh("mine")
    key, other_key = still.key(), still.key(still.second_agent())
    async with still.with_key(key) as agent, still.with_key(other_key) as other:
        assert (await agent.post("/runs", json={"run_id": mine})).status_code == 201
        assert (await agent.post("/runs", json={"run_id": mine})).status_code == 201
        is_problem(await other.post("/runs", json={"run_id": mine}), 409)
        assert (await other.get(f"/runs/{mine}/events")).status_code in {404, 503}
        assert (await other.post(f"/runs/{mine}/actions", json=NOTE)).status_code in {404, 503}
        assert (await other.get(f"/runs/{mine}")).status_code in {404, 503}
        unwritten = is_problem(await agent.get(f"/runs/{mine}"), 503)
        assert "no worker has taken it up" in unwritten["detail"]


async def test_a_forged_session(still: Api) -> None:
    async with still.person(Role.ADMIN) as admin, still.nobody() as stranger:
        cookie = admin.cookies["assent_session"]
        token, _, signature = cookie.rpartition(".")
        other = ("y" if token.startswith("x") else "x") + token[1:]
        for forged in ("x", f"{token}.{'0' * len(signature)}", f"{other}.{signature}", cookie + "0", token):
            stranger.cookies.set("assent_session", forged)
            is_problem(await stranger.get("/runs"), 401)


async def test_a_session_of_another_installation(still: Api) -> None:
    async with still.person(Role.ADMIN) as admin:
        other = create_app(still.world.gateway, still.world.database, public_url=ADDRESS, secret_key="another" * 6)
        transport = httpx.ASGITransport(other)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, cookies=admin.cookies) as client:
            assert (await client.get("/api/v1/runs")).status_code == 401


async def test_a_person_who_was_switched_off(still: Api) -> None:
    async with still.person(Role.APPROVER) as person:
        person_id = (await person.get("/me")).json()["id"]
        with still.world.database.write() as session:
            people.change(session, person_id, at=datetime.now(UTC), by=SYSTEM, disabled=True)
        is_problem(await person.get("/runs"), 401)


async def test_after_signing_out_the_cookie_is_worth_nothing(still: Api) -> None:
    async with still.person() as person, still.nobody() as stranger:
        stranger.cookies.set("assent_session", person.cookies["assent_session"])
        assert (await stranger.get("/me")).status_code == 200
        await person.post(f"{ADDRESS}/sign-out")
        is_problem(await stranger.get("/me"), 401)


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
async def test_a_request_without_the_persons_own_token(still: Api, token: str | None) -> None:
    async with still.person(Role.OPERATOR) as operator:
        del operator.headers["X-CSRF-Token"]
        headers = {} if token is None else {b"X-CSRF-Token": token.encode()}
        body = {"scope": {"kind": "everything"}}
        assert is_problem(await operator.post("/pauses", json=body, headers=headers), 403)["where"] == "X-CSRF-Token"
        assert (await operator.get("/pauses")).json()["items"] == []


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_a_request_from_another_site(still: Api, headers: dict[str, str]) -> None:
    async with still.person(Role.OPERATOR) as operator:
        answer = await operator.post("/pauses", json={"scope": {"kind": "everything"}}, headers=headers)
        assert is_problem(answer, 403)["where"] == "Origin"


async def test_a_form_cannot_pretend_to_be_json(still: Api) -> None:
    async with still.person(Role.OPERATOR) as operator:
        csrf = operator.headers.pop("X-CSRF-Token")
        body = '{"scope": {"kind": "everything"}}'
        answer = await operator.post(
            "/pauses", content=body, headers={"Content-Type": "text/plain", "X-CSRF-Token": csrf}
        )
        is_problem(answer, 422)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/runs/nowhere", 404),
        ("/runs/nowhere/timeline", 404),
        ("/runs/nowhere/events", 404),
        ("/runs/nowhere/actions/a", 404),
        ("/approvals/nowhere", 404),
        ("/pauses/nowhere", 404),
        ("/rollbacks/nowhere", 404),
        ("/agents/nobody", 404),
        ("/nowhere", 404),
        ("/runs?limit=0", 422),
        ("/runs?limit=201", 422),
        ("/runs?limit=many", 422),
        ("/runs?status=asleep", 422),
        ("/runs?cursor=forged", 422),
        ("/runs/x/timeline?after=-1", 422),
        ("/runs/x/timeline?after=99999999999999999999", 422),
        ("/runs/x/actions/a%20b", 422),
        ("/runs/x/actions/a?wait=61", 422),
        ("/runs/x/actions/a?wait=nan", 422),
        ("/approvals?status=lost", 422),
        ("/runs/%00", 404),
        ("/rollbacks/a%00b", 404),
        ("/runs?agent=%00", 404),
        ("/runs/" + "x" * 300, 422),
    ],
)
async def test_what_is_not_there_or_not_understood(still: Api, path: str, status: int) -> None:
    async with still.person(Role.ADMIN) as person:
        is_problem(await person.get(path), status)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"run_id": "../etc"}, "run_id"),
        ({"goal": "x" * 10_001}, "goal"),
        ({"idle_seconds": 0}, "idle_seconds"),
        ({"plan": [{"key": "a"}]}, "plan.0.type"),
        ({"plan": [{"key": "a b", "type": "desk.note"}]}, "plan.0.key"),
        ({"surprise": 1}, "surprise"),
        ({"agent": 7}, "agent"),
        ([], "body"),
    ],
)
async def test_each_field_that_breaks_the_schema_is_named(still: Api, body: object, where: str) -> None:
    async with still.agent() as agent:
        problem = (await agent.post("/runs", json=body)).json()
        assert problem["status"] == 422
        assert where in [fault["where"] for fault in problem["errors"]]


async def test_a_plan_that_cannot_run_is_refused(still: Api) -> None:
    async with still.agent() as agent:
        cycle = [
            {"key": "a", "type": "desk.note", "after": ["b"]},
            {"key": "b", "type": "desk.note", "after": ["a"]},
        ]
        doubled = [{"key": "a", "type": "desk.note"}, {"key": "a", "type": "desk.note"}]
        for plan in (cycle, doubled):
            is_problem(await agent.post("/runs", json={"plan": plan}), 422)
        assert (await agent.get("/runs")).json()["items"] == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"goal": NaN}', b"[" * 5_000, b'{"goal": "\\ud800"}'])
async def test_bodies_that_cannot_be_read(still: Api, body: bytes) -> None:
    async with still.agent() as agent:
        answer = await agent.post("/runs", content=body, headers={"Content-Type": "application/json"})
        problem = is_problem(answer, 400 if b"[" in body else 422)
        assert problem["detail"]


async def test_bodies_that_are_too_large(api: Api) -> None:
    async with api.agent() as agent:
        announced = await agent.post("/runs", content=b"x" * (2 * 1024 * 1024 + 1))
        assert is_problem(announced, 413)["where"] == "body"

        async def dribble() -> AsyncIterator[bytes]:
            for _ in range(30):
                yield b"x" * 100_000

        is_problem(await agent.post("/runs", content=dribble()), 413)
        run_id = await start(agent)
        heavy = {"type": "desk.note", "arguments": {"text": "x" * 1_100_000}}
        assert is_problem(await agent.post(f"/runs/{run_id}/actions", json=heavy), 413)["where"] == "arguments"
        for huge in (2**53, 1e400, -(2**60)):
            answer = await agent.post(
                f"/runs/{run_id}/actions",
                content=f'{{"type": "desk.note", "arguments": {{"text": {huge if huge != 1e400 else "1e400"}}}}}',
                headers={"Content-Type": "application/json"},
            )
            is_problem(answer, 422)


async def test_another_name_for_this_machine(still: Api) -> None:
    async with still.person() as person:
        assert is_problem(await person.get("/me", headers={"Host": "rebound.example"}), 400)["where"] == "Host"
        for host in ("127.0.0.1:8484", "localhost:1", "[::1]", "192.168.7.7:8484"):
            assert (await person.get("/me", headers={"Host": host})).status_code == 200
        for host in ("", "a b", "evil.example@127.0.0.1", "127.0.0.1/../evil.example"):
            assert (await person.get("/me", headers={"Host": host})).status_code == 400
    async with still.agent() as agent:
        assert (await agent.get("/me", headers={"Host": "assent.internal:8484"})).status_code == 200


async def test_temporal_is_away(still: Api) -> None:
    away = create_app(Gateway(None, still.world.database), still.world.database, public_url=ADDRESS, secret_key=KEY)
    transport = httpx.ASGITransport(away)
    headers = {"Authorization": f"Bearer {still.key()}"}
    async with httpx.AsyncClient(transport=transport, base_url=f"{ADDRESS}/api/v1", headers=headers) as agent:
        answer = await agent.post("/runs", json={})
        assert "Nothing was changed" in is_problem(answer, 503)["todo"]
        assert answer.headers["retry-after"]
        assert (await agent.get("/runs")).status_code == 200
        ready = await agent.get(f"{ADDRESS}/readyz")
        assert ready.status_code == 503
        assert ready.json()["parts"]["database"]["ok"]
        assert not ready.json()["parts"]["temporal"]["ok"]


async def test_every_answer_is_guarded(still: Api) -> None:
    async with still.nobody() as stranger:
        for path in ("/me", f"{ADDRESS}/", f"{ADDRESS}/api/docs", f"{ADDRESS}/nowhere", f"{ADDRESS}/healthz"):
            headers = (await stranger.get(path)).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert "server" not in headers


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=json_values, path=st.sampled_from(["/runs", "/pauses", "/rollbacks", "/approvals/x/decisions"]))
async def test_no_body_breaks_the_server(quiet: httpx.AsyncClient, body: object, path: str) -> None:
    content = json.dumps(body).encode("utf-8", "replace")
    answer = await quiet.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500 or answer.status_code == 503
