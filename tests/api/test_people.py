"""What people do through the API: decide, stop, undo, look things up."""

from __future__ import annotations

import httpx
import pytest

from assent.domain.people import Role
from assent_ui.clicks import own_decision_id
from tests.api.api import NOTE, PAY, Api, start


async def test_a_decision_binds_to_what_was_shown(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.APPROVER) as approver:
        run_id = await start(agent)
        waiting = (await agent.post(f"/runs/{run_id}/actions", json=PAY)).json()
        address = f"/approvals/{waiting['approval_id']}/decisions"
        other = await approver.post(address, json={"verdict": "approve", "digest": "0" * 64})
        assert (other.status_code, other.json()["where"]) == (409, "digest")
        request = (await approver.get("/approvals")).json()["items"][0]
        assert request["card"]["arguments"] == {"to": "bob", "amount": 40}
        unreasoned = await approver.post(address, json={"verdict": "reject", "digest": request["digest"]})
        assert (unreasoned.status_code, unreasoned.json()["where"]) == (422, "reason")
        verdict = {"verdict": "reject", "digest": request["digest"], "reason": "Paid yesterday.", "id": "click-1"}
        decision = (await approver.post(address, json=verdict)).json()
        assert decision["id"] == own_decision_id("click-1", decision["by"]["id"])
        assert decision["by"]["via"] == "api"
        outcome = (await agent.get(f"/runs/{run_id}/actions/pay?wait=30")).json()
        assert (outcome["status"], outcome["message"]) == ("rejected", "Paid yesterday.")
        late = await approver.post(address, json=verdict | {"verdict": "approve", "id": "click-2"})
        assert late.status_code == 409
        full = (await agent.get(f"/approvals/{waiting['approval_id']}")).json()
        assert (full["status"], full["votes"][0]["counted"]) == ("rejected", True)
        rejected = (await agent.get("/approvals?status=rejected")).json()["items"]
        assert [each["id"] for each in rejected] == [waiting["approval_id"]]
        assert (await approver.get("/approvals?agent=desk-clerk")).json()["items"] == []


async def test_only_approvers_decide(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.OPERATOR, Role.AUDITOR) as other:
        run_id = await start(agent)
        waiting = (await agent.post(f"/runs/{run_id}/actions", json=PAY)).json()
        request = (await agent.get(f"/approvals/{waiting['approval_id']}")).json()
        body = {"verdict": "approve", "digest": request["digest"]}
        address = f"/approvals/{request['id']}/decisions"
        assert (await other.post(address, json=body)).status_code == 403
        by_agent = await agent.post(address, json=body)
        assert (by_agent.status_code, by_agent.json()["detail"]) == (403, "Only people may do that.")
        assert api.world.desk.balances == {}


ANSWERS = {"cause": "Nonsense.", "changed": "New prompt.", "checks": ["Ten notes were read."]}


async def test_stopping_and_going_on(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.OPERATOR) as operator, api.person(name="Rita") as reader:
        run_id = await start(agent)
        body = {"scope": {"kind": "agent", "name": "desk-clerk"}, "cause": "It writes nonsense."}
        assert (await reader.post("/pauses", json=body)).status_code == 403
        assert (await agent.post("/pauses", json=body)).status_code == 403
        answer = await operator.post("/pauses", json=body)
        assert answer.status_code == 201
        pause = answer.json()
        assert answer.headers["location"] == f"/api/v1/pauses/{pause['id']}"
        assert pause["active"]
        held = await agent.post(f"/runs/{run_id}/actions", json=NOTE)
        assert (held.status_code, held.json()["status"]) == (202, "held")
        assert [each["id"] for each in (await reader.get("/pauses?active=true")).json()["items"]] == [pause["id"]]
        resume = f"/pauses/{pause['id']}/resume"
        assert (await operator.post(resume, json={"cause": "Nonsense.", "changed": " "})).status_code == 422
        [run] = (await reader.get(f"/pauses/{pause['id']}/held")).json()["items"]
        assert (run["run_id"], run["actions"][0]["pauses"]) == (run_id, [pause["id"]])
        assert (await reader.get(f"/pauses/{pause['id']}/claims")).json()["items"] == []
        assert (await reader.get(f"/pauses/{pause['id']}/rollbacks")).json()["items"] == []
        assert (await operator.post(f"/pauses/{pause['id']}/ask-to-stop")).json() == {"asked": 0}
        changed = await operator.post(f"/pauses/{pause['id']}/disposition", json={"disposition": "drain"})
        assert (changed.status_code, changed.json()["disposition"]) == (200, "drain")
        assert (await reader.post(resume, json=ANSWERS)).status_code == 403
        assert (await operator.post(f"/pauses/{pause['id']}/second-resume")).status_code == 409
        resumed = (await operator.post(resume, json=ANSWERS)).json()
        assert (resumed["state"], resumed["pause"]["active"]) == ("ended", False)
        assert resumed["pause"]["answers"] == {**ANSWERS, "at_once": False}
        assert (await operator.post(resume, json=ANSWERS)).status_code == 409
        assert (await agent.get(f"/runs/{run_id}/actions/note?wait=30")).json()["status"] == "done"
        assert len((await reader.get("/pauses")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ({"kind": "agent", "name": "nobody"}, 404),
        ({"kind": "run", "name": "nowhere"}, 404),
        ({"kind": "agent"}, 422),
        ({"kind": "everything", "name": "x"}, 422),
        ({"kind": "planet", "name": "x"}, 422),
    ],
)
async def test_a_pause_needs_something_to_stop(api: Api, scope: dict[str, str], status: int) -> None:
    async with api.person(Role.OPERATOR) as operator:
        answer = await operator.post("/pauses", json={"scope": scope})
        assert answer.status_code == status
        assert answer.json()["where"]


async def test_undoing_is_previewed_first(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.OPERATOR) as operator, api.person(name="Rita") as reader:
        run_id = await start(agent)
        await agent.post(f"/runs/{run_id}/actions", json=NOTE)
        body = {"scope": {"kind": "run", "id": run_id}}
        assert (await reader.post("/rollbacks", json=body)).status_code == 403
        preview = await operator.post("/rollbacks", json=body | {"preview": True})
        assert preview.status_code == 200
        assert preview.json()["to_undo"] == 1
        assert preview.json()["steps"][0]["verdict"] == "yes"
        assert api.world.desk.undone == []
        answer = await operator.post("/rollbacks", json=body | {"reason": "A mistake."})
        assert answer.status_code == 202
        started = answer.json()
        shown = started["rollback"].removeprefix("/api/v1")

        await api.world.client.get_workflow_handle(started["rollback_id"]).result()
        rollback = (await reader.get(shown)).json()
        assert (rollback["status"], rollback["reason"]) == ("done", "A mistake.")
        assert rollback["steps"][0]["step"]["status"] == "undone"
        assert len(api.world.desk.undone) == 1
        assert [each["id"] for each in (await reader.get("/rollbacks")).json()["items"]] == [started["rollback_id"]]


@pytest.mark.parametrize("preview", [True, False])
async def test_undoing_what_is_not_there(api: Api, preview: bool) -> None:
    async with api.person(Role.OPERATOR) as operator:
        body = {"scope": {"kind": "run", "id": "nowhere"}, "preview": preview}
        assert (await operator.post("/rollbacks", json=body)).status_code == 404


async def test_auditors_find_everything_that_touched_a_record(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.AUDITOR) as auditor, api.person(name="Rita") as reader:
        run_id = await start(agent)
        tip = {"type": "desk.tip", "arguments": {"to": "carol", "amount": 2}, "key": "tip"}
        await agent.post(f"/runs/{run_id}/actions", json=tip)
        assert (await reader.get("/ledger")).status_code == 403
        assert (await agent.get("/ledger")).status_code == 403
        touched = (await auditor.get("/ledger?resource=desk/carol")).json()["items"]
        assert {each["action_id"] for each in touched} == {f"{run_id}:tip"}
        assert "effect.done" in {each["kind"] for each in touched}
        of_run = (await auditor.get("/ledger", params={"run": run_id, "kind": "effect.done"})).json()["items"]
        assert len(of_run) == 1
        assert (await auditor.get("/ledger", params={"since": "2999-01-01T00:00:00Z"})).json()["items"] == []
        mixed = await auditor.get("/ledger?resource=desk/carol&kind=effect.done")
        assert (mixed.status_code, mixed.json()["where"]) == (422, "resource")
        assert (await auditor.get("/ledger?since=yesterday")).status_code == 422


async def test_sign_in_and_keys_are_in_the_ledger(api: Api) -> None:
    async with api.person(Role.AUDITOR) as auditor, api.with_key("assent_made-up") as stranger:
        assert (await stranger.get("/runs")).status_code == 401
        kinds = [each["kind"] for each in (await auditor.get("/ledger")).json()["items"]]
        assert {"person.added", "session.link_made", "session.opened", "key.refused"} <= set(kinds)


async def test_requests_that_wait_are_listed_as_somebody_wants_them(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.APPROVER) as approver, api.person(name="Rita") as reader:
        run_id = await start(agent)
        waiting = (await agent.post(f"/runs/{run_id}/actions", json=PAY)).json()["approval_id"]

        async def listed(by: httpx.AsyncClient, wanted: str) -> list[str]:
            answer = await by.get(f"/approvals?{wanted}")
            assert answer.status_code == 200, answer.text
            return [each["id"] for each in answer.json()["items"]]

        assert await listed(approver, "mine=true") == [waiting]
        assert await listed(reader, "mine=true") == []
        for fitting in ("", "type=desk.pay", "least=40&most=40", "due_before=2999-01-01T00:00:00Z"):
            assert await listed(approver, fitting) == [waiting], fitting
        for other in ("type=desk.note", "least=40.5", "most=39", "asked_before=2000-01-01T00:00:00Z", "agent=nobody"):
            assert await listed(approver, other) == [], other
        assert (await agent.get("/approvals?mine=true")).json()["where"] == "mine"
        for bad in ("least=nan", "due_before=2999-01-01T00:00:00", "least=much"):
            assert (await approver.get(f"/approvals?{bad}")).status_code == 422, bad
