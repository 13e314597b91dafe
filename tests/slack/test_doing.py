"""What can be done about a request besides deciding it: edit, comment, ask, take back, pause; each for whoever may."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import insert

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.approving import ApprovalRules
from assent.domain.catalogue import ActionType
from assent.domain.people import Role
from assent.domain.runs import RunStatus
from assent.domain.voting import Electorate, Need
from assent.store import cards, comments
from assent.store.tables import ActionRow, CommentRow, RunRow
from assent_slack.buttons import APPROVE, EDIT, TAKE_BACK, TALK
from tests.slack.fake_blocks import buttons, live, reading
from tests.slack.fake_state import Message
from tests.slack.office import AGENT, PAGES, Office
from tests.slack.waiting import until

ARGUMENTS: dict[str, Any] = {
    "order": "W123",
    "amount": 45,
    "reason": "damaged",
    "notify": True,
    "address": {"city": "Bonn", "zip": "53111"},
    "letter": "x" * 4_000,
    "pin": "4711-secret",
}
SCHEMA = {
    "type": "object",
    "properties": {
        "order": {"type": "string", "minLength": 1},
        "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
        "reason": {"enum": ["damaged", "late", "wrong"]},
        "notify": {"type": "boolean"},
        "address": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}},
        "letter": {"type": "string"},
        "pin": {"type": "string"},
    },
    "required": ["order", "amount", "reason", "notify"],
    "additionalProperties": False,
}
REFUND = ActionType(
    name="shop.refund",
    title="Refund an order",
    sentence="Refund {order}",
    arguments=SCHEMA,
    secrets=frozenset({"pin"}),
)


def add_run(office: Office) -> None:
    """The run that asks, and the card of its agent."""
    with office.database.write() as session:
        cards.publish(
            session,
            agent="refunds",
            title="Refunds",
            source="",
            card={"name": "refunds"},
            catalogue={REFUND.name: REFUND.model_dump(mode="json")},
            at=office.now(),
            by=AGENT,
        )
        session.execute(
            insert(RunRow).values(
                run_id="run-1",
                agent="refunds",
                goal="",
                received=None,
                status=RunStatus.WAITING.value,
                started_by=AGENT.model_dump(mode="json"),
                started_at=office.now(),
                last_step="",
                last_at=office.now(),
                actions=1,
                message="",
            )
        )


async def editable(office: Office, **more: Any) -> tuple[str, Message]:
    """A request whose arguments can be edited."""
    add_run(office)
    shown = ARGUMENTS | {"pin": "••••••"}
    approval_id, message = await office.posted(arguments=shown, **more)
    with office.database.write() as session:
        session.add(
            ActionRow(
                action_id="run-1:a1",
                run_id="run-1",
                key="a1",
                agent="refunds",
                type=REFUND.name,
                arguments=ARGUMENTS,
                status=ActionStatus.AWAITING.value,
                reasons=[],
                proposed_at=office.now(),
            )
        )
    return approval_id, message


async def edit_dialog(office: Office, user: Any, message: Message) -> Message:
    """Press Edit; gives the dialog as it is then."""
    assert (await office.people.press(user, message, EDIT)).in_time
    await office.settled()
    return list(office.slack.dialogs.values())[-1]


async def test_an_edit_is_a_form_whose_change_everybody_is_shown(either: Office) -> None:
    ann = either.approver()
    _, message = await editable(either)
    dialog = await edit_dialog(either, ann, message)
    said = reading(dialog["blocks"])
    assert all(label in said for label in ("Order", "Amount", "Address › City"))
    assert "Letter" in said.partition("These do not fit here")[2]
    assert "Pin" in said.partition("These do not fit here")[2]
    assert "edit on the web" in said
    assert "4711" not in json.dumps(dialog)
    sent = await either.people.submit(
        ann, dialog, "Half is enough", fields={"f:/amount": "22.5", "f:/reason": "late", "f:/notify": "No"}
    )
    assert (sent.in_time, sent.body) == (True, "")
    await either.settled()
    [edit] = either.gateway.edits
    kept = {"order": "W123", "address": ARGUMENTS["address"], "letter": ARGUMENTS["letter"], "pin": "••••••"}
    assert edit.arguments == kept | {"amount": 22.5, "reason": "late", "notify": False}
    assert (edit.by.id, edit.by.via, edit.reason) == ("ann", "slack", "Half is enough")
    assert "Your change is revision 2" in either.told(ann)
    assert "22.5" in reading(message["blocks"])
    [note] = either.slack.thread(message)
    assert "revision 2" in reading(note["blocks"])
    assert live(message, PAGES) == []
    assert either.slack.refused == []


@pytest.mark.parametrize(
    ("fields", "block", "said"),
    [
        ({"f:/amount": "much"}, "f:/amount", "Write a number such as 12.5"),
        ({"f:/amount": "1000"}, "f:/amount", "It does not fit: 1000 is greater than the maximum of 100."),
        ({"f:/order": ""}, "f:/order", "It does not fit"),
        ({}, "reason", "Nothing was changed."),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    office: Office, fields: dict[str, str], block: str, said: str
) -> None:
    ann = office.approver()
    approval_id, message = await editable(office)
    dialog = await edit_dialog(office, ann, message)
    sent = await office.people.submit(ann, dialog, fields=fields)
    answer = json.loads(sent.body)
    assert (sent.in_time, answer["response_action"], list(answer["errors"])) == (True, "errors", [block])
    assert said in answer["errors"][block]
    await office.settled()
    assert office.gateway.edits == []
    assert office.status(approval_id) is ApprovalStatus.PENDING


async def test_an_edit_of_something_else_or_by_somebody_else_is_refused(office: Office) -> None:
    ann, eve, zoe = office.approver(), office.person("Eve", Role.OPERATOR), office.slack.user("Zoe")
    _, message = await editable(office)
    stale = {**json.loads(buttons(message)[EDIT]["value"]), "d": "0" * 64}
    await office.people.press(ann, message, EDIT, value=json.dumps(stale))
    await office.settled()
    assert "no longer shows what you saw" in reading(list(office.slack.dialogs.values())[-1]["blocks"])
    assert "not linked" in reading((await edit_dialog(office, zoe, message))["blocks"])
    dialog = await edit_dialog(office, eve, message)
    sent = await office.people.submit(eve, dialog, fields={"f:/amount": "1"})
    assert "Eve" in json.loads(sent.body)["errors"]["reason"]
    await office.settled()
    assert office.gateway.edits == []
    assert any("Eve" in why for why in office.refusals())


async def test_an_edit_is_acknowledged_while_the_database_hangs_and_done_after(hurried: Office) -> None:
    ann = hurried.approver()
    _, message = await editable(hurried)
    dialog = await edit_dialog(hurried, ann, message)
    with hurried.database.write():
        # Readers go on beside SQLite's one writer; what hangs is the linking and the run.
        hurried.gateway.gate = asyncio.Event()
        sent = await hurried.people.submit(ann, dialog, fields={"f:/amount": "1"})
    assert (sent.in_time, sent.body) == (True, "")
    assert hurried.gateway.edits == []
    hurried.gateway.gate.set()
    await hurried.settled()
    assert [edit.arguments["amount"] for edit in hurried.gateway.edits] == [1]
    assert "Your change is revision 2" in hurried.told(ann)


async def test_a_dialog_opens_in_time_however_slow_the_database_is(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = office.approver()
    _, message = await editable(office)
    go, real = asyncio.Event(), office.gateway.edit_form

    async def slow(approval_id: str) -> Any:
        await go.wait()
        return await real(approval_id)

    monkeypatch.setattr(office.gateway, "edit_form", slow)
    assert (await office.people.press(ann, message, EDIT)).in_time
    await until(lambda: office.slack.dialogs)
    assert "One moment" in reading(list(office.slack.dialogs.values())[-1]["blocks"])
    go.set()
    await office.settled()
    assert "Amount" in reading(list(office.slack.dialogs.values())[-1]["blocks"])


async def test_a_dialog_sent_twice_is_one_edit(office: Office) -> None:
    ann = office.approver()
    _, message = await editable(office)
    dialog = await edit_dialog(office, ann, message)
    payload = office.people.submit_payload(ann, dialog, "", {"f:/amount": "1"})
    for _ in range(3):
        await office.people.deliver("interactive", payload)
    await office.settled()
    assert len({edit.id for edit in office.gateway.edits}) == 1


@pytest.mark.parametrize("question", [False, True])
async def test_a_comment_or_question_is_written_once_and_shown_in_the_thread(either: Office, question: bool) -> None:
    ann = either.approver()
    add_run(either)
    approval_id, message = await either.posted()
    assert (await either.people.press(ann, message, TALK)).in_time
    await either.settled()
    [dialog] = either.slack.dialogs.values()
    fields = {"kind": "question" if question else "comment"}
    payload = either.people.submit_payload(ann, dialog, "Which parcel, <@U1>?", fields)
    for _ in range(2):
        assert (await either.people.deliver("interactive", payload)).in_time
    await either.settled()
    with either.database.read() as session:
        [entry] = comments.of_request(session, approval_id)
    assert (entry.kind.value, entry.text, entry.by.id, entry.by.via) == (
        fields["kind"],
        "Which parcel, <@U1>?",
        "ann",
        "slack",
    )
    [note] = either.slack.thread(message)
    assert "Which parcel, <@U1>?" in reading(note["blocks"])
    assert live(note, PAGES) == []
    assert either.slack.refused == []


async def test_strangers_write_nothing(office: Office) -> None:
    zoe = office.slack.user("Zoe")
    _, message = await office.posted()
    await office.people.press(zoe, message, TALK)
    await office.settled()
    [dialog] = office.slack.dialogs.values()
    await office.people.submit(zoe, dialog, "Let me in")
    await office.settled()
    assert "Nothing was written. Your Slack account is not linked" in office.told(zoe)
    assert "You wrote: Let me in" in office.told(zoe)
    with office.database.read() as session:
        assert list(session.query(CommentRow)) == []


async def test_an_approval_is_taken_back_and_can_be_given_again(office: Office) -> None:
    ann = office.approver("Ann")
    two = ApprovalRules(electorate=Electorate(needs=(Need(token="role:approver", count=2),)))
    approval_id, message = await editable(office, rules=two)
    assert TAKE_BACK not in buttons(message)
    for round in (1, 2):
        await office.people.press(ann, message, APPROVE)
        await office.settled()
        assert TAKE_BACK in buttons(message)
        await office.people.press(ann, message, TAKE_BACK)
        await office.settled()
        assert "You took your approval back" in office.told(ann)
        assert TAKE_BACK not in buttons(message)
        assert len(office.gateway.sent) == 2 * round
    assert len({decision.id for decision in office.gateway.sent}) == 4
    assert [decision.verb for decision in office.gateway.sent] == [Verb.APPROVE, Verb.WITHDRAW] * 2
    assert office.status(approval_id) is ApprovalStatus.PENDING
