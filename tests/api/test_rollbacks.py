"""Rollbacks over the API: previewed, bound, approved, held, and their rest dealt with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from assent.domain.people import Role
from assent_activities.retrying import MAX_ATTEMPTS
from tests.api.api import Api
from tests.desk import CARD, unreachable
from tests.world import action


async def tipped(api: Api, *amounts: float) -> str:
    plan = [action("abcd"[place], "desk.tip", to="bob", amount=amount) for place, amount in enumerate(amounts)]
    run_id = await api.world.start(*plan)
    await api.world.result(run_id)
    return run_id


async def until(client: httpx.AsyncClient, rollback_id: str, *statuses: str) -> Any:
    while True:
        found = (await client.get(f"/rollbacks/{rollback_id}")).json()
        if found["status"] in statuses:
            return found


async def test_a_mass_undo_is_bound_approved_and_undone(api: Api) -> None:
    api.world.publish(CARD + "rollback: {effects: 1}\n")
    since = datetime.now(UTC).isoformat()
    await tipped(api, 1, 2)
    async with api.person(Role.OPERATOR) as operator, api.person(Role.APPROVER, name="Ben") as ben:
        body: dict[str, Any] = {"scope": {"kind": "agent", "id": "desk-clerk", "since": since}}
        preview = (await operator.post("/rollbacks", json=body | {"preview": True})).json()
        assert (preview["complete"], preview["to_undo"], preview["totals"]["steps"]) == (True, 2, 2)
        seen = {"preview_id": preview["rollback_id"], "digest": preview["digest"]}
        api.world.desk.balances["bob"] = 7
        stale = await operator.post("/rollbacks", json=body | seen)
        assert stale.status_code == 409
        assert stale.json()["type"].endswith("#problem-preview-changed")
        fresh = (await operator.get(f"/rollbacks/{stale.json()['preview_id']}")).json()
        assert (fresh["status"], fresh["totals"]["by_verdict"]) == ("preview", {"conflict": 2})
        api.world.desk.balances["bob"] = 3
        begun = (await operator.post("/rollbacks", json=body | seen | {"reason": "Wrong day."})).json()
        assert (begun["state"], begun["needs"]) == ("awaiting", "one approver")
        here = f"/rollbacks/{begun['rollback_id']}"
        second = await operator.post("/rollbacks", json=body)
        assert (second.status_code, second.json()["where"]) == (409, begun["rollback_id"])
        waiting = (await ben.get("/rollbacks?status=awaiting")).json()["items"]
        assert [each["id"] for each in waiting] == [begun["rollback_id"]]
        said = {"verb": "approve", "digest": waiting[0]["digest"]}
        assert (await operator.post(f"{here}/decisions", json=said)).status_code == 403
        assert (await ben.post(f"{here}/decisions", json=said | {"digest": "0"})).status_code == 409
        assert (await ben.post(f"{here}/decisions", json=said)).status_code == 200
        done = await until(ben, begun["rollback_id"], "done")
        assert (done["counts"]["undone"], [vote["verb"] for vote in done["votes"]]) == (2, ["approve"])
        steps = (await ben.get(f"{here}/steps?outcome=undone&limit=1")).json()
        assert len(steps["items"]) == 1
        assert steps["next_cursor"]
    assert api.world.desk.balances == {"bob": 0}


async def test_the_rest_is_closed_or_tried_again(api: Api) -> None:
    run_id = await tipped(api, 1, 1)
    api.world.desk.undo_trouble = unreachable(2 * MAX_ATTEMPTS)
    async with api.person(Role.OPERATOR) as operator, api.person(name="Rita") as reader:
        begun = (await operator.post("/rollbacks", json={"scope": {"kind": "run", "id": run_id}})).json()
        here = f"/rollbacks/{begun['rollback_id']}"
        left = await until(operator, begun["rollback_id"], "needs_person")
        assert left["counts"]["left"] == 2
        assert (await operator.post(f"{here}/hold")).status_code == 409
        assert (await reader.post(f"{here}/retries", json={})).status_code == 403
        api.world.desk.undo_trouble = lambda call: None
        closed = {"how": "accepted", "note": "Bob keeps it.", "evidence": "mail of Monday"}
        assert (await reader.post(f"{here}/steps/1/settlement", json=closed)).status_code == 403
        assert (await operator.post(f"{here}/steps/1/settlement", json=closed | {"note": ""})).status_code == 422
        assert (await operator.post(f"{here}/steps/1/settlement", json=closed)).json() == {"status": "needs_person"}
        assert (await operator.post(f"{here}/retries", json={"ordinals": [1]})).status_code == 404
        again = await operator.post(f"{here}/retries", json={})
        assert (again.status_code, again.json()) == (202, {"steps": 1})
        done = await until(operator, begun["rollback_id"], "done")
        assert (done["counts"]["undone"], done["counts"]["settled"]) == (1, 1)
        assert (await operator.post(f"{here}/retries", json={})).status_code == 409


async def test_bad_input_is_told_where_it_is(still: Api) -> None:
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    async with still.person(Role.OPERATOR) as operator:
        for scope, status, where in (
            ({"kind": "agent", "id": "desk-clerk"}, 422, "since"),
            ({"kind": "agent", "id": "desk-clerk", "since": (now + hour).isoformat()}, 422, "since"),
            ({"kind": "agent", "id": "desk-clerk", "since": "2024-01-01T00:00:00"}, 422, "scope.since"),
            ({"kind": "type", "id": "desk.never", "since": (now - hour).isoformat()}, 404, "type"),
            ({"kind": "record", "id": "desk/none"}, 404, "record"),
            ({"kind": "planet", "id": "mars"}, 422, "scope.kind"),
            ({"kind": "run", "id": "run-none"}, 404, "run"),
        ):
            for preview in (True, False):
                answer = await operator.post("/rollbacks", json={"scope": scope, "preview": preview})
                assert (answer.status_code, answer.json()["where"]) == (status, where), answer.text
        for path, body in (("hold", None), ("continue", None), ("withdrawal", {}), ("retries", {})):
            assert (await operator.post(f"/rollbacks/rollback-none/{path}", json=body)).status_code == 404
