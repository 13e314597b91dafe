"""Each request is posted once and each copy kept true, whatever Slack, the network and the notifier go through."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from assent.domain.approvals import ApprovalStatus
from assent.domain.errors import Unavailable
from assent.store import copies, outbox
from assent_slack.blocks.request import request_message
from assent_slack.buttons import APPROVE
from assent_slack.history import EVENT_TYPE
from assent_slack.notifier import LEASE, Notifier
from assent_slack.workspaces import Workspaces
from tests.slack.fake_blocks import buttons, reading
from tests.slack.fake_state import Channel, Failure, Limit, Message
from tests.slack.office import Office
from tests.slack.outage import outage
from tests.slack.waiting import until


class Died(BaseException):
    """The process ends here."""


def copies_of(office: Office, approval_id: str) -> list[Message]:
    """The messages in the channel that show a request."""
    return [
        message
        for message in office.slack.messages
        if (message["metadata"] or {}).get("event_payload") == {"approval": approval_id}
    ]


async def test_a_request_is_posted_once_with_what_finds_it_again(office: Office) -> None:
    approval_id, message = await office.posted()
    assert message["metadata"] == {"event_type": EVENT_TYPE, "event_payload": {"approval": approval_id}}
    assert message["posted"] == {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    with office.database.read() as session:
        [copy] = copies.of_request(session, approval_id, channel="slack")
    assert (copy.place, copy.reference, copy.shown_status) == ("T0ACME/C0APPROVE", message["ts"], "pending")
    assert office.undelivered() == []
    await office.wait(600)
    assert len(office.slack.messages) == 1
    assert office.slack.count("chat.postMessage") == 1


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (ApprovalStatus.EXPIRED, "", "⧗ Expired: nobody decided in time"),
        (ApprovalStatus.WITHDRAWN, "The run was stopped.", "The run was stopped."),
    ],
)
async def test_a_request_that_ends_by_itself_says_so_in_its_copy(
    office: Office, status: ApprovalStatus, reason: str, said: str
) -> None:
    approval_id, message = await office.posted()
    office.close(approval_id, status, reason)
    await office.deliver()
    assert said in reading(message["blocks"])
    assert APPROVE not in buttons(message)
    assert message["edits"] == 1


async def test_a_request_closed_before_it_was_posted_is_posted_closed(office: Office) -> None:
    approval_id = office.ask()
    office.close(approval_id, ApprovalStatus.EXPIRED)
    await office.deliver()
    [message] = office.slack.messages
    assert "Expired" in reading(message["blocks"])
    assert office.slack.count("chat.update") == 0
    assert office.undelivered() == []


@pytest.mark.parametrize(
    "failure",
    [
        Failure(error="internal_error"),
        Failure(error="channel_not_found"),
        Failure(status=500),
        Failure(status=503),
        Failure(cut=True),
        Failure(error="internal_error", done=True),
        Failure(status=500, done=True),
        Failure(cut=True, done=True),
    ],
    ids=repr,
)
@pytest.mark.parametrize("heeded", [False, True])
async def test_a_post_that_fails_is_tried_again_and_never_doubled(
    office: Office, failure: Failure, heeded: bool
) -> None:
    failure.times = 1
    office.slack.heeds_client_ids = heeded
    office.slack.fail("chat.postMessage", failure)
    approval_id = office.ask()
    await office.deliver()
    [row] = office.undelivered()
    assert (row.attempts, bool(row.error)) == (1, True)
    await office.wait(1.1)
    assert len(copies_of(office, approval_id)) == 1
    assert office.undelivered() == []


async def test_an_update_that_fails_is_tried_again(office: Office) -> None:
    approval_id, message = await office.posted()
    office.slack.fail("chat.update", Failure(cut=True, times=3))
    office.close(approval_id, ApprovalStatus.WITHDRAWN)
    await office.deliver()
    assert APPROVE in buttons(message)
    for _ in range(4):
        await office.wait(10)
    assert APPROVE not in buttons(message)
    assert office.undelivered() == []


async def test_attempts_back_off_and_never_end(office: Office) -> None:
    office.slack.fail("*", Failure(cut=True, times=1_000))
    office.ask()
    await office.deliver()
    calls = []
    for _ in range(60):
        before = office.slack.count("chat.postMessage") + office.slack.count("conversations.history")
        await office.wait(60)
        calls.append(office.slack.count("chat.postMessage") + office.slack.count("conversations.history") - before)
    assert sum(calls) >= 12
    # Once a minute, and the connection's own second attempt.
    assert sum(calls[-10:]) <= 22
    office.slack.failures.clear()
    await office.wait(400)
    assert len(office.slack.messages) == 1
    assert office.undelivered() == []


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_slack_down_for_ten_minutes_then_limited_delivers_everything_once_in_order(
    office: Office, seed: int
) -> None:
    found = await outage(office, requests=6, people=2, seed=seed)
    assert (found.doubles, found.missing, found.out_of_order, found.untrue, found.hammered) == (0, 0, 0, 0, 0)
    assert found.arrivals == found.expected
    # It asks now and then whether Slack is back, and not once a message.
    assert found.calls_down < 40
    assert office.slack.refused == []


async def test_a_limit_is_heeded_for_everything_that_it_is_for(office: Office) -> None:
    office.slack.limits["chat.postMessage"] = Limit(burst=1, every=30.0)
    first, second = office.ask(), office.ask()
    await office.deliver()
    assert len(office.slack.messages) == 1
    await office.wait(5)
    assert office.slack.count("chat.postMessage") == 2
    await office.wait(30)
    assert len(copies_of(office, first)) == len(copies_of(office, second)) == 1
    assert office.slack.limits["chat.postMessage"].hammered == 0


async def _dying(office: Office, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool) -> None:
    """Let the notifier die at a step, and a new one start once its lease is over."""
    real = getattr(owner, name)

    async def dies(*args: Any, **kwargs: Any) -> Any:
        if after:
            await real(*args, **kwargs)
        raise Died

    monkeypatch.setattr(owner, name, dies)
    with pytest.raises(Died):
        await office.deliver()
    monkeypatch.setattr(owner, name, real)


@pytest.mark.parametrize("after", [False, True], ids=["before the post", "between the post and the note of it"])
async def test_a_notifier_that_dies_leaves_one_copy(
    office: Office, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    # Others post in the channel too, and somebody pretends.
    channel = office.slack.channel
    approval_id = office.ask()
    pretended = {"event_type": EVENT_TYPE, "event_payload": {"approval": approval_id}}
    for number in range(10):
        ts = office.slack.timestamp()
        other = {"ts": ts, "bot_id": f"B{number}", "metadata": pretended, "blocks": [], "text": "hello"}
        channel.messages[ts] = other
    await _dying(office, monkeypatch, office.posting, "post", after=after)
    another = office.another_notifier()
    assert not await another.turn()
    office.close(approval_id, ApprovalStatus.EXPIRED)
    office.slack.clock.advance(LEASE.total_seconds())
    while await another.turn():
        pass
    [message] = [message for message in office.slack.messages if message["bot_id"] == office.slack.bot_id]
    assert "Expired" in reading(message["blocks"])
    assert office.undelivered() == []
    assert office.slack.refused == []


async def test_a_notifier_that_dies_between_update_and_note_updates_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id, message = await office.posted()
    office.close(approval_id, ApprovalStatus.EXPIRED)
    await _dying(office, monkeypatch, office.posting, "update", after=True)
    office.slack.clock.advance(LEASE.total_seconds())
    while await office.another_notifier().turn():
        pass
    assert message["edits"] == 2
    assert "Expired" in reading(message["blocks"])


async def test_a_stalled_notifier_that_wakes_up_removes_its_own_second_copy(office: Office) -> None:
    approval_id = office.ask()
    gate = office.slack.gates["chat.postMessage"] = asyncio.Event()
    stalled = asyncio.create_task(office.notifier.turn())
    await until(lambda: office.slack.count("chat.postMessage") > 0)
    del office.slack.gates["chat.postMessage"]
    office.slack.clock.advance(LEASE.total_seconds())
    while await office.another_notifier().turn():
        pass
    gate.set()
    await stalled
    assert len(copies_of(office, approval_id)) == 1
    assert office.undelivered() == []


async def test_a_lease_that_is_over_is_not_used(office: Office) -> None:
    notifier = office.another_notifier()
    office.ask()
    real = notifier._standing

    def slowly(approval_id: str) -> Any:
        office.slack.clock.advance(LEASE.total_seconds())
        return real(approval_id)

    notifier._standing = slowly  # type: ignore[method-assign]
    await notifier.turn()
    assert office.slack.count("chat.postMessage") == 0
    await office.wait(1)
    assert len(office.slack.messages) == 1


async def test_several_notifiers_share_the_work(office: Office) -> None:
    asked = [office.ask() for _ in range(20)]
    for approval_id in asked[::2]:
        office.close(approval_id, ApprovalStatus.WITHDRAWN)

    async def work(notifier: Notifier) -> None:
        while office.undelivered():
            await notifier.turn()

    await asyncio.gather(*(work(office.another_notifier()) for _ in range(4)))
    for number, approval_id in enumerate(asked):
        [message] = copies_of(office, approval_id)
        assert (APPROVE in buttons(message)) == (number % 2 == 1)


async def test_a_copy_that_somebody_deleted_is_let_go(office: Office) -> None:
    approval_id, message = await office.posted()
    del office.slack.channel.messages[message["ts"]]
    office.close(approval_id, ApprovalStatus.WITHDRAWN)
    await office.deliver()
    assert office.undelivered() == []
    assert office.slack.messages == []
    with office.database.read() as session:
        assert [copy.shown_status for copy in copies.of_request(session, approval_id, channel="slack")] == [copies.GONE]


async def test_copies_stay_true_after_the_channel_was_changed(office: Office) -> None:
    approval_id, message = await office.posted()
    office.slack.channels["C0NEW"] = Channel("C0NEW", "new-approvals")
    workspace = office.workspaces.get("T0ACME")
    assert workspace is not None
    moved = office.another_notifier(Workspaces(replace(workspace, channel_id="C0NEW")))
    office.close(approval_id, ApprovalStatus.WITHDRAWN)
    while await moved.turn():
        pass
    assert "Withdrawn" in reading(message["blocks"])


async def test_without_a_look_at_the_history_a_request_is_rather_seen_twice_than_never(office: Office) -> None:
    office.slack.scopes = [scope for scope in office.slack.scopes if not scope.endswith(":history")]
    office.slack.fail("chat.postMessage", Failure(cut=True, done=True))
    approval_id = office.ask()
    await office.deliver()
    await office.wait(2)
    assert len(copies_of(office, approval_id)) == 2
    assert office.undelivered() == []


async def test_a_request_that_cannot_be_laid_out_does_not_hold_up_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = request_message

    def breaks(view: Any, *more: Any) -> Any:
        if view.headline == "broken":
            raise RuntimeError("a mistake of ours")
        return real(view, *more)

    monkeypatch.setattr("assent_slack.recipients.request_message", breaks)
    office.ask(headline="broken")
    _, message = await office.posted(headline="whole")
    assert "whole" in message["text"]
    [row] = office.undelivered()
    assert "a mistake of ours" in row.error
    monkeypatch.setattr("assent_slack.recipients.request_message", real)
    await office.wait(10)
    assert office.undelivered() == []


async def test_the_loop_works_until_it_is_told_to_stop(office: Office) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(office.notifier.run(stop))
    office.ask()
    await until(lambda: len(office.slack.messages) > 0 and not office.undelivered())
    stop.set()
    await running
    assert len(office.slack.messages) == 1


async def test_a_database_that_is_away_is_waited_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = outbox.claim_due, iter(range(2))

    def away(*args: Any, **kwargs: Any) -> Any:
        if next(failures, None) is not None:
            raise Unavailable("The database does not answer.")
        return real(*args, **kwargs)

    monkeypatch.setattr(outbox, "claim_due", away)
    await test_the_loop_works_until_it_is_told_to_stop(office)
