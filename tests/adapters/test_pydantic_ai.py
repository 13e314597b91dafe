"""A model's tool calls become actions, and it is told what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("pydantic_ai")

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

from assent.adapters.pydantic_ai import REASON, answer, tools_for

TYPES = [
    {
        "name": "shop.cancel",
        "title": "Cancel an order",
        "sentence": "Cancel {order_id}.",
        "risks": ["money"],
        "arguments": {
            "type": "object",
            "properties": {"order_id": {"type": "string"}},
            "required": ["order_id"],
            "additionalProperties": False,
        },
    },
    {"name": "shop.look", "title": "Look", "arguments": {"type": "object", "properties": {}}},
]


@dataclass
class Settled:
    status: str
    result: Any = None
    message: str = ""


@dataclass
class Run:
    """A sync run; actions on ``#W2`` wait for a person, who says no."""

    acted: list[tuple[Any, ...]] = field(default_factory=list)

    def act(self, type: str, arguments: dict[str, Any], /, *, reason: str = "", key: str | None = None) -> Settled:
        self.acted.append((type, arguments, reason, key))
        if arguments.get("order_id") == "#W2":
            return Settled("awaiting")
        return Settled("done", result={"order_id": arguments.get("order_id"), "status": "cancelled"})

    def wait(self, outcome: Settled, /) -> Settled:
        return Settled("rejected", message="Call the customer first.")


class AsyncRun(Run):
    """The same, async."""

    async def act(self, *arguments: Any, **named: Any) -> Settled:  # type: ignore[override]
        return super().act(*arguments, **named)

    async def wait(self, outcome: Settled, /) -> Settled:  # type: ignore[override]
        return super().wait(outcome)


def _calls(order_id: str) -> FunctionModel:
    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        last = messages[-1]
        assert isinstance(last, ModelRequest)
        returned = [part.content for part in last.parts if isinstance(part, ToolReturnPart)]
        if returned:
            return ModelResponse(parts=[TextPart(str(returned[0]))])
        arguments = {"order_id": order_id, REASON: "They asked."}
        return ModelResponse(parts=[ToolCallPart("shop_cancel", arguments, tool_call_id="call 1/x")])

    return FunctionModel(reply)


@pytest.mark.parametrize("kind", [Run, AsyncRun])
async def test_a_tool_call_is_an_action_with_a_reason_and_a_key(kind: type[Run]) -> None:
    run = kind()
    result = await Agent(_calls("#W1"), tools=tools_for(run, TYPES)).run("Cancel #W1")
    assert run.acted == [("shop.cancel", {"order_id": "#W1"}, "They asked.", "call-1-x")]
    assert "cancelled" in result.output


@pytest.mark.parametrize("kind", [Run, AsyncRun])
async def test_a_model_hears_a_persons_reason(kind: type[Run]) -> None:
    result = await Agent(_calls("#W2"), tools=tools_for(kind(), TYPES)).run("Cancel #W2")
    assert "Call the customer first." in result.output
    assert "rejected" in result.output


async def test_a_model_is_offered_every_type_with_its_schema() -> None:
    model, run = TestModel(), Run()
    await Agent(model, tools=tools_for(run, TYPES)).run("Do something")
    assert [type for type, *_ in run.acted] == ["shop.cancel", "shop.look"]
    offered = model.last_model_request_parameters
    assert offered is not None
    cancel = offered.function_tools[0]
    assert cancel.name == "shop_cancel"
    assert cancel.parameters_json_schema["required"] == ["order_id", REASON]
    assert "approve" in (cancel.description or "")


def test_types_that_cannot_be_tools_are_refused() -> None:
    with pytest.raises(ValueError, match="Two action types"):
        tools_for(Run(), [TYPES[0], TYPES[0]])
    taken = {"name": "a.b", "arguments": {"type": "object", "properties": {REASON: {}}}}
    with pytest.raises(ValueError, match="already has"):
        tools_for(Run(), [taken])


def test_every_end_is_told_in_words() -> None:
    assert answer(Settled("done", result=1)) == 1
    for status in ("suggested", "refused", "rejected", "expired", "withdrawn", "failed", "unknown", "undone"):
        assert answer(Settled(status))["meaning"]
