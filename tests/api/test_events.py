"""A run's events as they happen, over a connection that can really break."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from assent_ui.watch import LOOK_EVERY
from tests.api.api import NOTE, PAY, Api, served, start


@dataclass
class Told:
    """One server-sent event."""

    id: str
    kind: str
    data: dict[str, Any]


@asynccontextmanager
async def stream(address: str, key: str, run_id: str, last: str = "") -> AsyncIterator[httpx.Response]:
    """A connection to a run's events."""
    headers = {"Authorization": f"Bearer {key}"} | ({"Last-Event-ID": last} if last else {})
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", f"{address}/api/v1/runs/{run_id}/events", headers=headers) as answer,
    ):
        yield answer


async def told(answer: httpx.Response) -> AsyncIterator[Told]:
    """The events of a stream."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "data" in fields:
                yield Told(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}


async def test_a_run_from_its_beginning_to_its_end(api: Api) -> None:
    key = api.key()
    async with served(api.site.app) as address, api.with_key(key) as agent:
        run_id = await start(agent)
        kinds = []
        async with stream(address, key, run_id) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for each in told(answer):
                kinds.append(each.kind)
                assert each.data["run_id"] == run_id
                if each.kind == "run.started":
                    await agent.post(f"/runs/{run_id}/actions", json=NOTE)
                if each.kind == "effect.done":
                    await agent.post(f"/runs/{run_id}/end", json={})
        assert kinds[0] == "run.started"
        assert kinds[-1] == "run.ended"
        assert kinds.count("effect.done") == 1


async def test_a_connection_that_broke_goes_on_where_it_was(api: Api) -> None:
    key = api.key()
    async with served(api.site.app) as address, api.with_key(key) as agent:
        run_id = await start(agent)
        await agent.post(f"/runs/{run_id}/actions", json=NOTE)
        first: list[Told] = []
        async with stream(address, key, run_id) as answer:
            async for each in told(answer):
                first.append(each)
                if len(first) == 2:
                    break
        await agent.post(f"/runs/{run_id}/end", json={})
        await api.world.result(run_id)
        async with stream(address, key, run_id, last=first[-1].id) as answer:
            rest = [each async for each in told(answer)]
        whole = (await agent.get(f"/runs/{run_id}/timeline")).json()["events"]
        assert [int(each.id) for each in first + rest] == [each["id"] for each in whole]
        async with stream(address, key, run_id, last=rest[-1].id) as answer:
            assert answer.status_code == 204


async def test_many_listeners_cost_the_database_what_one_does(api: Api) -> None:
    key = api.key()
    listeners = 20
    looks = 0

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        nonlocal looks
        looks += "ledger_events.id >" in statement and "run_id =" not in statement

    async with served(api.site.app) as address, api.with_key(key) as agent:
        run_id = await start(agent)
        listening = asyncio.Semaphore(0)

        async def listen() -> list[str]:
            kinds = []
            async with stream(address, key, run_id) as answer:
                async for each in told(answer):
                    listening.release()
                    kinds.append(each.kind)
            return kinds

        event.listen(api.world.database.engine, "before_cursor_execute", count)
        began = time.monotonic()
        tasks = [asyncio.create_task(listen()) for _ in range(listeners)]
        for _ in range(listeners):
            await listening.acquire()
        await agent.post(f"/runs/{run_id}/actions", json=PAY)
        await agent.post(f"/runs/{run_id}/end", json={"stop": True})
        kinds = await asyncio.gather(*tasks)
        took = time.monotonic() - began
        event.remove(api.world.database.engine, "before_cursor_execute", count)
        assert all(each == kinds[0] for each in kinds)
        assert looks <= took / LOOK_EVERY + listeners


@pytest.mark.parametrize("last", ["", "x", "-1", "9" * 19, "٣"])
async def test_a_strange_last_id_is_no_trouble(api: Api, last: str) -> None:
    async with api.agent() as agent:
        run_id = await start(agent)
        await agent.post(f"/runs/{run_id}/end", json={})
        await api.world.result(run_id)
        answer = await agent.get(f"/runs/{run_id}/events", headers={b"Last-Event-ID": last.encode()})
        assert answer.status_code in {200, 204}


async def test_the_server_can_end_while_somebody_listens(api: Api) -> None:
    key = api.key()
    async with api.with_key(key) as agent:
        run_id = await start(agent)
        listening = asyncio.Event()
        async with served(api.site.app) as address:

            async def listen() -> str:
                kind = ""
                async with stream(address, key, run_id) as answer:
                    async for each in told(answer):
                        kind = each.kind
                        listening.set()
                return kind

            listener = asyncio.create_task(listen())
            await listening.wait()
        assert await listener == "run.started"
