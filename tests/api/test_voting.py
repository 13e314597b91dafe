"""Votes, handing on and absences through the API."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import httpx

from assent.domain.people import Role
from assent.store import groups
from assent.store.openings import NOT_OPENED
from tests.api.api import PAY, Api, start
from tests.desk import CARD
from tests.world import ANN

_TWO = CARD + "approval: {need: [{of: finance}, {of: sre}]}\n"


async def _people(api: Api, stack: AsyncExitStack, *names: str) -> list[httpx.AsyncClient]:
    """Approvers who are signed in, each in the group of their name if there is one."""
    clients = [await stack.enter_async_context(api.person(Role.APPROVER, name=name)) for name in names]
    now = datetime.now(UTC)
    members = {group: api.site.person(group, Role.APPROVER).id for group in ("finance", "sre")}
    with api.world.database.write() as session:
        for group, member in members.items():
            groups.create(session, group, at=now, by=ANN)
            groups.add(session, group, member, at=now, by=ANN)
    return clients


async def _ask(api: Api, agent: httpx.AsyncClient) -> dict[str, str]:
    """A payment that finance and sre decide."""
    api.world.publish(_TWO)
    run_id = await start(agent)
    waiting = (await agent.post(f"/runs/{run_id}/actions", json=PAY)).json()
    request: dict[str, str] = (await agent.get(f"/approvals/{waiting['approval_id']}")).json()
    return request


async def test_the_vote_stands_the_same_for_everybody_and_each_is_told_what_they_may(api: Api) -> None:
    async with api.agent() as agent, AsyncExitStack() as stack:
        finance, sre, spare = await _people(api, stack, "finance", "sre", "spare")
        request = await _ask(api, agent)
        address = f"/approvals/{request['id']}"
        stands = (await sre.get(f"{address}/standing")).json()
        assert (stands["needed"], stands["given"], stands["you"]["why_not_approve"]) == (2, 0, "")
        outside = (await spare.get(f"{address}/standing")).json()
        assert "is not among those who decide this" in outside["you"]["why_not_approve"]
        assert (await agent.get(f"{address}/standing")).json()["you"] is None

        verdict = {"verdict": "approve", "digest": request["digest"]}
        refused = await spare.post(f"{address}/decisions", json=verdict)
        assert (refused.status_code, refused.json()["where"]) == (403, "approval")
        sent = (await sre.post(f"{address}/decisions", json=verdict)).json()
        fate = (await sre.get(f"{address}/decisions/{sent['id']}?wait=30")).json()
        assert (fate["counted"], fate["status"]) == (True, "pending")
        twice = await sre.post(f"{address}/decisions", json=verdict)
        assert (twice.status_code, twice.json()["detail"]) == (
            409,
            "sre has approved it before; one person is one voice.",
        )
        after = (await sre.get(f"{address}/standing")).json()
        assert (after["given"], after["missing"]) == (1, "one of finance")
        assert (after["you"]["vote"], after["you"]["may_take_back"]) == ("approve", True)

        last = (await finance.post(f"{address}/decisions", json=verdict)).json()
        fate = (await finance.get(f"{address}/decisions/{last['id']}?wait=30")).json()
        assert (fate["counted"], fate["status"]) == (True, "approved")
        assert (await finance.get(f"{address}/decisions/{'0' * 32}")).status_code == 404
        assert (await finance.get(f"/approvals/ap-else/decisions/{last['id']}")).status_code == 404


async def test_a_card_can_ask_that_it_was_opened_before(api: Api) -> None:
    async with api.agent() as agent, AsyncExitStack() as stack:
        (finance,) = await _people(api, stack, "finance")
        api.world.publish(CARD + "approval: {opened: true}\n")
        run_id = await start(agent)
        waiting = (await agent.post(f"/runs/{run_id}/actions", json=PAY)).json()
        digest = (await agent.get(f"/approvals/{waiting['approval_id']}")).json()["digest"]
        address = f"/approvals/{waiting['approval_id']}"
        unseen = await finance.post(f"{address}/decisions", json={"verdict": "approve", "digest": digest})
        assert (unseen.status_code, unseen.json()["detail"]) == (403, NOT_OPENED)
        assert (await finance.get(address)).status_code == 200
        seen = await finance.post(f"{address}/decisions", json={"verdict": "approve", "digest": digest})
        assert seen.status_code == 202


async def test_a_vote_is_taken_back(api: Api) -> None:
    async with api.agent() as agent, AsyncExitStack() as stack:
        finance, sre = await _people(api, stack, "finance", "sre")
        request = await _ask(api, agent)
        address = f"/approvals/{request['id']}"
        verdict = {"verdict": "approve", "digest": request["digest"]}
        sent = (await sre.post(f"{address}/decisions", json=verdict)).json()
        await sre.get(f"{address}/decisions/{sent['id']}?wait=30")
        back = (await sre.post(f"{address}/decisions", json=verdict | {"verdict": "withdraw"})).json()
        await sre.get(f"{address}/decisions/{back['id']}?wait=30")
        fate = (await sre.get(f"{address}/decisions/{sent['id']}")).json()
        assert (fate["lapsed"], fate["why_lapsed"]) == (True, "It was taken back.")
        nothing = await finance.post(f"{address}/decisions", json=verdict | {"verdict": "withdraw"})
        assert (nothing.status_code, nothing.json()["detail"]) == (409, "finance has no vote in force on it.")


async def test_a_request_is_handed_on_by_address(api: Api) -> None:
    async with api.agent() as agent, AsyncExitStack() as stack:
        finance, sre, spare = await _people(api, stack, "finance", "sre", "spare")
        request = await _ask(api, agent)
        address = f"/approvals/{request['id']}"
        outsider = await spare.post(f"{address}/asked", json={"to": "sre@example.com"})
        assert outsider.status_code == 403
        others = await sre.post(
            f"{address}/reassignments", json={"to": "spare@example.com", "from_person": "finance@example.com"}
        )
        assert others.status_code == 403
        handed = await finance.post(f"{address}/reassignments", json={"to": "spare@example.com", "reason": "Train."})
        assert handed.status_code == 201
        again = await finance.post(f"{address}/asked", json={"to": "spare@example.com"})
        assert again.status_code == 403
        you = (await finance.get(f"{address}/standing")).json()["you"]
        assert you["why_not_approve"] == "finance handed this request to spare."
        assert (await spare.get(f"{address}/standing")).json()["you"]["in_the_name_of"] == "finance"
        unknown = await sre.post(f"{address}/asked", json={"to": "who@example.com"})
        assert (unknown.status_code, unknown.json()["where"]) == (404, "to")


async def test_nobody_hands_the_place_of_somebody_else_to_themselves(api: Api) -> None:
    async with api.agent() as agent, AsyncExitStack() as stack:
        finance, spare = await _people(api, stack, "finance", "spare")
        olga = await stack.enter_async_context(api.person(Role.OPERATOR, Role.APPROVER, name="Olga"))
        request = await _ask(api, agent)
        address = f"/approvals/{request['id']}"
        place = {"to": "olga@example.com", "from_person": "finance@example.com"}
        taken = await olga.post(f"{address}/reassignments", json=place)
        assert (taken.status_code, taken.json()["detail"]) == (403, "Nobody takes somebody else's place themselves.")
        assert "is not among those" in (await olga.get(f"{address}/standing")).json()["you"]["why_not_approve"]
        handed = await olga.post(f"{address}/reassignments", json=place | {"to": "spare@example.com"})
        assert handed.status_code == 201
        assert (await spare.get(f"{address}/standing")).json()["you"]["in_the_name_of"] == "finance"
        assert (await finance.get(f"{address}/standing")).json()["you"]["why_not_approve"].startswith("finance handed")


async def test_whoever_asks_does_not_choose_who_decides(api: Api) -> None:
    async with AsyncExitStack() as stack:
        finance, _ = await _people(api, stack, "finance", "spare")
        olga = await stack.enter_async_context(api.person(Role.OPERATOR, name="Olga"))
        api.world.publish(_TWO)
        run_id = await start(olga, agent="desk-clerk")
        waiting = (await olga.post(f"/runs/{run_id}/actions", json=PAY)).json()
        address = f"/approvals/{waiting['approval_id']}"
        place = {"to": "spare@example.com", "from_person": "finance@example.com"}
        refused = await olga.post(f"{address}/reassignments", json=place)
        assert (refused.status_code, refused.json()["where"]) == (403, "from")
        assert "Olga started this run" in refused.json()["detail"]
        assert (await finance.get(f"{address}/standing")).json()["you"]["why_not_approve"] == ""


async def test_everybody_enters_their_own_absence_alone(api: Api) -> None:
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    async with AsyncExitStack() as stack:
        finance, sre = await _people(api, stack, "finance", "sre")
        admin = await stack.enter_async_context(api.person(Role.ADMIN, name="Boss"))
        made = await finance.post("/absences", json={"ends_at": until, "delegate": "sre@example.com", "note": "Sea."})
        assert made.status_code == 201, made.text
        assert made.json()["delegate_id"] == api.site.person("sre").id
        assert (await finance.post("/absences", json={"ends_at": until})).status_code == 409
        other = await sre.post("/absences", json={"ends_at": until, "person": "finance@example.com"})
        assert (other.status_code, other.json()["where"]) == (403, "person")
        assert (await sre.delete(f"/absences/{made.json()['id']}")).status_code == 404
        assert [each["note"] for each in (await sre.get("/absences")).json()["items"]] == ["Sea."]
        for_them = await admin.post("/absences", json={"ends_at": until, "person": "sre@example.com"})
        assert (for_them.status_code, for_them.json()["where"]) == (403, "assurance")
        password = {"password": "a fairly long secret"}
        assert (await admin.put("/me/password", json=password)).status_code == 204
        assert (await admin.post("/me/confirm", json=password)).status_code == 204
        for_them = await admin.post("/absences", json={"ends_at": until, "person": "sre@example.com"})
        assert for_them.status_code == 201
        assert (await admin.delete(f"/absences/{for_them.json()['id']}")).status_code == 200
        naive = await finance.post("/absences", json={"ends_at": "2099-01-01T00:00:00"})
        assert naive.status_code == 422
