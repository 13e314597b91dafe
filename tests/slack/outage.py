"""Slack is down for ten minutes while requests are made, talked about and closed; then it limits its rate.

The clock is the fake's: nothing waits for real time.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass

from assent.domain.approvals import ApprovalStatus
from assent.domain.people import Actor, Via
from assent.store import approvals
from tests.slack.fake_blocks import reading
from tests.slack.fake_state import Failure, Limit, Message
from tests.slack.office import Office

MINUTES_DOWN = 10
BEA = Actor(id="bea", name="Bea", via=Via.WEB)

_TROUBLE = (
    Failure(status=503),
    Failure(status=500),
    Failure(error="internal_error"),
    Failure(cut=True),
    # Slack does what was asked for, and its answer is lost.
    Failure(cut=True, done=True),
    Failure(status=500, done=True),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        requests: Requests that were made.
        expected: Messages and notes that had to arrive.
        arrivals: Messages and notes that arrived.
        doubles: Arrived more than once.
        missing: Never arrived.
        out_of_order: Notes before their request, notes out of their order, and copies that went back in time.
        untrue: Copies that in the end show another status than the request has.
        calls_down: Calls made while Slack was down.
        hammered: Calls made before the time that Slack had asked for.
        minutes_after: Minutes from Slack's return to the last arrival, by the fake's clock.
        seconds: What it took in real time.
    """

    requests: int
    expected: int
    arrivals: int
    doubles: int
    missing: int
    out_of_order: int
    untrue: int
    calls_down: int
    hammered: int
    minutes_after: float
    seconds: float


async def outage(office: Office, *, requests: int, people: int, seed: int = 1) -> Outcome:
    """Let it happen.

    Args:
        office: With nobody in it yet.
        requests: How many are made, evenly over the time that Slack is down.
        people: How many approvers get a direct message for each.
        seed: Of the trouble.
    """
    began, dice = time.monotonic(), random.Random(seed)
    users = [office.approver(name) for name in ("Bea", "Cleo", "Dan", "Eve", "Fay")[:people]]
    # Their conversations are open already: what is counted is messages.
    office.ask(headline="Before")
    await office.deliver()
    office.slack.arrivals.clear()
    office.slack.failures["*"] = [
        Failure(one.error, one.status, one.cut, one.done) for one in dice.choices(_TROUBLE, k=200_000)
    ]
    calls = len(office.slack.calls)
    asked = [await _life(office, number, MINUTES_DOWN * 60 / requests) for number in range(requests)]
    calls_down = len(office.slack.calls) - calls
    office.slack.failures.clear()
    office.slack.limits["chat.postMessage"] = Limit(burst=5, every=1.0)
    office.slack.limits["chat.update"] = Limit(burst=10, every=1.2)
    office.slack.limits["conversations.history"] = Limit(burst=10, every=1.2)
    office.slack.limits["conversations.replies"] = Limit(burst=10, every=1.2)
    back = office.slack.clock.now()
    while office.undelivered():
        await office.wait(1)
    minutes_after = (office.slack.clock.now() - back) / 60
    hammered = sum(limit.hammered for limit in office.slack.limits.values())
    places = [office.slack.channel.id, *(one.id for one in office.slack.channels.values() if one.with_user)]
    assert len(places) == len(users) + 1
    return _counted(office, asked, places, calls_down, hammered, minutes_after, time.monotonic() - began)


async def _life(office: Office, number: int, seconds: float) -> str:
    """A request is made, talked about twice, and every second one is closed."""
    approval_id = office.ask(headline=f"Request {number}")
    await office.wait(seconds / 4)
    for step in (1, 2):
        await office.gateway.comment(approval_id, f"Step {step}", by=BEA)
        await office.wait(seconds / 4)
    if number % 2:
        office.close(approval_id, ApprovalStatus.WITHDRAWN, "Closed in the meantime")
    await office.wait(seconds / 4)
    return approval_id


def _counted(
    office: Office,
    asked: list[str],
    places: list[str],
    calls_down: int,
    hammered: int,
    minutes_after: float,
    seconds: float,
) -> Outcome:
    found: Counter[tuple[str, str, str]] = Counter()
    for place in places:
        for message in office.slack.channels[place].messages.values():
            told = message["metadata"]["event_payload"]
            if told["approval"] in asked:
                found[place, told["approval"], told.get("note", "")] += 1
    expected = len(asked) * len(places) * 3 + sum(number % 2 for number in range(len(asked)))
    # A request that was closed before anybody could be told needs no direct message.
    spared = sum(
        4 - 1 * bool(found[places[0], one, "closed"])
        for number, one in enumerate(asked)
        for place in places[1:]
        if number % 2 and not found[place, one, ""]
    )
    return Outcome(
        requests=len(asked),
        expected=expected - spared,
        arrivals=sum(found.values()),
        doubles=sum(count - 1 for count in found.values()),
        missing=max(0, expected - spared - len(found)),
        out_of_order=_out_of_order(office, asked),
        untrue=_untrue(office, asked, places),
        calls_down=calls_down,
        hammered=hammered,
        minutes_after=minutes_after,
        seconds=seconds,
    )


def _out_of_order(office: Office, asked: list[str]) -> int:
    """How often something arrived before what had to come first."""
    faults, seen, closed = 0, dict[tuple[str, str], str](), set[tuple[str, str]]()
    for place, message in office.slack.arrivals:
        told = message["metadata"]["event_payload"]
        key = (place, told["approval"])
        if told["approval"] not in asked:
            continue
        if "note" in told:
            step = _step(message)
            faults += step < seen.get(key, "~")
            seen[key] = step
            continue
        seen.setdefault(key, "")
        if "Withdrawn" in reading(message["blocks"]):
            closed.add(key)
        else:
            faults += key in closed
    return faults


def _step(message: Message) -> str:
    """Where a note belongs: what was said first, then the end."""
    said = reading(message["blocks"])
    return next((step for step in ("Step 1", "Step 2") if step in said), "Withdrawn")


def _untrue(office: Office, asked: list[str], places: list[str]) -> int:
    faults = 0
    with office.database.read() as session:
        for approval_id in asked:
            request = approvals.request(session, approval_id)
            assert request is not None
            for place in places:
                for message in office.slack.channels[place].messages.values():
                    if message["metadata"]["event_payload"] == {"approval": approval_id}:
                        shown = "Withdrawn" in reading(message["blocks"])
                        faults += shown != (request.status is ApprovalStatus.WITHDRAWN)
    return faults
