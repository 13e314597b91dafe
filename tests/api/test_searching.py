"""Requests are found by words through the API, waiting or decided, as the inbox finds them."""

from __future__ import annotations

import httpx
import pytest

from assent.domain.people import Role
from assent_ui.api.approvals import LONGEST
from tests.api.api import PAY, Api, start


async def _ask(agent: httpx.AsyncClient, run_id: str, to: str, amount: int) -> str:
    """A payment that waits; gives its request."""
    body = PAY | {"arguments": {"to": to, "amount": amount}, "key": f"pay-{to}-{amount}"}
    request: str = (await agent.post(f"/runs/{run_id}/actions", json=body)).json()["approval_id"]
    return request


async def test_words_find_what_waits_and_what_was_decided_newest_first(api: Api) -> None:
    async with api.agent() as agent, api.person(Role.APPROVER) as approver:

        async def found(query: str) -> list[str]:
            answer = await approver.get(f"/approvals?{query}")
            assert answer.status_code == 200, answer.text
            return [each["id"] for each in answer.json()["items"]]

        run_id = await start(agent)
        first = await _ask(agent, run_id, "bobby", 40)
        second = await _ask(agent, run_id, "carol", 30)
        third = await _ask(agent, run_id, "bobby", 20)
        assert await found("search=bobby") == await found("search=pay+BOB") == [third, first]
        digest = (await approver.get(f"/approvals/{first}")).json()["digest"]
        verdict = {"verdict": "reject", "digest": digest, "reason": "Paid before."}
        sent = (await approver.post(f"/approvals/{first}/decisions", json=verdict)).json()
        assert (await approver.get(f"/approvals/{first}/decisions/{sent['id']}?wait=30")).json()["counted"]
        assert await found("search=bobby") == [third, first]
        assert await found("search=bobby&status=pending") == [third]
        assert await found("search=bobby&status=rejected") == [first]
        assert await found("search=bobby&least=30") == [first]
        assert await found("search=bobby&agent=nobody") == await found("search=nothing+like+it") == []
        assert await found("search=carol") == [second]
        assert set(await found("")) == {second, third}
        page = (await approver.get("/approvals?search=bobby&limit=1")).json()
        assert [each["id"] for each in page["items"]] == [third]
        assert await found(f"search=bobby&limit=1&cursor={page['next_cursor']}") == [first]


@pytest.mark.parametrize("query", ["search=bob&mine=true", f"search={'b' * (LONGEST + 1)}"])
async def test_what_cannot_be_searched_for_is_refused(api: Api, query: str) -> None:
    async with api.person(Role.APPROVER) as approver:
        assert (await approver.get(f"/approvals?{query}")).status_code == 422


async def test_agents_learn_nothing_of_the_requests_of_others_by_searching(api: Api) -> None:
    async with api.agent() as agent:
        answer = await agent.get("/approvals?search=bob")
        assert (answer.status_code, answer.json()["where"]) == (422, "search")
