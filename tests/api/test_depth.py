"""Deep nesting: refused at the door, because no worker could read it and every worker would try for ever."""

from __future__ import annotations

import pytest

from tests.api.api import NOTE, Api, start


def nested(levels: int) -> object:
    value: object = "bottom"
    for _ in range(levels):
        value = {"in": value}
    return value


@pytest.mark.parametrize("levels", [101, 230, 300, 450])
async def test_what_no_worker_could_read_is_refused(api: Api, levels: int) -> None:
    deep = {"text": "milk", "more": nested(levels)}
    async with api.agent() as agent:
        run_id = await start(agent)
        for answer in (
            await agent.post(f"/runs/{run_id}/actions", json={**NOTE, "arguments": deep}),
            await agent.post("/runs", json={"received": deep}),
            await agent.post("/runs", json={"plan": [{**NOTE, "arguments": deep}]}),
        ):
            assert answer.status_code == 413, answer.text
            assert "levels deep" in answer.json()["detail"]


async def test_what_is_taken_can_be_read(api: Api) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
        arguments = {"text": "milk", "more": nested(98)}
        answer = await agent.post(f"/runs/{run_id}/actions?wait=30", json={**NOTE, "arguments": arguments})
        assert answer.json()["status"] == "done", answer.text
        assert (await agent.get(f"/runs/{run_id}/timeline")).status_code == 200
