"""The client acts for an agent, waits for people, and does nothing twice whatever the network does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest

from assent.client import Assent, AssentApiError, AsyncAssent, AsyncRun, Outcome
from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.runtime.processes import free_port
from assent.store.queries import runs
from tests.api.api import Api, fresh, served
from tests.site import ADDRESS


def client(api: Api, **options: object) -> AsyncAssent:
    """A client of the desk clerk, without a network between."""
    transport = options.pop("transport", None) or httpx.ASGITransport(api.site.app)
    return AsyncAssent(ADDRESS, api.key(), transport=transport, **options)  # type: ignore[arg-type]


class Unreliable(httpx.AsyncBaseTransport):
    """A network that loses things."""

    def __init__(self, api: Api, trouble: Callable[[int, httpx.Request], str]) -> None:
        self._inner = httpx.ASGITransport(api.site.app)
        self._trouble = trouble
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        trouble = self._trouble(len(self.requests), request)
        if trouble == "lose the request":
            raise httpx.ConnectError("connection refused", request=request)
        answer = await self._inner.handle_async_request(request)
        if trouble == "lose the answer":
            raise httpx.ReadError("connection reset", request=request)
        return httpx.Response(503, request=request) if trouble == "be busy" else answer


async def test_an_agent_in_five_lines(api: Api) -> None:
    def five_lines(address: str, key: str) -> Outcome:
        with Assent(address, key) as assent:
            run = assent.start_run(goal="Note what to buy", received={"list": "milk"})
            outcome = run.act("desk.note", {"text": "milk"}, reason="It is on the list.", wait=60)
            run.end(f"The note is {outcome.status}.")
        return outcome

    async with served(api.site.app) as address:
        outcome = await asyncio.to_thread(five_lines, address, api.key())
    assert (outcome.status, outcome.done, outcome.settled) == ("done", True, True)
    assert outcome.result == {"ok": True, "echo": {"text": "milk"}}
    result = await api.world.result(outcome.run_id)
    assert result.counts == {"done": 1}


async def test_waiting_for_a_person(api: Api) -> None:
    async with client(api) as assent:
        run = await assent.start_run(goal="Pay Bob")
        outcome = await run.act("desk.pay", {"to": "bob", "amount": 40}, key="pay")
        assert (outcome.status, outcome.settled) == ("awaiting", False)
        assert [reason.rule for reason in outcome.reasons]
        early = await run.wait(outcome, timeout=0.2)
        assert not early.settled
        waiting = asyncio.create_task(run.wait("pay"))
        found = await api.world.outcome(run.run_id, "pay", ActionStatus.AWAITING)
        await api.world.decide(found, Verb.REJECT, reason="Bob was paid yesterday.")
        settled = await waiting
        assert (settled.status, settled.message) == ("rejected", "Bob was paid yesterday.")
        assert (await run.outcome("pay")).status == "rejected"
        assert (await run.state()).actions == 1


async def test_waiting_within_the_proposal(api: Api) -> None:
    async with client(api) as assent:
        run = await assent.start_run()
        acting = asyncio.create_task(run.act("desk.pay", {"to": "bob", "amount": 40}, key="pay", wait=600))
        found = await api.world.outcome(run.run_id, "pay", ActionStatus.AWAITING)
        await api.world.decide(found, Verb.APPROVE)
        assert (await acting).done


@pytest.mark.parametrize("trouble", ["lose the request", "lose the answer", "be busy"])
async def test_nothing_is_done_twice_whatever_gets_lost(api: Api, trouble: str) -> None:
    network = Unreliable(api, lambda number, _: trouble if number % 2 else "")
    async with client(api, transport=network) as assent:
        run = await assent.start_run(goal="Note what to buy")
        outcome = await run.act("desk.note", {"text": "milk"})
        assert outcome.done
        await run.end("Done.")
    await api.world.result(run.run_id)
    assert api.world.desk.done == [f"{run.run_id}:{outcome.key}"]
    with api.world.database.read() as session:
        assert len(runs.page(session).items) == 1
    assert len(network.requests) == 6


async def test_giving_up_says_so(api: Api) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with AsyncAssent(nowhere, "assent_key", persistence=0.3) as assent:
        with pytest.raises(AssentApiError) as error:
            await assent.start_run()
    assert (error.value.status, error.value.code) == (0, "unreachable")
    assert nowhere in str(error.value)
    with Assent(nowhere, "assent_key", persistence=0) as blocking, pytest.raises(AssentApiError):
        blocking.action_types()
    always_busy = Unreliable(api, lambda *_: "be busy")
    async with client(api, transport=always_busy, persistence=0.3) as assent:
        with pytest.raises(AssentApiError) as busy:
            await assent.start_run()
    assert busy.value.status == 503
    assert len(always_busy.requests) > 1


async def test_refusals_carry_what_where_and_what_to_do(api: Api) -> None:
    async with AsyncAssent(ADDRESS, "assent_wrong", transport=httpx.ASGITransport(api.site.app)) as stranger:
        with pytest.raises(AssentApiError) as error:
            await stranger.start_run()
    assert (error.value.status, error.value.code, error.value.where) == (401, "not-signed-in", "Authorization")
    assert error.value.todo
    async with client(api) as assent:
        run = await assent.start_run()
        with pytest.raises(AssentApiError) as broken:
            await run.act("desk.note", {"text": "milk"}, key="not a key")
        assert broken.value.errors[0]["where"] == "key"
        with pytest.raises(AssentApiError) as missing:
            await run.wait("nothing", timeout=0)
        assert missing.value.code == "not-found"
        with pytest.raises(AssentApiError):
            await assent.run("../../agents").state()
        await run.end()
        await api.world.result(run.run_id)
        with pytest.raises(AssentApiError) as over:
            await run.act("desk.note", {"text": "milk"})
        assert over.value.code == "conflict"


async def test_a_plan_and_what_may_be_proposed(api: Api) -> None:
    async with client(api) as assent:
        types = await assent.action_types()
        assert {"desk.note", "desk.pay"} <= {each["name"] for each in types}
        plan = [
            {"key": "a", "type": "desk.read", "arguments": {"text": "the price"}},
            {"key": "b", "type": "desk.note", "arguments": {"text": {"$ref": "a.echo.text"}}, "after": ["a"]},
        ]
        planned = fresh("planned")
        run = await assent.start_run(plan=plan, run_id=planned)
        assert isinstance(run, AsyncRun)
        await api.world.result(planned)
        assert (await assent.run(planned).outcome("b")).result["echo"] == {"text": "the price"}


def test_the_client_needs_nothing_of_the_product() -> None:
    code = (
        "import sys, assent.client;"
        "heavy = {'temporalio', 'sqlalchemy', 'sqlmodel', 'fastapi', 'starlette', 'slack_bolt', 'assent.domain'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
