"""What an agent sees of grants and of its plan."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from assent.client import Assent, AssentApiError
from assent.domain.actions import ActionStatus
from assent.domain.grants import GrantTerms, Pattern, PatternKind
from tests.api.api import Api, fresh, served
from tests.client.test_client import client
from tests.desk import CARD
from tests.world import ANN

GRANTABLE = CARD.replace(
    "    expires: 1h\n",
    '    expires: 1h\n    approval: {grants: {by: ["role:approver"], uses: 5, lasts: 10d}}\n',
)
PLAN = [
    {"key": "one", "type": "desk.pay", "arguments": {"to": "bob", "amount": 5}},
    {"key": "two", "type": "desk.pay", "arguments": {"to": "ann", "amount": 6}},
]


async def test_an_agent_sees_what_it_need_not_ask_for(api: Api) -> None:
    api.world.publish(GRANTABLE)
    terms = GrantTerms(
        agent="desk-clerk",
        action_type="desk.pay",
        arguments={"to": Pattern(kind=PatternKind.ANY), "amount": Pattern(kind=PatternKind.RANGE, max=10)},
        uses=2,
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )
    async with client(api) as assent:
        assert await assent.grants() == []
        made = await api.world.gateway.grant(terms, by=ANN)
        run = await assent.start_run(goal="Pay")
        outcome = await run.act("desk.pay", {"to": "bob", "amount": 5}, wait=30)
        assert outcome.done
        assert made.id in outcome.covered
        (grant,) = await assent.grants()
        assert (grant.used, grant.terms.uses, grant.terms.arguments["amount"]["max"]) == (1, 2, 10)
        dear = await run.act("desk.pay", {"to": "bob", "amount": 50})
        assert (dear.status, dear.covered) == ("awaiting", "")
        await api.world.gateway.revoke_grant(made.id, by=ANN)
        assert await assent.grants() == []
        assert [each.id for each in await assent.grants("revoked")] == [made.id]


async def test_an_agent_sees_its_plan_and_that_it_was_approved(api: Api) -> None:
    run_id = fresh("planned")

    def agent_side(address: str, key: str) -> list[tuple[str, bool]]:
        with Assent(address, key) as assent:
            plan = assent.run(run_id).plan()
            assert plan is not None
            assert plan.approved
            with pytest.raises(AssentApiError):
                assent.run("run-none").plan()
            return [(step.key, step.asks) for step in plan.steps]

    async with client(api) as assent:
        run = await assent.start_run(plan=PLAN, run_id=run_id)
        await api.world.outcome(run_id, "one", ActionStatus.AWAITING)
        plan = await run.plan()
        assert plan is not None
        assert not plan.approved
        offer = await api.world.gateway.plan_offer(run_id)
        assert offer is not None
        await api.world.gateway.approve_plan(run_id, digest=offer.digest, by=ANN)
        outcome = await run.wait("two", 30)
        assert outcome.covered == "Approved with the plan by Ann Approver."
        single = await assent.start_run(plan=PLAN[:1])
        await api.world.outcome(single.run_id, "one", ActionStatus.AWAITING)
        assert await single.plan() is None
    async with served(api.site.app) as address:
        steps = await asyncio.to_thread(agent_side, address, api.key())
    assert steps == [("one", True), ("two", True)]
