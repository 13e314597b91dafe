"""A model drives the shop's tools under the same card."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("pydantic_ai")

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from assent.adapters.pydantic_ai import REASON
from assent_activities.connectors.contract import build_registry
from assent_shop.connector import Shop
from assent_shop.model_agent import answer_with_model
from assent_shop.stock import sample_shop
from assent_shop.support import Letter
from tests.shop.fake_run import FakeRun

ORDER = next(order for order in sample_shop()["orders"].values() if order["status"] == "pending")
USER = sample_shop()["users"][ORDER["user_id"]]
PLAN = (
    ("shop_find_user_id_by_email", {"email": USER["email"]}),
    ("shop_get_order_details", {"order_id": ORDER["order_id"]}),
    ("shop_cancel_pending_order", {"order_id": ORDER["order_id"], "reason": "ordered by mistake"}),
)


class KeyedRun(FakeRun):
    """A fake run that takes keys, as the client's does."""

    def act(self, type: str, arguments: dict[str, Any], /, *, reason: str = "", key: str | None = None) -> Any:
        return super().act(type, arguments, reason=reason)


def _model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    returned = [
        part
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    ]
    if len(returned) < len(PLAN):
        tool, arguments = PLAN[len(returned)]
        return ModelResponse(parts=[ToolCallPart(tool, {**arguments, REASON: "The customer asks for it."})])
    return ModelResponse(parts=[TextPart(f"The last step gave {returned[-1].content}")])


@pytest.mark.parametrize(("no", "words"), [("", "cancelled"), ("Call them first.", "Call them first.")])
def test_a_model_works_under_the_card_and_hears_people(shop: Shop, no: str, words: str) -> None:
    types = [
        {"name": name, "title": o.type.title, "sentence": o.type.sentence, "arguments": o.type.arguments}
        for name, o in build_registry([shop]).items()
    ]
    letter = Letter(USER["email"], "Somebody", "0", "Cancel", f"Please cancel {ORDER['order_id']}.")
    run = KeyedRun("r", shop, lambda outcome: no)
    assert words in answer_with_model(run, types, letter, FunctionModel(_model))
    assert [outcome.type.replace(".", "_") for outcome in run.outcomes] == [tool for tool, _ in PLAN]
    assert run.outcomes[-1].status == ("rejected" if no else "done")
