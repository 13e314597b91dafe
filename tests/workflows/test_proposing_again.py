"""A proposal that the server takes back, because a workflow task failed under it, is sent again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.gateway.runs import _proposed
from tests.world import action

DONE = ActionOutcome(
    action_id="run-1:a", key="a", type="desk.note", status=ActionStatus.DONE, sentence="", settled_at=datetime.now(UTC)
)


class Unready(WorkflowHandle[Any, Any]):
    """A run that answers a proposal only after so many refusals: no server refuses at will."""

    def __init__(self, status: RPCStatusCode, times: int) -> None:
        self._id = "run-1"
        self.status, self.times = status, times
        self.ids: list[str] = []

    async def execute_update(self, update: Any, arg: Any = None, *, id: str | None = None, **_: Any) -> Any:
        self.ids.append(id or "")
        if len(self.ids) <= self.times:
            raise RPCError("Unable to perform workflow execution update.", self.status, b"")
        return DONE


async def test_it_is_sent_again_under_an_id_of_its_own() -> None:
    run = Unready(RPCStatusCode.FAILED_PRECONDITION, 2)
    assert await _proposed(run, action("a", "desk.note", text="x")) == DONE
    assert len(set(run.ids)) == 3


async def test_every_other_refusal_is_the_answer() -> None:
    run = Unready(RPCStatusCode.PERMISSION_DENIED, 1)
    with pytest.raises(RPCError):
        await _proposed(run, action("a", "desk.note", text="x"))
    assert len(run.ids) == 1
