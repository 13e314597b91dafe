"""Seeded checks in Slack: one person's direct message like any other, told for what it was at once, and never run."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from assent.domain.actions import ActionStatus
from assent.domain.approving import ApprovalRules
from assent.domain.checks import Check, CheckStatus, check_digest
from assent.domain.people import Assurance, Role
from assent.domain.voting import Electorate
from assent.store import checks, people, reaching
from assent.store.queries.checks import tallies
from assent.store.tables import ActionRow, CheckRow, LedgerEventRow, OutboxRow
from assent_activities import seeding
from assent_slack.buttons import APPROVE, CHECKS_READ, EDIT, MENU, OBJECT, OPEN, REJECT, STOP, TALK
from tests.slack.fake_blocks import buttons, live, pages, reading
from tests.slack.fake_state import Failure, Message, User
from tests.slack.office import AGENT, PAGES, Office, card
from tests.slack.test_doing import ARGUMENTS, add_run, edit_dialog

BECAUSE = "It is twenty times what the order cost <!channel>."


async def shown(
    office: Office, user: User, *, rules: ApprovalRules | None = None, **changes: Any
) -> tuple[Check, Message]:
    """A check that is announced, read and shown to somebody, and the direct message that shows it."""
    return await delivered(office, user, show(office, user, rules=rules, **changes))


async def delivered(office: Office, user: User, check: Check) -> tuple[Check, Message]:
    """A check, and its message once it is there."""
    await office.deliver()
    [message] = [each for each in office.slack.direct(user) if check.id in reading(each["blocks"])]
    return check, message


def show(office: Office, user: User, *, rules: ApprovalRules | None = None, **changes: Any) -> Check:
    """Announce, read and show a check, made from a request that was there before."""
    source, at = office.ask(headline="An earlier one"), office.now()
    made, id = card(**changes), f"ap-{int(source[3:], 16) + (1 << 40):016x}"
    with office.database.write() as session:
        person = people.named(session, user.email)
        checks.announce(session, made.agent, one_in=20, a_day=5, at=at, by=AGENT)
        checks.read(session, person.acting(AGENT.via), until=at, at=at)
        check = Check(
            id=id,
            person_id=person.id,
            agent=made.agent,
            type=made.action_type,
            source_id=source,
            digest=check_digest(id, made),
            why="It moves money.",
            card=made,
            rules=rules or ApprovalRules(),
            because=BECAUSE,
            status=CheckStatus.SHOWN,
            created_at=at,
            expires_at=at + timedelta(hours=1),
            ended_at=None,
            reason="",
        )
        checks.show(session, check, channels=["slack"])
    return check


def row(office: Office, check: Check) -> CheckRow:
    """What the database says of it."""
    with office.database.read() as session:
        found = session.get(CheckRow, check.id)
    assert found is not None
    return found


def ledger(office: Office, kind: str) -> list[dict[str, Any]]:
    """What the ledger says of a kind of event."""
    with office.database.read() as session:
        return [json.loads(each.body) for each in session.query(LedgerEventRow) if each.kind == kind]


def without_ids(message: Message, approval_id: str, digest: str) -> str:
    """A message as text in which ids and times stand for themselves."""
    said = json.dumps([message["text"], message["blocks"], message["metadata"]])
    said = said.replace(approval_id, "ID").replace(digest, "DIGEST").replace(digest[:12], "DIGEST")
    said = re.sub(r'"timestamp": [0-9]+', '"timestamp": "TIME"', said)
    said = re.sub(r'"fallback": "[^"]*"', '"fallback": "TIME"', said)
    return re.sub(r"ID=?", "ID", said)


async def test_it_looks_like_any_request_and_reaches_one_person(office: Office) -> None:
    ann, ben = office.approver(), office.approver("Ben")
    approval_id, _ = await office.posted()
    [real] = office.slack.direct(ann)
    with office.database.read() as session:
        kinds = [each.kind for each in session.query(OutboxRow)]
    check, message = await shown(office, ann)

    digests = re.findall(r'"d\\*":\\*"([0-9a-f]{64})', json.dumps(real))
    assert without_ids(message, check.id, check.digest) == without_ids(real, approval_id, digests[0])
    assert {APPROVE, REJECT, EDIT, OPEN, TALK, STOP} == buttons(message).keys()
    assert pages(message).keys() == pages(real).keys()
    assert len(check.id) == len(approval_id)
    assert not [each for each in office.slack.direct(ben) if check.id in json.dumps(each)]
    assert not [each for each in office.slack.messages if check.id in json.dumps(each)]
    with office.database.read() as session:
        told = [each.kind for each in session.query(OutboxRow) if each.subject == check.id]
    assert set(told) <= set(kinds), "nor does the queue tell it"
    assert live(message, PAGES) == []
    assert office.slack.refused == []


async def test_approving_it_is_told_gently_and_runs_nothing(either: Office) -> None:
    ann = either.approver()
    check, message = await shown(either, ann, headline="Refund $900.00")

    assert (await either.people.press(ann, message, APPROVE)).in_time
    await either.settled()

    for said in (either.told(ann), reading(message["blocks"])):
        assert "That was a check, and it got past you" in said
        assert "Nothing ran, and nothing could have." in said
        assert BECAUSE in said
    assert message["text"].startswith("That was a check")
    assert buttons(message).keys() == {OPEN, STOP}
    assert "Refund $900.00" in reading(message["blocks"])
    assert either.gateway.sent == []
    assert row(either, check).status == CheckStatus.MISSED
    [answered] = ledger(either, "check.answered")
    assert (answered["check"], answered["result"]) == (check.id, "missed")
    with either.database.read() as session:
        [tally] = tallies(session, either.now() - timedelta(days=1), by_person=True)
    assert (tally.of, tally.shown, tally.missed) == ("ann", 1, 1)
    assert live(message, PAGES) == []
    assert live(either.slack.whispers[-1].message, PAGES) == []
    assert either.slack.refused == []


async def test_rejecting_it_asks_for_a_reason_and_catches_it(either: Office) -> None:
    ann = either.approver()
    check, message = await shown(either, ann)
    await either.people.press(ann, message, REJECT)
    await either.settled()
    [dialog] = either.slack.dialogs.values()
    assert "Refund $45.00 to the card ending 4242 for order W123" in reading(dialog["blocks"])
    assert "the agent is given your reason" in (await either.people.submit(ann, dialog, "  ")).body
    assert row(either, check).status == CheckStatus.SHOWN
    assert (await either.people.submit(ann, dialog, "Far too much")).in_time
    await either.settled()

    assert "That was a check, and you caught it" in either.told(ann)
    assert "You said:\nFar too much" in reading(message["blocks"])
    assert (row(either, check).status, row(either, check).reason) == (CheckStatus.CAUGHT, "Far too much")
    assert either.gateway.sent == []
    assert either.slack.refused == []


async def test_the_first_answer_stays(office: Office) -> None:
    ann = office.approver()
    _, message = await shown(office, ann)
    pressed = office.people.press_payload(ann, message, APPROVE)
    for _ in range(2):
        await office.people.deliver("interactive", pressed)
        await office.settled()
        assert "it got past you" in office.told(ann)
    assert len(ledger(office, "check.answered")) == 1


async def test_others_who_get_hold_of_it_decide_nothing_and_learn_nothing(office: Office) -> None:
    ann, eve = office.approver(), office.person("Eve", Role.ADMIN)
    check, message = await shown(office, ann)
    for button in (APPROVE, MENU):
        await office.people.press(eve, message, button)
        await office.settled()
    assert f"There is no approval request {check.id}" in office.told(eve)
    await office.people.press(eve, message, REJECT)
    await office.settled()
    dialog = list(office.slack.dialogs.values())[-1]
    await office.people.submit(eve, dialog, "Not mine")
    await office.settled()
    told = [reading(each.message["blocks"]) for each in office.slack.whispers if each.user == eve.id]
    await office.people.press(office.slack.user("Zoe"), message, APPROVE)
    await office.settled()
    assert "check, and" not in " ".join(told)
    assert "not linked" in reading(office.slack.whispers[-1].message["blocks"])
    assert row(office, check).status == CheckStatus.SHOWN
    assert ledger(office, "check.answered") == []


async def test_a_stale_digest_decides_nothing(office: Office) -> None:
    ann = office.approver()
    check, message = await shown(office, ann)
    value = json.dumps({"a": check.id, "d": "f" * 64})
    await office.people.press(ann, message, APPROVE, value=value)
    await office.settled()
    assert "no longer shows what you saw" in office.told(ann)
    assert row(office, check).status == CheckStatus.SHOWN


async def test_who_may_decide_no_more_is_refused_in_the_ledger(office: Office) -> None:
    ann = office.person("Ann", Role.APPROVER)
    check, message = await shown(office, ann)
    with office.database.write() as session:
        people.change(session, "ann", at=office.now(), by=AGENT, roles=[Role.AUDITOR])
    await office.people.press(ann, message, APPROVE)
    await office.settled()
    assert "Ann may not decide approval requests" in office.told(ann)
    assert [body["why"] for body in ledger(office, "approval.refused")] == ["Ann may not decide approval requests."]
    assert row(office, check).status == CheckStatus.SHOWN


async def test_what_needs_more_than_a_click_leads_to_the_page(office: Office) -> None:
    ann = office.approver()
    fresh = ApprovalRules(electorate=Electorate(assurance=Assurance.FRESH))
    check, message = await shown(office, ann, rules=fresh)
    assert {REJECT, APPROVE} & buttons(message).keys() == set()
    value = json.dumps({"a": check.id, "d": check.digest})
    _, other = await shown(office, ann)
    await office.people.press(ann, other, APPROVE, value=value)
    await office.settled()
    assert "Decide on the web" in reading(office.slack.whispers[-1].message["blocks"])
    opened = ApprovalRules(opened=True)
    unopened, unread = await shown(office, ann, rules=opened)
    await office.people.press(ann, unread, APPROVE)
    await office.settled()
    assert "It must be opened before it can be approved" in office.told(ann)
    assert {row(office, each).status for each in (check, unopened)} == {CheckStatus.SHOWN}


async def test_objecting_to_what_would_run_by_itself_catches_it(office: Office) -> None:
    ann = office.approver()
    check, message = await shown(office, ann, rules=ApprovalRules(electorate=Electorate(veto=True)))
    await office.people.press(ann, message, OBJECT)
    await office.settled()
    await office.people.submit(ann, list(office.slack.dialogs.values())[-1], "No")
    await office.settled()
    assert row(office, check).status == CheckStatus.CAUGHT
    assert "you caught it" in office.told(ann)


@pytest.mark.parametrize("kind", ["comment", "question"])
async def test_asking_about_it_ends_it_gently(office: Office, kind: str) -> None:
    ann = office.approver()
    check, message = await shown(office, ann)
    await office.people.press(ann, message, TALK)
    await office.settled()
    dialog = list(office.slack.dialogs.values())[-1]
    option = {"question": "A question to the agent; its answer appears here"}.get(kind)
    await office.people.submit(ann, dialog, "Really?", fields={"kind": option} if option else {})
    await office.settled()
    assert "That was a check, and you asked about it" in office.told(ann)
    assert "you asked about it" in reading(message["blocks"])
    assert row(office, check).status == CheckStatus.QUESTIONED


async def test_setting_out_to_change_it_ends_it_gently(office: Office) -> None:
    add_run(office)
    ann = office.approver()
    arguments = {name: value for name, value in ARGUMENTS.items() if name != "letter"} | {"pin": "••••••"}
    check, message = await shown(office, ann, arguments=arguments)
    with office.database.write() as session:
        session.add(
            ActionRow(
                action_id="run-1:a1",
                run_id="run-1",
                key="a1",
                agent="refunds",
                type="shop.refund",
                arguments=ARGUMENTS,
                status=ActionStatus.DONE.value,
                reasons=[],
                proposed_at=office.now(),
            )
        )
    dialog = await edit_dialog(office, ann, message)
    assert all(label in reading(dialog["blocks"]) for label in ("Order", "Amount"))
    same = await office.people.submit(ann, dialog)
    assert "Nothing was changed." in same.body
    wrong = await office.people.submit(ann, dialog, fields={"f:/amount": "1000"})
    assert "greater than the maximum" in wrong.body
    assert row(office, check).status == CheckStatus.SHOWN
    await office.people.submit(ann, dialog, "Half is enough", fields={"f:/amount": "22.5"})
    await office.settled()
    assert "That was a check, and you would have changed it" in office.told(ann)
    assert "you would have changed it" in reading(message["blocks"])
    assert row(office, check).status == CheckStatus.CHANGED
    assert "4711" not in json.dumps([dialog, message])
    assert office.gateway.edits == []
    with office.database.read() as session:
        [tally] = tallies(session, office.now() - timedelta(days=1))
    assert (tally.shown, tally.questioned) == (1, 1)


async def test_home_and_pending_list_it_among_the_others(office: Office) -> None:
    ann = office.approver()
    office.ask(headline="Something else")
    await office.people.open_home(ann)
    await office.settled()
    _, message = await shown(office, ann, headline="Refund $900.00")
    home = reading(office.slack.homes[ann.id]["blocks"])
    assert "Refund $900.00" in home, "what is shown makes the page anew"
    assert "An earlier one" in home
    await office.people.command(ann, "pending")
    await office.settled()
    assert "3 requests wait for you" in office.told(ann)
    assert "Refund $900.00" in office.told(ann)
    await office.people.command(office.approver("Ben"), "pending")
    await office.settled()
    assert "2 requests wait for you" in reading(office.slack.whispers[-1].message["blocks"])
    await office.people.press(ann, message, APPROVE)
    await office.settled()
    assert "Refund $900.00" not in reading(office.slack.homes[ann.id]["blocks"])


async def test_its_message_tells_the_end_wherever_that_came_from(office: Office) -> None:
    ann = office.approver()
    _, message = await shown(office, ann)
    office.slack.clock.advance(7_200)
    with office.database.write() as session:
        assert checks.expire(session, office.now()) == 1
    await office.deliver()
    assert "That was a check; its time is over" in reading(message["blocks"])
    other, second = await shown(office, ann)
    with office.database.write() as session:
        checks.end(session, other.agent, at=office.now(), by=AGENT)
    await office.deliver()
    assert "its time is over" in reading(second["blocks"])
    await office.people.press(ann, message, OPEN)
    assert office.slack.thread(message) == [], "no note says it a second time"


async def test_who_is_not_in_slack_or_wants_no_direct_messages_gets_none(office: Office) -> None:
    ann, ben = office.approver(), office.person("Ben", Role.APPROVER, linked=False)
    office.slack.users.pop(ben.id)
    show(office, ben)
    await office.deliver()
    with office.database.write() as session:
        person = people.named(session, ann.email)
        wishes = reaching.of_person(session, person.id).model_copy(update={"slack": False})
        reaching.choose(session, person, wishes, at=office.now(), by=AGENT)
    check = show(office, ann)
    await office.deliver()
    assert not [each for each in office.slack.direct(ann) if check.id in json.dumps(each)]
    assert office.undelivered() == [], "it waits on the web"


async def test_a_message_that_did_not_reach_slack_at_first_comes_once(office: Office) -> None:
    ann = office.approver()
    await office.posted()
    check = show(office, ann)
    office.slack.fail("chat.postMessage", Failure(cut=True, done=True))
    office.slack.fail("chat.postMessage", Failure(status=503))
    await office.deliver()
    for _ in range(10):
        await office.wait(60)
    found = [each for each in office.slack.direct(ann) if check.id in json.dumps(each)]
    assert len(found) == 1


async def test_before_slack_delivered_it_an_answer_on_the_web_leaves_nothing_to_post(office: Office) -> None:
    ann = office.approver()
    check = show(office, ann)
    with office.database.read() as session:
        by = people.named(session, ann.email).acting(AGENT.via)
    await office.gateway.ask_about_check(check.id, "Really?", by=by)
    await office.deliver()
    assert not [each for each in office.slack.direct(ann) if check.id in json.dumps(each)]
    assert office.undelivered() == []


async def test_they_are_announced_in_the_channel_and_read_at_home_before_any_is_shown(office: Office) -> None:
    ann, oli = office.approver(), office.person("Oli", Role.OPERATOR)
    with office.database.write() as session:
        checks.announce(session, "refunds", one_in=20, a_day=1, at=office.now(), by=AGENT)
    for _ in range(2):
        seeding.seed(office.database, office.now(), ["mail", "slack"])
        await office.deliver()
    [told] = office.slack.messages
    assert "Some requests of refunds may be checks, at most one in 20" in reading(told["blocks"])
    assert "Nothing can run of it" in reading(told["blocks"])
    for user in (ann, oli):
        await office.people.open_home(user)
        await office.settled()
    home = office.slack.homes[ann.id]
    assert "refunds (at most one in 20, 1 a day for you)" in reading(home["blocks"])
    assert CHECKS_READ not in buttons(office.slack.homes[oli.id])

    office.slack.clock.advance(60)
    with office.database.write() as session:
        checks.announce(session, "refunds", one_in=30, a_day=1, at=office.now(), by=AGENT)
    await office.people.press_home(ann, CHECKS_READ)
    await office.settled()
    with office.database.read() as session:
        assert checks.readers(session, "refunds") == [], "the newer announcement was not on the page"
    await office.people.press_home(ann, CHECKS_READ)
    await office.settled()
    assert CHECKS_READ not in buttons(office.slack.homes[ann.id])
    with office.database.read() as session:
        assert checks.readers(session, "refunds") == ["ann"]
    assert len(ledger(office, "check.read")) == 1
    assert live(office.slack.homes[ann.id], PAGES) == []
    assert office.slack.refused == []
