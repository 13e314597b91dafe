"""Who somebody in Slack is: by a confirmed address or a code that works once; everybody else decides nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assent.domain.approvals import ApprovalStatus
from assent.domain.people import Role, Via
from assent.store import people, slack_people
from assent.store.slack_tickets import Purpose, Ticket
from assent.store.tables import PersonRow
from assent_slack.buttons import APPROVE, REJECT
from tests.slack.fake_blocks import reading, walk
from tests.slack.fake_state import Failure, User
from tests.slack.office import AGENT, PAGES, Office


def links(office: Office, person_id: str) -> list[str]:
    """The Slack users of a person."""
    with office.database.read() as session:
        return [user.name for user in slack_people.users_of(session, [person_id])]


def code_for(office: Office, person_id: str) -> str:
    """A code that a person gets in Assent and types in Slack."""
    with office.database.write() as session:
        return office.tickets.make(session, Ticket(Purpose.TYPED_IN_SLACK, person_id), at=office.now())


async def decided(office: Office, user: User) -> bool:
    """Whether somebody's click decides."""
    approval_id, message = await office.posted()
    await office.people.press(user, message, APPROVE)
    await office.settled()
    return office.status(approval_id) is ApprovalStatus.APPROVED


async def test_a_confirmed_address_links_by_itself_and_says_so(office: Office) -> None:
    ann = office.person("Ann", Role.APPROVER, linked=False)
    await office.people.command(ann, "pending")
    await office.settled()
    assert links(office, "ann") == [f"T0ACME/{ann.id}"]
    told = [reading(whisper.message["blocks"]) for whisper in office.slack.whispers if whisper.user == ann.id]
    assert any("is linked to Ann (ann@example.com) in Assent from now on" in text for text in told)
    assert await decided(office, ann)


@pytest.mark.parametrize("what", ["unconfirmed", "another address", "switched off", "linked to somebody else already"])
async def test_an_address_that_says_too_little_links_nobody(office: Office, what: str) -> None:
    ann = office.person("Ann", Role.APPROVER, linked=False)
    if what == "unconfirmed":
        ann.confirmed = False
    if what == "another address":
        ann.email = "ann+slack@example.com"
    with office.database.write() as session:
        row = session.get(PersonRow, "ann")
        assert row is not None
        if what == "switched off":
            row.disabled = True
        if what == "linked to somebody else already":
            person = people.person_of(row)
            slack_people.link(
                session,
                person,
                team_id="T0ACME",
                user_id="U0ELSE",
                how=slack_people.How.COMMAND,
                at=office.now(),
                by=AGENT,
            )
    assert not await decided(office, ann)
    assert "not linked to a person in Assent" in office.told(ann)
    assert any("not linked" in why for why in office.refusals())


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("guest", "Guests of a Slack workspace can decide nothing."),
        ("bot", "A bot can decide nothing."),
        ("deactivated", "This Slack account was deactivated"),
        ("foreign", "Members of another Slack workspace can decide nothing here."),
        ("gone", "Slack knows no user"),
    ],
)
async def test_an_account_that_may_not_count_decides_nothing_though_it_is_linked(
    office: Office, what: str, said: str
) -> None:
    ann = office.approver()
    approval_id, message = await office.posted()
    ann.guest, ann.is_bot, ann.deleted = what == "guest", what == "bot", what == "deactivated"
    if what == "foreign":
        ann.team_id = "T0OTHER"
    if what == "gone":
        del office.slack.users[ann.id]
    for button in (APPROVE, REJECT):
        await office.people.press(ann, message, button)
        await office.settled()
    for dialog in list(office.slack.dialogs.values()):
        await office.people.submit(ann, dialog, "No")
    await office.settled()
    await office.people.command(ann, "pause everything")
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.PENDING
    assert office.gateway.sent == []
    assert any(said.split(" ")[0] in why for why in office.refusals())
    if what != "gone":
        assert said in office.told(ann)


async def test_somebody_who_became_a_guest_counts_a_minute_longer_at_most(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = office.approver()
    assert await decided(office, ann)
    ann.guest = True
    monkeypatch.setattr("assent_slack.accounts.FRESH_SECONDS", 0.0)
    assert not await decided(office, ann)


async def test_while_slack_does_not_say_who_it_is_nothing_is_decided(office: Office) -> None:
    ann = office.approver()
    office.slack.fail("users.info", Failure(error="internal_error"))
    assert not await decided(office, ann)
    assert "Slack does not say whose account this is" in office.told(ann)
    assert await decided(office, ann)


async def test_a_code_from_assent_links_whoever_types_it_once(either: Office) -> None:
    ann = either.person("Ann", Role.APPROVER, linked=False)
    zoe = either.slack.user("Zoe")
    ann.confirmed = False
    code = code_for(either, "ann")
    assert (await either.people.command(ann, f"link {code.lower().replace('-', ' ')}")).in_time
    await either.settled()
    assert "Your Slack account is Ann (ann@example.com) in Assent from now on." in either.told(ann)
    assert links(either, "ann") == [f"T0ACME/{ann.id}"]
    await either.people.command(zoe, f"link {code}")
    await either.settled()
    assert "You were not linked. This code is unknown, was used or is too old." in either.told(zoe)
    assert await decided(either, ann)


@pytest.mark.parametrize("what", ["old", "made up", "for the web", "of a guest", "of a disabled person"])
async def test_a_code_that_may_not_link_links_nobody(office: Office, what: str) -> None:
    office.person("Ann", Role.APPROVER, linked=False)
    zoe, code = office.slack.user("Zoe"), code_for(office, "ann")
    if what == "old":
        office.slack.clock.advance(timedelta(minutes=16).total_seconds())
    if what == "made up":
        code = "0000-0000-0000"
    if what == "for the web":
        with office.database.write() as session:
            code = office.tickets.make(session, Ticket(Purpose.OPENED_ON_THE_WEB, "ann"), at=office.now())
    zoe.guest = what == "of a guest"
    if what == "of a disabled person":
        with office.database.write() as session:
            row = session.get(PersonRow, "ann")
            assert row is not None
            row.disabled = True
    await office.people.command(zoe, f"link {code}")
    await office.settled()
    assert "You were not linked." in office.told(zoe)
    assert links(office, "ann") == []


async def test_without_a_code_a_page_of_assent_is_named(either: Office) -> None:
    zoe = either.slack.user("Zoe")
    assert (await either.people.command(zoe, "link")).in_time
    await either.settled()
    [url] = [node["url"] for node in walk(either.slack.whispers[-1].message["blocks"]) if "url" in node]
    assert url.startswith(f"{PAGES}/system/slack/link/")
    code = url.rpartition("/")[2]
    with either.database.read() as session:
        ticket = either.tickets.look(session, code, Purpose.OPENED_ON_THE_WEB, at=either.now())
    assert ticket is not None
    assert (ticket.team_id, ticket.user_id, ticket.name) == ("T0ACME", zoe.id, "Zoe")


async def test_the_same_user_id_in_two_workspaces_is_two_people(office: Office) -> None:
    ann = office.approver("Ann")
    with office.database.write() as session:
        bea = people.add(session, email="bea@example.com", name="Bea", roles=[Role.APPROVER], at=office.now())
        slack_people.link(
            session,
            bea,
            team_id="T0OTHER",
            user_id=ann.id,
            how=slack_people.How.COMMAND,
            at=office.now(),
            by=AGENT.model_copy(update={"via": Via.CLI}),
        )
    assert await decided(office, ann)
    assert office.gateway.sent[-1].by.id == "ann"
