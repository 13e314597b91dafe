"""Editing requests and talking about them through the API."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from assent.domain.actions import ActionStatus
from assent.domain.people import Role
from assent.domain.talk import MAX_TEXT
from assent.store.keys import KeyScope
from tests.api.api import PAY, Api, start


async def ask(agent: httpx.AsyncClient, **proposal: Any) -> dict[str, Any]:
    """A payment that waits, as the API shows its request."""
    run_id = await start(agent)
    waiting = (await agent.post(f"/runs/{run_id}/actions", json=PAY | proposal)).json()
    request: dict[str, Any] = (await agent.get(f"/approvals/{waiting['approval_id']}")).json()
    return request


async def test_an_edit_makes_a_revision(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.APPROVER) as approver:
        request = await ask(agent)
        assert request["revision"] == 1
        address = f"/approvals/{request['id']}/revisions"
        body = {"arguments": {"to": "bob", "amount": 25}, "digest": request["digest"], "reason": "Less will do."}
        made = await approver.post(address, json=body | {"id": "click-1"})
        assert made.status_code == 201, made.text
        edit = made.json()
        assert (edit["revision"], edit["wait"], edit["by"]["via"]) == (2, None, "api")
        assert (await approver.get(f"{address}/{edit['id']}")).json() == edit
        kept = (await agent.get(address)).json()
        assert [each["card"]["headline"] for each in kept["revisions"]] == ["Pay 40 to bob", "Pay 25 to bob"]
        assert kept["revisions"][1]["reason"] == "Less will do."
        changed = kept["revisions"][1]["card"]["revised"]["changes"]
        assert changed == [{"path": ["amount"], "change": "changed", "before": 40, "after": 25}]
        assert kept["refused"] == []
        now = (await approver.get(f"/approvals/{request['id']}")).json()
        assert (now["revision"], now["digest"]) == (2, edit["digest"])
        decide = f"/approvals/{request['id']}/decisions"
        stale = await approver.post(decide, json={"verdict": "approve", "digest": request["digest"]})
        assert (stale.status_code, stale.json()["where"]) == (409, "digest")
        await approver.post(decide, json={"verdict": "approve", "digest": now["digest"]})
        outcome = (await agent.get(f"/runs/{request['run_id']}/actions/pay?wait=30")).json()
        assert (outcome["status"], outcome["edited_by"]) == ("done", "Pat Person")
        assert outcome["arguments"] == {"to": "bob", "amount": 25}
        assert api.world.desk.balances == {"bob": 25}
        listed = (await agent.get(f"/runs/{request['run_id']}/actions")).json()["items"]
        assert listed[0]["edited_by"] == "Pat Person"


async def test_what_is_wrong_with_an_edit_is_said_place_by_place(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.APPROVER) as approver:
        request = await ask(agent)
        address = f"/approvals/{request['id']}/revisions"

        async def send(arguments: Any, digest: str = request["digest"]) -> httpx.Response:
            return await approver.post(address, json={"arguments": arguments, "digest": digest})

        broken = await send({"to": 7, "more": 1})
        assert broken.status_code == 422
        assert {each["where"] for each in broken.json()["errors"]} == {"arguments", "arguments/to", "arguments/amount"}
        assert (await send({"to": "bob", "amount": 1}, "0" * 64)).status_code == 409
        assert (await send({"to": "bob", "amount": 40})).json()["detail"] == "Nothing was changed."
        ruled = await send({"to": "mallory", "amount": 1})
        assert (ruled.status_code, ruled.json()["where"]) == (409, "edit")
        assert "Mallory is never paid." in ruled.json()["detail"]
        refused = (await approver.get(address)).json()["refused"]
        assert "Mallory" in refused[0]["why_not"]
        assert (await send({"to": "x" * 1_100_000, "amount": 1})).status_code == 413
        assert (await approver.get(f"{address}/nothing")).status_code == 404
        assert (await approver.get("/approvals/ap-nothing/revisions")).status_code == 404


async def test_only_who_may_decide_edits(api: Api) -> None:
    other_agent = api.second_agent()
    async with (
        api.agent() as agent,
        api.with_key(api.key(other_agent)) as other,
        api.person(Role.AUDITOR) as auditor,
    ):
        request = await ask(agent)
        address = f"/approvals/{request['id']}/revisions"
        body = {"arguments": {"to": "bob", "amount": 25}, "digest": request["digest"]}
        assert (await auditor.post(address, json=body)).status_code == 403
        assert (await agent.post(address, json=body)).status_code == 403
        assert (await other.get(address)).status_code == 404
        assert (await api.nobody().post(address, json=body)).status_code == 401
        assert (await agent.get(f"/approvals/{request['id']}")).json()["revision"] == 1


async def test_a_question_is_asked_and_answered(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.APPROVER) as approver:
        request = await ask(agent)
        run_id, talk = request["run_id"], f"/approvals/{request['id']}/comments"
        waiting = asyncio.create_task(agent.get(f"/runs/{run_id}/questions?wait=30"))
        await asyncio.sleep(0.3)
        asked = (await approver.post(talk, json={"kind": "question", "text": "Why\r\nforty? "})).json()
        assert (asked["text"], asked["by_agent"], asked["answered_at"]) == ("Why\nforty?", False, None)
        question = (await waiting).json()["items"][0]
        assert (question["id"], question["key"], question["text"]) == (asked["id"], "pay", "Why\nforty?")
        assert question["headline"] == "Pay 40 to bob"
        assert (await agent.get(f"/runs/{run_id}/questions?after={asked['id']}")).json()["items"] == []
        body = {"kind": "answer", "reply_to": asked["id"], "text": "It is <b>the price</b>.", "id": "a-1"}
        answered = await agent.post(question["answer"].removeprefix("/api/v1"), json=body)
        assert answered.status_code == 201, answered.text
        assert (await agent.post(talk, json=body)).json() == answered.json()
        again = await agent.post(talk, json=body | {"id": "a-2"})
        assert (again.status_code, again.json()["detail"]) == (409, "The question was answered already.")
        assert (await agent.get(f"/runs/{run_id}/questions")).json()["items"] == []
        await approver.post(talk, json={"text": "Thank you."})
        shown = (await approver.get(talk)).json()["items"]
        assert [(each["kind"], each["by_agent"]) for each in shown] == [
            ("question", False),
            ("answer", True),
            ("comment", False),
        ]
        assert shown[1]["reply_to"] == asked["id"]
        assert shown[0]["answered_at"] == shown[1]["at"]
        kinds = api.world.events(run_id=run_id)
        assert kinds[-3:] == ["approval.question", "approval.answer", "approval.comment"]
        # Talk changes nothing about what is decided.
        assert (await approver.get(f"/approvals/{request['id']}")).json()["digest"] == request["digest"]


async def test_what_is_refused_of_talk(api: Api) -> None:
    other_agent = api.second_agent()
    async with (
        api.agent() as agent,
        api.with_key(api.key(other_agent)) as other,
        api.with_key(api.key(scopes=[KeyScope.RUNS_READ])) as reader,
        api.person(Role.APPROVER) as approver,
        api.person(name="Nora Nothing") as nobody,
    ):
        request = await ask(agent)
        talk, run_id = f"/approvals/{request['id']}/comments", request["run_id"]

        async def refused(client: httpx.AsyncClient, **body: Any) -> tuple[int, str]:
            answer = await client.post(talk, json={"text": "Hm.", **body})
            return answer.status_code, answer.json()["where"]

        assert await refused(approver, text="  \n ") == (422, "text")
        assert await refused(approver, text="x" * (MAX_TEXT + 1)) == (413, "text")
        assert await refused(approver, text="a\x00b") == (422, "text")
        assert await refused(approver, kind="answer", reply_to="x") == (422, "kind")
        assert await refused(agent, kind="question") == (422, "kind")
        assert await refused(agent, kind="answer") == (422, "reply_to")
        assert await refused(agent, kind="answer", reply_to="c-nothing") == (404, "reply_to")
        assert await refused(nobody) == (403, "comment")
        assert (await refused(reader))[0] == 403
        assert await refused(other) == (404, "approval_id")
        assert (await other.get(talk)).status_code == 404
        assert (await other.get(f"/runs/{run_id}/questions")).status_code == 404
        assert (await agent.get(f"/runs/{run_id}/questions?after=c-nothing")).status_code == 404
        first = await approver.post(talk, json={"text": "One.", "id": "same"})
        clash = await approver.post(talk, json={"text": "Two.", "id": "same"})
        assert (first.status_code, clash.status_code) == (201, 409)
        await agent.post(f"/runs/{run_id}/end", json={"stop": True})
        await api.world.result(run_id)
        late = await approver.post(talk, json={"kind": "question", "text": "Why?"})
        assert (late.status_code, "has ended" in late.json()["detail"]) == (409, True)
        assert (await approver.post(talk, json={"text": "Never mind."})).status_code == 201


async def test_an_agent_proposes_again(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.APPROVER) as approver:
        request = await ask(agent)
        run_id = request["run_id"]
        verdict = {"verdict": "reject", "digest": request["digest"], "reason": "Too much."}
        await approver.post(f"/approvals/{request['id']}/decisions", json=verdict)
        await api.world.outcome(run_id, "pay", ActionStatus.REJECTED)
        again = PAY | {"key": "pay-2", "arguments": {"to": "bob", "amount": 20}, "instead_of": "pay"}
        waiting = (await agent.post(f"/runs/{run_id}/actions", json=again)).json()
        card = (await approver.get(f"/approvals/{waiting['approval_id']}")).json()["card"]
        former = card["instead_of"]
        assert (former["key"], former["status"], former["message"]) == ("pay", "rejected", "Too much.")
        assert former["approval_id"] == request["id"]
        assert [each["path"] for each in former["changes"]] == [["amount"]]
        listed = (await agent.get(f"/runs/{run_id}/actions")).json()["items"]
        assert [each["instead_of"] for each in listed] == ["", "pay"]
        unknown = await agent.post(f"/runs/{run_id}/actions", json=again | {"key": "b", "instead_of": "nothing"})
        assert (unknown.status_code, unknown.json()["where"]) == (422, "instead_of")
        undone = await agent.post(f"/runs/{run_id}/actions", json=again | {"key": "c", "instead_of": "pay-2"})
        assert (undone.status_code, undone.json()["where"]) == (409, "instead_of")
