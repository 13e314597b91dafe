"""Only Slack is listened to, only about our own workspace, and only now."""

from __future__ import annotations

import asyncio
import io
import json
import time

import aiohttp
import pytest

from assent.domain.approvals import ApprovalStatus
from assent.domain.people import Role
from assent.store import comments
from assent.store.queries import pauses
from assent_slack.buttons import APPROVE, REJECT, TALK
from tests.slack.fake_requests import Tampering, signed
from tests.slack.office import Office

OTHER_ID = "f" * 16


@pytest.mark.parametrize(
    "tampering",
    [
        Tampering(secret="somebody else's secret"),
        Tampering(age=301),
        Tampering(age=-900),
        Tampering(signature=""),
        Tampering(signature="v0=" + "0" * 64),
        Tampering(signature="v0=é"),
        Tampering(signature="v1=" + "0" * 64),
        Tampering(stamp="now"),
        Tampering(stamp=""),
        Tampering(stamp=str(2**70)),
        pytest.param(Tampering(stamp=str(int(time.time()) - 100)), id="another stamp"),
        Tampering(swap=("0000000000000001", OTHER_ID)),
    ],
    ids=repr,
)
async def test_a_request_that_slack_did_not_sign_now_is_refused(office: Office, tampering: Tampering) -> None:
    ann = office.approver()
    approval_id, message = await office.posted()
    for delivery in [
        await office.people.press(ann, message, APPROVE, tampering=tampering),
        await office.people.press(ann, message, REJECT, tampering=tampering),
        await office.people.command(ann, "pause everything 0000000000000001", tampering=tampering),
    ]:
        assert (delivery.status, json.loads(delivery.body)) == (
            401,
            {"error": "This request is not signed by Slack, or is too old."},
        )
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.PENDING
    assert office.slack.whispers == []
    assert office.gateway.sent == []


async def test_a_replayed_request_is_harmless_while_it_is_young_and_refused_once_it_is_old(office: Office) -> None:
    ann = office.approver()
    approval_id, message = await office.posted()
    click = office.people.press_payload(ann, message, APPROVE)
    for _ in range(3):
        assert (await office.people.deliver("interactive", click)).status == 200
        await office.settled()
    assert len(office.gateway.sent) == 1
    assert (await office.people.deliver("interactive", click, Tampering(age=301))).status == 401
    assert office.status(approval_id) is ApprovalStatus.APPROVED


@pytest.mark.parametrize("what", ["click", "command", "dialog"])
async def test_a_recorded_request_does_nothing_again(office: Office, what: str) -> None:
    oli = office.person("Oli", Role.OPERATOR, Role.APPROVER)
    approval_id, message = await office.posted()
    if what == "command":
        await office.people.command(oli, "pause everything")
    else:
        await office.people.press(oli, message, APPROVE if what == "click" else TALK)
    await office.settled()
    if what == "dialog":
        [dialog] = office.slack.dialogs.values()
        await office.people.submit(oli, dialog, "Once")
        await office.settled()
    whispers = len(office.slack.whispers)
    replayed = await office.people.replay()
    await office.settled()
    assert (replayed.status, "received before" in replayed.body) == (401, True)
    assert len(office.slack.whispers) == whispers
    assert any("received before" in why for why in office.refusals())
    with office.database.read() as session:
        assert len(pauses.active(session)) == (what == "command")
        assert len(comments.of_request(session, approval_id)) == (what == "dialog")


async def test_what_slack_did_not_sign_is_in_the_ledger(office: Office) -> None:
    ann = office.approver()
    for _ in range(3):
        await office.people.command(ann, "pending", tampering=Tampering(secret="another"))
        await office.people.command(ann, "pending", tampering=Tampering(team_id="T0OTHER"))
    await office.settled()
    said = office.refusals()
    assert said.count("This request is not signed by Slack, or is too old.") == 3
    assert said.count("Assent is not installed in this workspace.") == 3


async def test_requests_of_another_workspace_are_refused(office: Office) -> None:
    ann = office.approver()
    approval_id, message = await office.posted()
    foreign = Tampering(team_id="T0OTHER")
    deliveries = [
        await office.people.press(ann, message, APPROVE, tampering=foreign),
        await office.people.command(ann, "pause everything", tampering=foreign),
    ]
    assert [delivery.status for delivery in deliveries] == [403, 403]
    assert all("not installed in this workspace" in delivery.body for delivery in deliveries)
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.PENDING
    assert office.slack.whispers == []


async def test_a_guest_of_another_workspace_in_a_shared_channel_is_nobody(office: Office) -> None:
    ann = office.approver()
    ann.team_id = "T0OTHER"
    approval_id, message = await office.posted()
    await office.people.press(ann, message, APPROVE)
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.PENDING
    assert "Members of another Slack workspace can decide nothing here." in office.told(ann)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("payload=%7Bnot+json", "application/x-www-form-urlencoded", 400),
        ("[1, 2]", "application/json", 400),
        ("{", "application/json", 400),
        ("", "application/x-www-form-urlencoded", 403),
        ("payload=%7B%7D", "application/x-www-form-urlencoded", 403),
        (json.dumps({"type": "url_verification", "challenge": "abc"}), "application/json", 200),
        ("ssl_check=1&token=x", "application/x-www-form-urlencoded", 200),
        (json.dumps({"type": "event_callback", "team_id": "T0ACME", "event": {"type": "x"}}), "application/json", 404),
    ],
)
async def test_odd_requests_get_a_clear_status(office: Office, body: str, content_type: str, status: int) -> None:
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signed(office.slack.signing_secret, stamp, body),
    }
    async with aiohttp.ClientSession() as session:
        async with session.post(office.people.app_url, data=body, headers=headers) as answer:
            assert answer.status == status
            if "challenge" in body:
                assert "abc" in await answer.text()
        async with session.post(office.people.app_url, data=b"\xff\xfe" * 10, headers=headers) as answer:
            assert answer.status == 401
        async with session.post(office.people.app_url, data=io.BytesIO(b"x" * 2_000_000), headers=headers) as answer:
            assert answer.status == 413
        async with session.get(office.people.app_url.replace("/slack/events", "/healthz")) as answer:
            assert await answer.json() == {"status": "ok"}


async def test_clicks_out_of_order_end_in_one_outcome(office: Office) -> None:
    ann = office.approver()
    approval_id, message = await office.posted()
    approve = office.people.press_payload(ann, message, APPROVE)
    await office.people.press(ann, message, REJECT)
    await office.settled()
    [dialog] = office.slack.dialogs.values()
    await office.people.submit(ann, dialog, "No")
    await office.settled()
    await office.people.deliver("interactive", approve)
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.REJECTED
    assert "The request is already rejected by Ann" in office.told(ann)


async def test_many_clicks_at_once_are_all_acknowledged_in_time(either: Office) -> None:
    people = [either.approver(f"Person{number}") for number in range(10)]
    asked = [await either.posted(headline=f"Request {number}") for number in range(5)]
    await asyncio.gather(*(either.people.press(user, message, APPROVE) for user in people for _, message in asked))
    await either.settled()
    assert len(either.people.deliveries) == 50
    assert all(delivery.in_time for delivery in either.people.deliveries)
    assert {either.status(approval_id) for approval_id, _ in asked} == {ApprovalStatus.APPROVED}
    assert len(either.slack.whispers) == 50
    assert either.slack.refused == []


async def test_socket_mode_connects_again(either: Office) -> None:
    if either.people.app_url:
        return
    ann = either.approver()
    approval_id, message = await either.posted()
    either.slack.connected.clear()
    await either.slack.sockets[0].close()
    await either.slack.connected.wait()
    assert (await either.people.press(ann, message, APPROVE)).in_time
    await either.settled()
    assert either.status(approval_id) is ApprovalStatus.APPROVED
