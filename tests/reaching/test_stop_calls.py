"""Webhooks of the installation are told of stops and their end, in order; not of what drills and rollbacks pause."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from assent.domain.actions import ActionStatus
from assent.domain.drills import scratch_name
from assent.domain.pauses import ResumeAnswers, Scope, ScopeKind
from assent.domain.people import Actor, Via
from assent.gateway import Gateway
from assent.store import pause_rows, pauses, ramps, stop_calls
from assent.store.stop_calls import StopEvent
from assent.store.webhooks import GIVEN_UP_AFTER, WEBHOOK
from tests.breakers.past import Clerk
from tests.identity.house import ADDRESS, House
from tests.reaching.bureau import Bureau
from tests.reaching.test_webhooks import Receiver, add, caller, make_calls, receiver, told

__all__ = ["receiver", "told"]

OLI = Actor(id="oli", name="Oli", via=Via.CLI)
EVERYTHING = Scope(kind=ScopeKind.EVERYTHING)
FAILS = "  - {name: fails, measure: errors, within: 1h, most: 2, pause: type, of: desk.tip}"
ANSWERS = ResumeAnswers(cause="A wrong limit", changed="It is 50 now", checks=["By hand"])


def data(receiver: Receiver, place: int) -> dict[str, Any]:
    """What a call said."""
    said = receiver.got[place][1]["data"]
    assert isinstance(said, dict)
    return said


@pytest.fixture
def gateway(house: House) -> Gateway:
    """The door, without Temporal."""
    made: Gateway = house.app.state.deps.gateway
    return made


async def test_a_pause_and_its_end_are_told_signed_and_in_order(
    told: Bureau, gateway: Gateway, receiver: Receiver
) -> None:
    _, receiver.secret = add(told, receiver.url)
    pause_id = await gateway.pause(EVERYTHING, by=OLI, cause="Odd refunds")
    await make_calls(caller(told))
    assert receiver.events == ["pause.requested"]
    said = data(receiver, 0)
    assert (said["status"], said["cause"], said["breaker"]) == ("holding", "Odd refunds", None)
    assert said["requested_by"] == {"name": "Oli", "via": "cli"}
    assert said["url"] == f"{ADDRESS}/stop#{pause_id}"
    await gateway.resume(pause_id, by=OLI, answers=ANSWERS)
    await make_calls(caller(told))
    assert receiver.events == ["pause.requested", "pause.resumed"]
    said = data(receiver, 1)
    assert (said["status"], said["resumed_by"]["name"]) == ("ended", "Oli")
    assert "It is 50 now." in said["resume_note"]
    assert receiver.bad == 0
    assert told.queue(WEBHOOK) == []


async def test_a_breaker_that_fires_is_told_with_its_figures(told: Bureau, receiver: Receiver) -> None:
    _, receiver.secret = add(told, receiver.url)
    clerk = Clerk(told.database, now=told.clock())
    clerk.publish(FAILS)
    clerk.did(ActionStatus.FAILED, 3)
    (trip,) = clerk.look()
    await make_calls(caller(told))
    assert receiver.events == ["pause.requested", "breaker.tripped"]
    assert data(receiver, 1)["breaker"] == {
        "trip_id": trip.id,
        "agent": "clerk",
        "breaker": "fails",
        "measure": "errors",
        "cause": trip.cause,
        "measured": 3.0,
        "threshold": 2.0,
        "cases": 3,
        "at": trip.at.isoformat().replace("+00:00", "Z"),
        "url": f"{ADDRESS}/trips/{trip.id}",
    }
    assert data(receiver, 0)["scope"] == {"kind": "type", "name": "desk.tip"}


async def test_a_resume_that_is_taken_back_is_told(told: Bureau, gateway: Gateway, receiver: Receiver) -> None:
    _, receiver.secret = add(told, receiver.url)
    pause_id = await gateway.pause(EVERYTHING, by=OLI)
    with told.database.write() as session:
        row = pause_rows.required(session, pause_id)
        row.phase, row.stage, row.stage_at = "releasing", 1, told.clock()
        session.flush()
        assert pauses.fall_back(session, pause_id, "Every effect failed.", told.clock())
    await make_calls(caller(told))
    assert receiver.events == ["pause.requested", "pause.fell_back"]
    assert data(receiver, 1)["fell_back_why"] == "Every effect failed."


async def test_nobody_is_told_of_what_drills_and_rollbacks_pause(told: Bureau, receiver: Receiver) -> None:
    _, receiver.secret = add(told, receiver.url)
    now, database = told.clock(), told.database
    scratch = Scope(kind=ScopeKind.AGENT, name=scratch_name("clerk", "drill-12345678"))
    with database.write() as session:
        stop_calls.tell(session, [StopEvent.PAUSED], "pause-drill", scratch, at=now)
        run = Scope(kind=ScopeKind.RUN, name="run-1")
        pauses.begin(database, session, pause_id="pause-1", scope=run, cause="Rollback", by=OLI, at=now)
        ramps.start(database, session, pause_id="pause-1", answers=ANSWERS, by=OLI, at=now)
    assert told.queue(WEBHOOK) == []


async def test_personal_webhooks_and_old_news_are_left_out(told: Bureau, gateway: Gateway, receiver: Receiver) -> None:
    ann = told.person("Ann")
    add(told, receiver.url, ann.id)
    await gateway.pause(EVERYTHING, by=OLI)
    assert told.queue(WEBHOOK) == []
    _, receiver.secret = add(told, receiver.url)
    await gateway.pause(EVERYTHING, by=OLI)
    told.clock.ahead += GIVEN_UP_AFTER + timedelta(minutes=1)
    await make_calls(caller(told))
    assert receiver.got == []
    assert told.queue(WEBHOOK) == []


async def test_a_stop_that_is_not_taken_is_given_up_and_noted(told: Bureau, house: House, gateway: Gateway) -> None:
    async with house.browser(None):
        hook, _ = add(told, "http://127.0.0.1:9/hook")
    pause_id = await gateway.pause(EVERYTHING, by=OLI)
    one = caller(told)
    await make_calls(one)
    [waiting] = told.queue(WEBHOOK)
    assert (waiting.kind, waiting.attempts) == ("pause.requested", 1)
    told.clock.ahead += GIVEN_UP_AFTER + timedelta(hours=2)
    await make_calls(one)
    [given_up] = house.events("webhook.given_up")
    assert (given_up.body["pause"], given_up.body["webhook"]) == (pause_id, hook)
