"""Agents answer what people ask, hear what people changed, and propose again: with the client and as a model."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from assent.client import Assent, AssentApiError, AsyncAssent, AsyncRun, Question
from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import Verb
from assent.store import comments
from assent.store.queries import approvals
from tests.api.api import Api, served
from tests.site import ADDRESS
from tests.world import ANN

PAY = {"to": "bob", "amount": 40}


def client(api: Api) -> AsyncAssent:
    """A client of the desk clerk, without a network between."""
    return AsyncAssent(ADDRESS, api.key(), transport=httpx.ASGITransport(api.site.app))


async def ask(api: Api, outcome: Any, text: str) -> str:
    return (await api.world.gateway.ask(outcome.approval_id, text, by=ANN)).id


def shown(api: Api, approval_id: str) -> list[tuple[str, str]]:
    with api.world.database.read() as session:
        return [(each.kind.value, each.text) for each in comments.of_request(session, approval_id)]


async def test_questions_and_answers(api: Api) -> None:
    async with client(api) as assent:
        run = await assent.start_run(goal="Pay Bob")
        waiting = await run.act("desk.pay", PAY, key="pay")
        assert await run.questions() == []
        later = asyncio.create_task(run.questions(wait=60))
        await asyncio.sleep(0.3)
        await ask(api, waiting, "Why forty?")
        (question,) = await later
        assert (question.key, question.text, question.by.name) == ("pay", "Why forty?", "Ann Approver")
        second = await ask(api, waiting, "And why Bob?")
        assert [each.id for each in await run.questions(after=question)] == [second]
        await run.answer(question, "It is the price.")
        assert [each.id for each in await run.questions()] == [second]
        with pytest.raises(AssentApiError) as twice:
            await run.answer(question, "No, it is not.")
        assert (twice.value.status, twice.value.code) == (409, "conflict")
        with pytest.raises(AssentApiError) as long:
            await run.answer(question, "x" * 10_001)
        assert (long.value.status, long.value.where) == (413, "text")
        assert ("answer", "It is the price.") in shown(api, waiting.approval_id or "")


async def test_an_agent_hears_what_a_person_changed_and_proposes_again(api: Api) -> None:
    async with client(api) as assent:
        run = await assent.start_run(goal="Pay Bob")
        first = await run.act("desk.pay", PAY, key="first")
        await edit(api, run, "first", to="bob", amount=25)
        await decide(api, run, "first", Verb.REJECT, "Not even that.")
        rejected = await run.wait(first)
        assert (rejected.status, rejected.edited_by) == ("rejected", "Ann Approver")
        assert rejected.arguments == {"to": "bob", "amount": 25}
        again = await run.act("desk.pay", {"to": "bob", "amount": 5}, key="second", instead_of=rejected)
        assert again.status == "awaiting"
        card = api.world.approval(again.approval_id or "").card
        assert card["instead_of"]["key"] == "first"
        with pytest.raises(AssentApiError) as unknown:
            await run.act("desk.pay", PAY, key="third", instead_of="nothing")
        assert unknown.value.where == "instead_of"


async def test_the_blocking_client_does_the_same(api: Api) -> None:
    def work(address: str, key: str) -> list[str]:
        with Assent(address, key) as assent:
            run = assent.start_run(goal="Pay Bob")
            outcome = run.act("desk.pay", PAY, key="pay")
            started.set_result((run.run_id, outcome.approval_id))
            seen: list[str] = []
            for question in run.questions(wait=60):
                seen.append(question.text)
                run.answer(question, "Because.")
            run.end(stop=True)
            return seen

    loop = asyncio.get_running_loop()
    started = Later(loop)
    async with served(api.site.app) as address:
        working = asyncio.create_task(asyncio.to_thread(work, address, api.key()))
        _, approval_id = await started.result()
        await api.world.gateway.ask(approval_id, "Why forty?", by=ANN)
        assert await working == ["Why forty?"]
    assert shown(api, approval_id) == [("question", "Why forty?"), ("answer", "Because.")]


class Later:
    """A result that another thread gives."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._future: asyncio.Future[Any] = loop.create_future()

    def set_result(self, value: Any) -> None:
        self._loop.call_soon_threadsafe(self._future.set_result, value)

    async def result(self) -> Any:
        return await self._future


async def decide(api: Api, run: AsyncRun, key: str, verb: Verb, reason: str = "") -> ActionOutcome:
    waiting = await api.world.outcome(run.run_id, key, ActionStatus.AWAITING)
    await api.world.decide(waiting, verb, reason=reason)
    return await api.world.outcome(run.run_id, key)


async def edit(api: Api, run: AsyncRun, key: str, **arguments: Any) -> None:
    waiting = await api.world.outcome(run.run_id, key, ActionStatus.AWAITING)
    gateway = api.world.gateway
    sent = await gateway.revise(waiting.approval_id or "", arguments, digest=waiting.digest or "", by=ANN)
    while await gateway.edited(sent.id, wait_seconds=10) is None:
        pass


async def test_a_model_answers_is_told_of_an_edit_and_links_what_it_proposes_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pydantic_ai")
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    from assent.adapters import pydantic_ai as adapter

    monkeypatch.setattr(adapter, "LOOK_EVERY", 0.2)
    told: list[Any] = []

    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        last = messages[-1]
        assert isinstance(last, ModelRequest)
        returned = [part.content for part in last.parts if isinstance(part, ToolReturnPart)]
        told.extend(returned)
        arguments: dict[str, Any] = {"to": "bob", "amount": 40, adapter.REASON: "He asked."}
        if not returned:
            return ModelResponse(parts=[ToolCallPart("desk_pay", arguments, tool_call_id="first")])
        if len(told) == 1:
            better = arguments | {"amount": 30, adapter.INSTEAD_OF: told[0]["key"]}
            return ModelResponse(parts=[ToolCallPart("desk_pay", better, tool_call_id="second")])
        if len(told) == 2:
            wrong = arguments | {adapter.INSTEAD_OF: "never-proposed"}
            return ModelResponse(parts=[ToolCallPart("desk_pay", wrong, tool_call_id="third")])
        return ModelResponse(parts=[TextPart("Done.")])

    put: list[Question] = []

    async def answer(question: Question) -> str | None:
        put.append(question)
        return "It is the price." if "forty" in question.text else None

    async with client(api) as assent:
        run = await assent.start_run(goal="Pay Bob")
        types = await assent.action_types()
        tools = adapter.tools_for(run, types, answer_question=answer)
        working = asyncio.create_task(Agent(FunctionModel(reply), tools=tools).run("Pay Bob"))
        waiting = await api.world.outcome(run.run_id, "first", ActionStatus.AWAITING)
        await ask(api, waiting, "Why forty?")
        await ask(api, waiting, "Is Bob well?")
        approval_id = waiting.approval_id or ""
        await api.world.eventually(lambda: ("answer", "It is the price.") in shown(api, approval_id) and len(put) == 2)
        await decide(api, run, "first", Verb.REJECT, "Too much.")
        await api.world.outcome(run.run_id, "second", ActionStatus.AWAITING)
        await edit(api, run, "second", to="bob", amount=25)
        await decide(api, run, "second", Verb.APPROVE)
        assert (await working).output == "Done."
    assert sorted(each.text for each in put) == ["Is Bob well?", "Why forty?"]
    assert (told[0]["status"], told[0]["message"], told[0]["key"]) == ("rejected", "Too much.", "first")
    assert told[1]["result"]["echo"] == told[1]["arguments"] == {"to": "bob", "amount": 25}
    assert "Ann Approver changed the arguments" in told[1]["changed"]
    assert (told[2]["status"], "never-proposed" in told[2]["message"]) == ("refused", True)
    assert api.world.approval(_approval(api, run.run_id)).card["instead_of"]["key"] == "first"


def _approval(api: Api, run_id: str) -> str:
    with api.world.database.read() as session:
        found = approvals.of_run(session, run_id)
    return next(each.id for each in found if each.action_id.endswith(":second"))
