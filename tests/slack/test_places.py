"""Where a request goes besides the channel: direct messages, threads, pages of the app; all of it stays true."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assent.domain.approvals import ApprovalStatus
from assent.domain.approving import ApprovalRules
from assent.domain.grants import GrantTerms
from assent.domain.people import Actor, Assurance, Role, Via
from assent.domain.voting import Electorate, Need
from assent.store import approvals, grants, people, slack_people
from assent.store.tables import ApprovalRow
from assent_slack.buttons import APPROVE, DIRECT, EDIT, OBJECT, OPEN, REJECT, STOP, TALK
from tests.slack.fake_blocks import buttons, live, reading
from tests.slack.fake_state import Failure, Limit, User
from tests.slack.office import PAGES, Office

TWO = ApprovalRules(electorate=Electorate(needs=(Need(token="role:approver", count=2, words="approver"),)))
BEA = Actor(id="bea", name="Bea", via=Via.WEB)


def texts(messages: list[dict[str, object]]) -> list[str]:
    """What messages say."""
    return [reading(message["blocks"]) for message in messages]  # type: ignore[arg-type]


def notify(office: Office, approval_id: str, kind: str) -> None:
    """Something about a request that copies have to tell."""
    with office.database.write() as session:
        approvals.notify(session, ["slack"], kind, approval_id, office.now())


async def test_whoever_is_asked_gets_a_direct_message_that_stays_true(office: Office) -> None:
    ann, bea, oli = office.approver("Ann"), office.approver("Bea"), office.person("Oli", Role.OPERATOR)
    approval_id, message = await office.posted()
    [[to_ann], [to_bea]] = [office.slack.direct(user) for user in (ann, bea)]
    assert office.slack.direct(oli) == []
    assert to_ann["text"] == message["text"]
    assert buttons(to_ann).keys() == {APPROVE, REJECT, EDIT, OPEN, TALK, STOP}
    assert STOP in buttons(message)
    assert (await office.people.press(bea, to_bea, APPROVE)).in_time
    await office.settled()
    for copy in (to_ann, to_bea, message):
        assert "✔ Approved by Bea (slack)" in reading(copy["blocks"])
        assert buttons(copy).keys() == {OPEN, STOP}
        assert live(copy, PAGES) == []
    assert office.slack.refused == []
    assert office.status(approval_id) is ApprovalStatus.APPROVED
    await office.wait(600)
    assert len(office.slack.direct(ann)) == len(office.slack.direct(bea)) == len(office.slack.messages) == 1


async def test_somebody_who_is_not_linked_yet_is_found_by_their_confirmed_address(office: Office) -> None:
    ann = office.person("Ann", Role.APPROVER, linked=False)
    eve = office.person("Eve", Role.APPROVER, linked=False)
    eve.confirmed = False
    await office.posted()
    assert len(office.slack.direct(ann)) == 1
    assert office.slack.direct(eve) == []
    with office.database.read() as session:
        [user] = slack_people.users_of(session, ["ann", "eve"])
    assert (user.person_id, user.how) == ("ann", "e-mail address")
    await office.posted()
    assert office.slack.count("users.lookupByEmail") == 2


async def test_a_direct_message_of_somebody_who_is_asked_no_more_says_so(office: Office) -> None:
    ann = office.approver("Ann")
    approval_id, message = await office.posted()
    [copy] = office.slack.direct(ann)
    with office.database.write() as session:
        people.change(session, "ann", at=office.now(), by=BEA, roles=[Role.AUDITOR])
    notify(office, approval_id, approvals.CHANGED)
    await office.deliver()
    assert "It does not wait for you any more." in reading(copy["blocks"])
    assert not buttons(copy).keys() & {APPROVE, REJECT, EDIT}
    assert APPROVE in buttons(message)


async def test_a_token_that_may_not_look_for_addresses_keeps_nobody_waiting(office: Office) -> None:
    office.person("Ann", Role.APPROVER, linked=False)
    office.slack.scopes.remove("users:read.email")
    await office.posted()
    assert (len(office.slack.messages), office.undelivered()) == (1, [])


async def test_while_slack_does_not_say_who_has_an_address_it_is_asked_again(office: Office) -> None:
    ann = office.person("Ann", Role.APPROVER, linked=False)
    office.slack.limits["users.lookupByEmail"] = Limit(burst=0, every=30.0)
    await office.posted()
    assert len(office.slack.messages) == 1
    [row] = office.undelivered()
    assert "Slack does not say whose account this is" in row.error
    del office.slack.limits["users.lookupByEmail"]
    await office.wait(2)
    assert len(office.slack.direct(ann)) == 1
    assert office.undelivered() == []


@pytest.mark.parametrize("how", ["command", "page"])
async def test_direct_messages_can_be_turned_off_and_on(office: Office, how: str) -> None:
    ann = office.approver()
    if how == "command":
        await office.people.command(ann, "direct off")
    else:
        await office.people.open_home(ann)
        await office.settled()
        await office.people.press_home(ann, DIRECT)
    await office.settled()
    await office.posted()
    assert office.slack.direct(ann) == [] or "no more direct messages" in texts(office.slack.direct(ann))[0]
    before = len(office.slack.direct(ann))
    await office.people.command(ann, "direct on")
    await office.settled()
    await office.posted()
    assert len(office.slack.direct(ann)) == before + 1
    assert office.slack.refused == []


@pytest.mark.parametrize("error", ["cannot_dm_bot", "user_disabled"])
async def test_somebody_who_cannot_be_reached_keeps_nobody_waiting(office: Office, error: str) -> None:
    ann, bea = office.approver("Ann"), office.approver("Bea")
    office.slack.fail("conversations.open", Failure(error=error))
    await office.posted()
    assert len(office.slack.messages) == 1
    assert [len(office.slack.direct(user)) for user in (ann, bea)] == [0, 1]
    assert office.undelivered() == []


async def test_a_place_in_trouble_keeps_no_other_from_the_truth(office: Office) -> None:
    ann = office.approver()
    office.slack.channel.is_archived = True
    approval_id = office.ask()
    await office.deliver()
    [copy] = office.slack.direct(ann)
    [row] = office.undelivered()
    assert "is_archived" in row.error
    office.close(approval_id, ApprovalStatus.EXPIRED)
    await office.wait(70)
    assert "Expired" in reading(copy["blocks"])
    office.slack.channel.is_archived = False
    await office.wait(140)
    assert [len(office.slack.messages), office.undelivered()] == [1, []]


async def test_the_thread_tells_what_happened_once_and_in_order(office: Office) -> None:
    ann = office.approver("Ann")
    office.approver("Bea")
    approval_id, message = await office.posted(rules=TWO)
    await office.people.press(ann, message, APPROVE)
    await office.settled()
    assert "Approved so far by Ann" in reading(message["blocks"])
    await office.gateway.comment(approval_id, "Is that the <!channel> parcel?", by=BEA)
    await office.gateway.comment(
        approval_id, "It never left.", by=Actor(id="refunds", name="refunds", via=Via.API), by_agent=True
    )
    notify(office, approval_id, approvals.REMINDER)
    notify(office, approval_id, approvals.ESCALATED)
    await office.deliver()
    office.close(approval_id, ApprovalStatus.EXPIRED)
    await office.wait(600)
    thread = office.slack.thread(message)
    told = texts(thread)
    assert [
        part in text
        for part, text in zip(
            ["Ann approved.", "Bea wrote:", "refunds (the agent;", "Still undecided", "Asked now: Ann, Bea", "Expired"],
            told,
            strict=True,
        )
    ] == [True] * 6
    assert "Is that the <!channel> parcel?" in told[1]
    assert all(live(note, PAGES) == [] for note in thread)
    [copy] = office.slack.direct(ann)
    assert [text.split("\n")[0][:12] for text in texts(office.slack.thread(copy))] == [
        "Bea wrote:",
        "refunds (the",
        "⏰ Still unde",
    ]
    reminder = office.slack.thread(copy)[2]
    assert reminder["broadcast"]
    assert not any(note["broadcast"] for note in thread)
    assert office.slack.refused == []


@pytest.mark.parametrize(
    "failure", [Failure(cut=True), Failure(cut=True, done=True), Failure(status=500, done=True)], ids=repr
)
async def test_a_note_whose_answer_was_lost_is_there_once(office: Office, failure: Failure) -> None:
    approval_id, message = await office.posted()
    office.approver("Bea")
    failure.times = 1
    office.slack.fail("chat.postMessage", failure)
    await office.gateway.comment(approval_id, "Wait", by=BEA)
    await office.deliver()
    await office.wait(5)
    assert len([text for text in texts(office.slack.thread(message)) if "Bea wrote" in text]) == 1


async def test_a_card_that_needs_more_than_a_click_leads_to_the_web(office: Office) -> None:
    ann = office.approver()
    electorate = Electorate(needs=(Need(token="role:approver"),), assurance=Assurance.FRESH)
    approval_id, message = await office.posted(rules=ApprovalRules(electorate=electorate))
    [copy] = office.slack.direct(ann)
    for shown in (message, copy):
        assert not buttons(shown).keys() & {APPROVE, REJECT, EDIT}
        assert buttons(shown)[OPEN]["url"] == f"{PAGES}/approvals/{approval_id}"
    # A button of an older copy: the server refuses all the same, with the same link.
    ordinary, old = await office.posted()
    with office.database.write() as session:
        row = session.get(ApprovalRow, ordinary)
        assert row is not None
        row.rules = ApprovalRules(electorate=electorate).model_dump(mode="json")
    await office.people.press(ann, old, APPROVE)
    await office.settled()
    assert office.gateway.sent == []
    assert "You decided nothing." in office.told(ann)
    assert f"{PAGES}/approvals/{ordinary}" in str(office.slack.whispers[-1].message["blocks"])


async def test_a_veto_window_offers_an_objection_with_a_reason(office: Office) -> None:
    oli = office.person("Oli", Role.OPERATOR)
    approval_id, message = await office.posted(rules=ApprovalRules(electorate=Electorate(veto=True)))
    assert not buttons(message).keys() & {APPROVE, REJECT}
    await office.people.press(oli, message, OBJECT)
    await office.settled()
    [dialog] = office.slack.dialogs.values()
    assert dialog["title"]["text"] == "Object"
    await office.people.submit(oli, dialog, "Not now")
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.REJECTED


async def _home(office: Office, user: User) -> str:
    await office.people.open_home(user)
    await office.settled()
    return reading(office.slack.homes[user.id]["blocks"])


async def test_the_page_of_the_app_shows_mine_soonest_first_and_follows_what_happens(office: Office) -> None:
    ann, oli = office.approver(), office.person("Oli", Role.OPERATOR)
    for number in range(45):
        office.ask(headline=f"Request {number:02} <!here>")
        office.slack.clock.advance(1)
    await office.deliver()
    said = await _home(office, ann)
    assert said.index("Request 00") < said.index("Request 39")
    assert "Request 40" not in said
    assert "5 more on the web: " in said
    assert "Nothing waits for you." in await _home(office, oli)
    assert live(office.slack.homes[ann.id], PAGES) == []
    with office.database.read() as session:
        first = session.query(ApprovalRow).order_by("created_at").first()
    assert first is not None
    office.close(first.id, ApprovalStatus.EXPIRED)
    await office.deliver()
    said = reading(office.slack.homes[ann.id]["blocks"])
    assert "Request 00" not in said
    assert "4 more on the web: " in said
    assert office.slack.refused == []


async def test_the_page_of_the_app_says_that_a_grant_waits_for_ones_word(office: Office) -> None:
    ann, bob, oli = office.approver(), office.approver("Bob"), office.person("Oli", Role.OPERATOR)
    terms = GrantTerms(
        agent="refunds", action_type="shop.refund", arguments={}, uses=2, expires_at=office.now() + timedelta(days=1)
    )
    by = Actor(id="bob", name="Bob", via=Via.WEB)
    with office.database.write() as session:
        grants.give(session, "grant-1", terms, electorates=[TWO.electorate], active=False, by=by, at=office.now())
    for user, waits in ((ann, True), (bob, False), (oli, False)):
        assert ("1 standing grant waits for your word: " in await _home(office, user)) == waits
    assert f"{PAGES}/grants?status=pending" in str(office.slack.homes[ann.id]["blocks"])
    await office.gateway.revoke_grant("grant-1", by=by)
    await office.deliver()
    assert "waits for your word" not in reading(office.slack.homes[ann.id]["blocks"])
    assert office.slack.refused == []


async def test_a_limit_of_one_method_or_workspace_holds_up_no_other(office: Office) -> None:
    _, message = await office.posted()
    first = office.ask()
    office.slack.limits["chat.postMessage"] = Limit(burst=0, every=30.0)
    await office.deliver()
    with office.database.read() as session:
        [known] = [row for row in session.query(ApprovalRow) if row.id != first]
    office.close(known.id, ApprovalStatus.WITHDRAWN)
    await office.deliver()
    assert "Withdrawn" in reading(message["blocks"])
    assert len(office.slack.messages) == 1
    assert office.slack.limits["chat.postMessage"].hammered == 0
