"""A click decides, once, for whoever may; everybody else is told why not."""

from __future__ import annotations

import asyncio

import pytest

from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.people import Role
from assent.gateway import Gateway
from assent.store.tables import PersonRow
from assent_slack.buttons import APPROVE, EDIT, OPEN, REJECT, STOP, TALK
from tests.slack.fake_blocks import buttons, live, reading
from tests.slack.office import PAGES, Office


async def test_an_approvers_click_approves_and_every_copy_says_so(either: Office) -> None:
    ann = either.approver()
    approval_id, message = await either.posted()
    assert message["text"].startswith("Approval needed: Refund $45.00")
    assert {APPROVE, REJECT, EDIT, OPEN, TALK, STOP} == buttons(message).keys()

    delivery = await either.people.press(ann, message, APPROVE)
    await either.settled()

    assert delivery.in_time
    assert either.status(approval_id) is ApprovalStatus.APPROVED
    assert "✔ You approved: Refund $45.00" in either.told(ann)
    [decision] = either.gateway.sent
    assert (decision.by.id, decision.by.via) == ("ann", "slack")
    assert "✔ Approved by Ann (slack)" in reading(message["blocks"])
    assert buttons(message).keys() == {OPEN, STOP}
    assert either.slack.refused == []


async def test_rejecting_asks_for_a_reason_which_the_run_gets(either: Office) -> None:
    ann = either.approver()
    approval_id, message = await either.posted()

    assert (await either.people.press(ann, message, REJECT)).in_time
    await either.settled()
    [dialog] = either.slack.dialogs.values()
    assert "Refund $45.00 to the card ending 4242 for order W123" in reading(dialog["blocks"])
    assert either.status(approval_id) is ApprovalStatus.PENDING
    assert (await either.people.submit(ann, dialog, "The parcel <!channel> arrived")).in_time
    await either.settled()

    assert either.status(approval_id) is ApprovalStatus.REJECTED
    [decision] = either.gateway.sent
    assert (decision.verb, decision.reason) == (Verb.REJECT, "The parcel <!channel> arrived")
    assert "✖ Rejected by Ann" in reading(message["blocks"])
    assert "The parcel <!channel> arrived" in reading(message["blocks"])
    assert live(message, PAGES) == []
    assert "You rejected" in either.told(ann)
    assert either.slack.refused == []


async def test_a_blank_reason_stays_in_the_dialog(either: Office) -> None:
    ann = either.approver()
    approval_id, message = await either.posted()
    await either.people.press(ann, message, REJECT)
    await either.settled()
    [dialog] = either.slack.dialogs.values()

    delivery = await either.people.submit(ann, dialog, "   ")

    assert delivery.in_time
    assert "the agent is given your reason" in delivery.body
    assert either.status(approval_id) is ApprovalStatus.PENDING


async def test_opening_the_page_is_acknowledged_and_decides_nothing(either: Office) -> None:
    approval_id, message = await either.posted()
    assert buttons(message)[OPEN]["url"] == f"{PAGES}/approvals/{approval_id}"
    assert (await either.people.press(either.slack.user("Zoe"), message, OPEN)).in_time
    assert either.status(approval_id) is ApprovalStatus.PENDING


async def test_a_stranger_decides_nothing_and_is_told_how_to_change_that(office: Office) -> None:
    zoe = office.slack.user("Zoe")
    approval_id, message = await office.posted()
    await office.people.press(zoe, message, APPROVE)
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.PENDING
    assert "not linked to a person in Assent" in office.told(zoe)
    assert f"assent slack link YOUR-EMAIL T0ACME/{zoe.id}" in office.told(zoe)


async def test_a_slack_user_who_is_two_people_decides_nothing(office: Office) -> None:
    ann = office.approver("Ann")
    office.person("Bea", Role.APPROVER, slack_user=ann.id)
    approval_id, message = await office.posted()
    await office.people.press(ann, message, APPROVE)
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.PENDING
    assert "more than one person" in office.told(ann)


async def test_a_user_id_alone_counts_in_the_workspace_of_the_app_only(office: Office) -> None:
    office.person("Ann", Role.APPROVER, slack_user="U777")
    outside = office.slack.user("Mallory", team_id="T0OTHER")
    office.slack.users["U777"] = outside
    outside.id = "U777"
    approval_id, message = await office.posted()
    await office.people.press(outside, message, APPROVE)
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.PENDING
    assert "not linked" in office.told(outside)
    outside.team_id = office.slack.team_id
    await office.people.press(outside, message, APPROVE)
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.APPROVED


async def test_somebody_without_the_role_or_switched_off_decides_nothing(office: Office) -> None:
    eve = office.person("Eve", Role.OPERATOR)
    fay = office.approver("Fay")
    with office.database.write() as session:
        row = session.get(PersonRow, "fay")
        assert row is not None
        row.disabled = True
    approval_id, message = await office.posted()
    for user in (eve, fay):
        await office.people.press(user, message, APPROVE)
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.PENDING
    assert "Eve may not decide approval requests" in office.told(eve)
    assert "switched off" in office.told(fay)


@pytest.mark.parametrize(
    ("closed", "said"),
    [
        (ApprovalStatus.EXPIRED, "already expired"),
        (ApprovalStatus.WITHDRAWN, "already withdrawn"),
        (ApprovalStatus.APPROVED, "already approved"),
    ],
)
async def test_a_late_click_is_refused_and_says_what_happened(
    office: Office, closed: ApprovalStatus, said: str
) -> None:
    ann = office.approver()
    approval_id, message = await office.posted()
    click = office.people.press_payload(ann, message, APPROVE)
    office.close(approval_id, closed)
    await office.people.deliver("interactive", click)
    await office.settled()
    assert office.gateway.sent == []
    assert f"You decided nothing. The request is {said}" in office.told(ann)


async def test_a_digest_of_something_else_is_refused(office: Office) -> None:
    ann = office.approver()
    approval_id, message = await office.posted()
    value = f'{{"a":"{approval_id}","d":"{"0" * 64}"}}'
    await office.people.press(ann, message, APPROVE, value=value)
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.PENDING
    assert "no longer shows what you saw" in office.told(ann)


@pytest.mark.parametrize("value", ["", "no json", "{}", '{"a": 1, "d": []}', '{"a":"ap-1","d":"xyz"}'])
@pytest.mark.parametrize("button", [APPROVE, REJECT])
async def test_a_button_that_says_nonsense_decides_nothing(office: Office, button: str, value: str) -> None:
    ann = office.approver()
    _, message = await office.posted()
    assert (await office.people.press(ann, message, button, value=value)).in_time
    await office.settled()
    assert "You decided nothing" in office.told(ann)
    assert office.slack.dialogs == {}


async def test_an_unknown_request_is_refused(office: Office) -> None:
    ann = office.approver()
    _, message = await office.posted()
    await office.people.press(ann, message, APPROVE, value=f'{{"a":"ap-none","d":"{"0" * 64}"}}')
    await office.settled()
    assert "There is no approval request ap-none" in office.told(ann)


async def test_a_click_delivered_twice_counts_once_and_is_answered_alike(either: Office) -> None:
    ann = either.approver()
    approval_id, message = await either.posted()
    click = either.people.press_payload(ann, message, APPROVE)
    await asyncio.gather(*(either.people.deliver("interactive", click) for _ in range(5)))
    await either.settled()
    assert either.status(approval_id) is ApprovalStatus.APPROVED
    assert len({decision.id for decision in either.gateway.sent}) == 1
    whispers = [reading(whisper.message["blocks"]) for whisper in either.slack.whispers]
    assert len(whispers) == 5
    assert all("✔ You approved" in whisper for whisper in whispers)


async def test_two_people_at_once_are_both_told_the_truth(office: Office) -> None:
    ann, bea = office.approver("Ann"), office.approver("Bea")
    approval_id, message = await office.posted()
    office.gateway.gate = asyncio.Event()
    presses = [office.people.press(user, message, APPROVE) for user in (ann, bea)]
    await asyncio.gather(*presses)
    # Both are past the gateway's checks; only then does the run take them, one after the other.
    while len(office.slack.whispers) < 2:
        office.gateway.gate.set()
        await asyncio.sleep(0.01)
    await office.settled()
    said = sorted([office.told(ann), office.told(bea)])
    assert "✔ You approved" in said[0]
    assert "came too late and changed nothing" in said[1] or "already approved" in said[1]
    assert office.status(approval_id) is ApprovalStatus.APPROVED


async def test_a_click_is_acknowledged_while_the_database_and_the_run_stand_still(either: Office) -> None:
    ann = either.approver()
    approval_id, message = await either.posted()
    either.gateway.gate = asyncio.Event()
    with either.database.write():
        deliveries = [await either.people.press(ann, message, button) for button in (APPROVE, REJECT, OPEN)]
        deliveries.append(await either.people.command(ann, "pause everything"))
    assert all(delivery.in_time for delivery in deliveries)
    assert either.status(approval_id) is ApprovalStatus.PENDING
    either.gateway.gate.set()
    await either.settled()
    assert either.status(approval_id) is ApprovalStatus.APPROVED


async def test_a_run_that_does_not_answer_yet_is_said_so(office: Office) -> None:
    ann = office.approver()
    _, message = await office.posted()
    office.gateway._take = lambda decision: None  # type: ignore[method-assign]
    await office.people.press(ann, message, APPROVE)
    await office.settled()
    assert "Your decision is with the run" in office.told(ann)


async def test_a_decision_that_the_run_refuses_is_said_so(office: Office) -> None:
    ann = office.approver()
    _, message = await office.posted()
    office.gateway.refuses = "Ann may not decide any more."
    await office.people.press(ann, message, APPROVE)
    await office.settled()
    assert "changed nothing. Ann may not decide any more." in office.told(ann)


async def test_without_temporal_nothing_is_decided_and_the_reason_is_given_back(office: Office) -> None:
    ann = office.approver()
    approval_id, message = await office.posted()
    office.gateway._signal = Gateway._signal.__get__(office.gateway)  # type: ignore[method-assign]
    await office.people.press(ann, message, REJECT)
    await office.settled()
    [dialog] = office.slack.dialogs.values()
    await office.people.submit(ann, dialog, "A reason that took long to write")
    await office.settled()
    assert "You decided nothing. Temporal does not answer" in office.told(ann)
    assert "You wrote: A reason that took long to write" in office.told(ann)
    assert office.status(approval_id) is ApprovalStatus.PENDING


async def test_a_dialog_that_opens_too_late_is_said_so(office: Office) -> None:
    ann = office.approver()
    _, message = await office.posted()
    click = office.people.press_payload(ann, message, REJECT)
    office.slack.clock.advance(4)
    assert (await office.people.deliver("interactive", click)).in_time
    await office.settled()
    assert office.slack.dialogs == {}
    assert "Press Reject again" in office.told(ann)
    [(method, refusal)] = office.slack.refused
    assert (method, refusal["error"]) == ("views.open", "expired_trigger_id")


async def test_an_answer_reaches_the_person_when_its_address_is_spent(office: Office) -> None:
    ann = office.approver()
    _, message = await office.posted()
    click = office.people.press_payload(ann, message, REJECT)
    await office.people.deliver("interactive", click)
    await office.settled()
    [dialog] = office.slack.dialogs.values()
    office.slack.clock.advance(31 * 60)
    await office.people.submit(ann, dialog, "No")
    await office.settled()
    assert "You rejected" in office.told(ann)
    assert office.slack.count("chat.postEphemeral") == 1
