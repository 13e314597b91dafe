"""Standing grants, whole plans and several decisions at once, through the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from assent.domain.people import Role
from tests.api.api import PAY, Api, fresh, start
from tests.desk import CARD

GRANTABLE = CARD.replace(
    "    expires: 1h\n",
    '    expires: 1h\n    approval: {grants: {by: ["role:approver"], uses: 5, lasts: 10d}}\n',
)


def terms(**changed: object) -> dict[str, object]:
    return {
        "agent": "desk-clerk",
        "action_type": "desk.pay",
        "arguments": {"to": {"kind": "is", "values": ["bob"]}, "amount": {"kind": "range", "min": 0, "max": 50}},
        "uses": 2,
        "expires_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        **changed,
    }


async def propose(client: httpx.AsyncClient, run_id: str, key: str, **arguments: object) -> dict[str, object]:
    body = PAY | {"key": key, "arguments": {"to": "bob", "amount": 40} | arguments}
    found: dict[str, object] = (await client.post(f"/runs/{run_id}/actions", json=body)).json()
    return found


async def test_a_grant_from_giving_to_revoking(api: Api) -> None:
    api.world.publish(GRANTABLE)
    async with api.agent() as agent, api.person(Role.APPROVER) as approver, api.person(name="Rita") as reader:
        run_id = await start(agent)
        asked = await propose(agent, run_id, "first")
        offer = (await approver.get(f"/approvals/{asked['approval_id']}/grant")).json()
        assert (offer["allowed"], offer["alone"], offer["max_uses"]) == (True, True, 5)
        assert offer["terms"]["arguments"]["amount"] == {
            "kind": "is",
            "values": [40],
            "min": None,
            "max": None,
            "prefix": "",
        }
        refused = await reader.get(f"/approvals/{asked['approval_id']}/grant")
        assert not refused.json()["allowed"]
        assert (await agent.post("/grants", json=terms())).status_code == 403
        assert (await reader.post("/grants", json=terms())).status_code == 403
        answer = await approver.post("/grants", json=terms(note="Lunch money", id="click-1"))
        assert answer.status_code == 201, answer.text
        grant = answer.json()
        assert answer.headers["location"] == f"/api/v1/grants/{grant['id']}"
        assert (await approver.post("/grants", json=terms(note="Lunch money"))).json()["id"] != grant["id"]
        covered = await propose(agent, run_id, "second")
        assert covered["status"] == "done"
        assert "Covered by the standing grant" in str(covered["reasons"])
        uses = (await agent.get(f"/grants/{covered_by(covered)}/uses")).json()["items"]
        assert [use["action_id"] for use in uses] == [f"{run_id}:second"]
        listed = (await reader.get("/grants?agent=desk-clerk&status=active")).json()["items"]
        assert len(listed) == 2
        for each in listed:
            address = f"/grants/{each['id']}/revocation"
            assert (await reader.post(address, json={})).status_code == 403
            assert (await agent.post(address, json={})).status_code == 403
            revoked = (await approver.post(address, json={"reason": "Enough"})).json()
            assert (revoked["status"], revoked["revoke_reason"]) == ("revoked", "Enough")
            assert (await approver.post(address, json={})).status_code == 409
        assert (await propose(agent, run_id, "third"))["status"] == "awaiting"


def covered_by(outcome: dict[str, object]) -> str:
    words = str(outcome["reasons"])
    start_at = words.index("grant grant-") + len("grant ")
    return words[start_at : words.index(" ", start_at)]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"uses": -1}, "uses"),
        ({"uses": 6}, "uses"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2020-01-01T00:00:00"}, "expires_at"),
        ({"arguments": {"to": {"kind": "any"}}}, "arguments"),
        ({"arguments": {"to": {"kind": "any"}, "amount": {"kind": "any"}, "x": {"kind": "any"}}}, "arguments.x"),
        ({"arguments": {"to": {"kind": "regex"}, "amount": {"kind": "any"}}}, "arguments.to.kind"),
        ({"condition": "args.amount"}, "condition"),
        ({"condition": "args."}, "condition"),
        ({"action_type": "desk.burn"}, "action_type"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_terms_that_are_wrong_are_refused_by_field(still: Api, changed: dict[str, object], where: str) -> None:
    still.world.publish(GRANTABLE)
    async with still.person(Role.APPROVER) as approver:
        answer = await approver.post("/grants", json=terms(**changed))
        assert answer.status_code == 422
        assert answer.json()["where"] == where


async def test_agents_see_their_own_grants_alone(still: Api) -> None:
    still.world.publish(GRANTABLE)
    still.second_agent()
    async with still.agent() as agent, still.with_key(still.key("other-clerk")) as other:
        async with still.person(Role.APPROVER) as approver:
            made = (await approver.post("/grants", json=terms())).json()
        assert len((await agent.get("/grants")).json()["items"]) == 1
        assert (await other.get("/grants?agent=desk-clerk")).json()["items"] == []
        assert (await other.get(f"/grants/{made['id']}")).status_code == 404
        assert (await agent.get(f"/grants/{made['id']}")).json()["words"][0]["by"]["name"] == "Pat Person"


async def test_a_whole_plan_is_approved_at_once(api: Api) -> None:
    plan = [
        {"key": "one", "type": "desk.pay", "arguments": {"to": "bob", "amount": 5}},
        {"key": "two", "type": "desk.note", "arguments": {"text": "paid"}},
        {"key": "three", "type": "desk.pay", "arguments": {"to": "ann", "amount": 6}},
    ]
    async with api.agent() as agent, api.person(Role.APPROVER) as approver, api.person(name="Rita") as reader:
        run_id = fresh("planned")
        await start(agent, plan=plan, run_id=run_id)
        while (found := await agent.get(f"/runs/{run_id}/plan")).status_code != 200 or not started(found.json()):
            pass
        shown = found.json()
        assert [(step["key"], step["asks"]) for step in shown["steps"]] == [
            ("one", True),
            ("two", False),
            ("three", True),
        ]
        address = f"/runs/{run_id}/plan/approvals"
        assert (await reader.post(address, json={"digest": shown["digest"]})).status_code == 403
        assert (await agent.post(address, json={"digest": shown["digest"]})).status_code == 403
        stale = await approver.post(address, json={"digest": "0" * 64})
        assert (stale.status_code, stale.json()["where"]) == (409, "digest")
        answer = await approver.post(address, json={"digest": shown["digest"], "reason": "Looks right"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["approval"]["status"] == "active"
        assert [item["decision"]["reason"] for item in answer.json()["sent"]] == ["Approved with the whole plan."]
        third = (await agent.get(f"/runs/{run_id}/actions/three?wait=30")).json()
        assert third["status"] == "done"
        assert "Approved with the plan by Pat Person." in str(third["reasons"])
        approval_id = answer.json()["approval"]["id"]
        revoke = f"{address}/{approval_id}/revocation"
        assert (await reader.post(revoke, json={})).status_code == 403
        assert (await approver.post(f"/runs/other/plan/approvals/{approval_id}/revocation", json={})).status_code == 404
        assert (await approver.post(revoke, json={})).json()["status"] == "revoked"
        (kept,) = (await agent.get(f"/runs/{run_id}/plan")).json()["approvals"]
        assert kept["note"] == "Looks right"


def started(plan: dict[str, list[dict[str, object]]]) -> bool:
    return plan["steps"][0]["status"] == "awaiting"


async def test_several_are_decided_at_once_and_told_one_by_one(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.APPROVER) as approver, api.person(name="Rita") as reader:
        run_id = await start(agent)
        asked = [await propose(agent, run_id, f"pay-{number}", amount=number + 1) for number in range(3)]
        items = [
            {
                "approval_id": each["approval_id"],
                "digest": (await approver.get(f"/approvals/{each['approval_id']}")).json()["digest"],
            }
            for each in asked
        ]
        stale = items[1] | {"digest": "0" * 64}
        unknown = {"approval_id": "ap-unknown", "digest": "0" * 64}
        body = {"verdict": "approve", "items": [items[0], stale, unknown, items[2]], "id": "click-1"}
        assert (await agent.post("/approvals/decisions", json=body)).status_code == 403
        others = (await reader.post("/approvals/decisions", json=body)).json()
        assert (others["sent"], others["refused"]) == (0, 4)
        answer = (await approver.post("/approvals/decisions", json=body)).json()
        assert (answer["sent"], answer["refused"]) == (2, 2)
        assert [item["refusal"] and item["refusal"]["code"] for item in answer["items"]] == [
            None,
            "conflict",
            "not-found",
            None,
        ]
        for key, status in (("pay-0", "done"), ("pay-2", "done")):
            assert (await agent.get(f"/runs/{run_id}/actions/{key}?wait=30")).json()["status"] == status
        assert (await agent.get(f"/runs/{run_id}/actions/pay-1")).json()["status"] == "awaiting"
        assert api.world.desk.balances == {"bob": 4}


@pytest.mark.parametrize(
    "body",
    [
        {"verdict": "approve", "items": []},
        {"verdict": "approve", "items": [{"approval_id": "ap-1", "digest": "0" * 64}] * 2},
        {"verdict": "approve", "items": [{"approval_id": f"ap-{n}", "digest": "0" * 64} for n in range(201)]},
        {"verdict": "reject", "items": [{"approval_id": "ap-1", "digest": "0" * 64}]},
        {"verdict": "approve", "items": [{"approval_id": "ap-1", "digest": "no"}]},
    ],
)
async def test_several_that_make_no_sense_are_refused_whole(still: Api, body: dict[str, object]) -> None:
    async with still.person(Role.APPROVER) as approver:
        assert (await approver.post("/approvals/decisions", json=body)).status_code == 422
