"""Agents start runs, propose actions and learn what became of them."""

from __future__ import annotations

import pytest

from assent.domain.people import Role
from tests.api.api import NOTE, PAY, Api, fresh, start


async def test_an_automatic_action_is_answered_at_once(api: Api) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
        answer = await agent.post(f"/runs/{run_id}/actions", json=NOTE)
        assert answer.status_code == 200
        outcome = answer.json()
        assert (outcome["status"], outcome["settled"], outcome["wait"]) == ("done", True, None)
        assert outcome["result"] == {"ok": True, "echo": {"text": "milk"}}
        assert outcome["sentence"] == "Write down milk"


async def test_an_action_that_waits_says_where_to_wait(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.APPROVER) as approver:
        run_id = await start(agent)
        answer = await agent.post(f"/runs/{run_id}/actions", json=PAY)
        assert answer.status_code == 202
        assert answer.headers["location"] == f"/api/v1/runs/{run_id}/actions/pay"
        waiting = answer.json()
        assert waiting["status"] == "awaiting"
        still = await agent.get(f"/runs/{run_id}/actions/pay")
        assert still.status_code == 202
        request = (await approver.get(f"/approvals/{waiting['approval_id']}")).json()
        decided = await approver.post(
            f"/approvals/{request['id']}/decisions", json={"verdict": "approve", "digest": request["digest"]}
        )
        assert decided.status_code == 202
        settled = await agent.get(waiting["wait"].removeprefix("/api/v1"))
        assert settled.status_code == 200
        assert settled.json()["status"] == "done"
        assert api.world.desk.balances == {"bob": 40}


async def test_waiting_ends_when_the_time_is_over(api: Api) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
        answer = await agent.post(f"/runs/{run_id}/actions?wait=0.2", json=PAY)
        assert answer.status_code == 202
        answer = await agent.get(f"/runs/{run_id}/actions/pay?wait=0.2")
        assert (answer.status_code, answer.json()["settled"]) == (202, False)


async def test_the_same_key_again_does_nothing_twice(api: Api) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
        first = await agent.post(f"/runs/{run_id}/actions", json=NOTE)
        again = await agent.post(f"/runs/{run_id}/actions", json=NOTE)
        assert again.json()["result"] == first.json()["result"]
        assert api.world.desk.done == [f"{run_id}:note"]


async def test_the_same_run_id_again_is_the_same_run(api: Api) -> None:
    async with api.agent() as agent:
        mine = fresh("mine")
        first = await start(agent, run_id=mine)
        again = await start(agent, run_id=mine)
        assert first == again == mine
        assert len((await agent.get("/runs")).json()["items"]) == 1


async def test_an_id_of_another_agents_run_is_no_way_into_it(api: Api) -> None:
    async with api.agent() as agent, api.with_key(api.key(api.second_agent())) as other:
        run_id = await start(agent, run_id=fresh("mine"))
        answer = await other.post("/runs", json={"run_id": run_id})
        assert answer.status_code == 409
        assert answer.json()["where"] == "run_id"


async def test_a_plan_runs_by_itself(api: Api) -> None:
    async with api.agent() as agent:
        later = {"key": "b", "type": "desk.note", "arguments": {"text": {"$ref": "a.echo.text"}}}
        run_id = await start(agent, plan=[{"key": "a", "type": "desk.read", "arguments": {"text": "the price"}}, later])
        await api.world.result(run_id)
        run = (await agent.get(f"/runs/{run_id}")).json()
        assert (run["status"], run["actions"]) == ("completed", 2)
        actions = (await agent.get(f"/runs/{run_id}/actions")).json()["items"]
        assert [action["key"] for action in actions] == ["a", "b"]
        assert actions[1]["arguments"] == {"text": "the price"}


async def test_a_started_run_is_there_at_once(api: Api) -> None:
    async with api.agent() as agent:
        answer = await agent.post("/runs", json={"goal": "Tidy up", "received": {"letter": "Dear shop"}})
        assert answer.headers["location"] == f"/api/v1/runs/{answer.json()['run_id']}"
        run_id = await start(agent, received={"letter": "Dear shop"})
        run = (await agent.get(f"/runs/{run_id}")).json()
        assert run["received"] == {"letter": "Dear shop"}
        assert run["started_by"] == {"id": "desk-clerk", "name": "desk-clerk", "via": "api", "assurance": None}


async def test_the_timeline_in_parts(api: Api) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
        await agent.post(f"/runs/{run_id}/actions", json=NOTE)
        whole = (await agent.get(f"/runs/{run_id}/timeline")).json()
        kinds = [event["kind"] for event in whole["events"]]
        assert kinds[0] == "run.started"
        assert "effect.done" in kinds
        assert whole["next_after"] is None
        first = (await agent.get(f"/runs/{run_id}/timeline?limit=1")).json()
        rest = (await agent.get(f"/runs/{run_id}/timeline", params={"after": first["next_after"]})).json()
        assert first["events"] + rest["events"] == whole["events"]


async def test_ending_a_run(api: Api) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
        ending = await agent.post(f"/runs/{run_id}/end", json={"summary": "All tidy."})
        assert ending.status_code == 202
        await api.world.result(run_id)
        late = await agent.post(f"/runs/{run_id}/actions", json=NOTE)
        assert late.status_code == 409
        assert late.json()["title"] == "Things have changed"
        again = await agent.post(f"/runs/{run_id}/end", json={})
        assert again.status_code == 202
        assert (await agent.get(f"/runs/{run_id}")).json()["status"] == "completed"


async def test_stopping_a_run_withdraws_what_waits(api: Api) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
        await agent.post(f"/runs/{run_id}/actions", json=PAY)
        await agent.post(f"/runs/{run_id}/end", json={"stop": True})
        await api.world.result(run_id)
        outcome = (await agent.get(f"/runs/{run_id}/actions/pay")).json()
        assert outcome["status"] == "withdrawn"


async def test_runs_by_status_page_by_page(api: Api) -> None:
    async with api.agent() as agent, api.person() as reader:
        made = [await start(agent, run_id=fresh(f"r{number}")) for number in range(5)]
        found: list[str] = []
        cursor: str | None = None
        while True:
            query = {"limit": "2", "status": "running"} | ({"cursor": cursor} if cursor else {})
            page = (await reader.get("/runs", params=query)).json()
            found += [run["run_id"] for run in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert found == made[::-1]
        assert (await reader.get("/runs?agent=nobody")).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ({"type": "desk.pay", "arguments": {"to": "mallory", "amount": 1}}, "refused"),
        ({"type": "desk.unheard", "arguments": {}}, "refused"),
        ({"type": "desk.note", "arguments": {}}, "refused"),
        ({"type": "desk.idea", "arguments": {"text": "a bench"}}, "suggested"),
    ],
)
async def test_what_may_not_run_is_answered_with_the_reason(api: Api, action: dict[str, object], status: str) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
        outcome = (await agent.post(f"/runs/{run_id}/actions", json=action)).json()
        assert outcome["status"] == status
        assert outcome["reasons"] or outcome["message"]
        assert api.world.desk.done == []


async def test_operators_may_act_in_a_run_and_readers_may_not(api: Api) -> None:
    async with api.person(Role.OPERATOR, name="Olga") as operator, api.person(name="Rita") as reader:
        refused = await reader.post("/runs", json={"agent": "desk-clerk"})
        assert refused.status_code == 403
        assert "operator" in refused.json()["todo"]
        unnamed = await operator.post("/runs", json={})
        assert (unnamed.status_code, unnamed.json()["where"]) == (422, "agent")
        run_id = await start(operator, agent="desk-clerk")
        assert (await reader.get(f"/runs/{run_id}")).json()["started_by"]["name"] == "Olga"
        assert (await reader.post(f"/runs/{run_id}/actions", json=NOTE)).status_code == 403
        assert (await reader.post(f"/runs/{run_id}/end", json={})).status_code == 403
        assert (await operator.post(f"/runs/{run_id}/actions", json=NOTE)).status_code == 200


async def test_nobody_proposes_in_the_run_of_somebody_else(api: Api) -> None:
    """Or they could approve what they propose themselves: the requester is whoever started the run."""
    async with api.agent() as agent, api.person(Role.OPERATOR, Role.APPROVER, name="Olga") as operator:
        run_id = await start(agent)
        refused = await operator.post(f"/runs/{run_id}/actions", json=PAY)
        assert (refused.status_code, refused.json()["where"]) == (403, "run_id")
        assert (await agent.get(f"/runs/{run_id}/actions")).json()["items"] == []
        own = await start(operator, agent="desk-clerk")
        waiting = (await operator.post(f"/runs/{own}/actions", json=PAY)).json()
        request = (await operator.get(f"/approvals/{waiting['approval_id']}")).json()
        verdict = {"verdict": "approve", "digest": request["digest"]}
        own_request = await operator.post(f"/approvals/{request['id']}/decisions", json=verdict)
        assert (own_request.status_code, "started this run" in own_request.json()["detail"]) == (403, True)
        assert api.world.desk.balances == {}


async def test_what_agents_may_propose(api: Api) -> None:
    async with api.agent() as agent, api.person() as person:
        types = {each["name"]: each for each in (await agent.get("/action-types")).json()["items"]}
        assert types["desk.pay"]["tier"] == "approve"
        assert types["desk.pay"]["arguments"]["required"] == ["to", "amount"]
        assert types["desk.letter"]["speed"] == "long"
        assert [each["name"] for each in (await agent.get("/agents")).json()["items"]] == ["desk-clerk"]
        clerk = (await person.get("/agents/desk-clerk")).json()
        assert clerk["card"]["purpose"] == "Keeps notes and pays small sums."
        assert clerk["counts"]["running"] == 0
        everything = (await person.get("/action-types")).json()["items"]
        assert {each["agent"] for each in everything} == {"desk-clerk"}


async def test_who_am_i(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.AUDITOR) as person:
        assert (await agent.get("/me")).json()["scopes"] == ["runs:read", "runs:write"]
        me = (await person.get("/me")).json()
        assert (me["name"], me["roles"]) == ("Pat Person", ["auditor"])
