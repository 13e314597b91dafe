"""Incidents in Slack: what people are told is posted once, and one is opened by typing."""

from __future__ import annotations

from assent.domain.people import Role
from assent.store.queries import incidents
from tests.slack.fake_blocks import live, reading
from tests.slack.fake_state import Failure
from tests.slack.office import PAGES, Office

HOSTILE = "<!channel> *now* <https://evil.example|click>"


async def test_a_text_is_posted_once_in_the_channel(office: Office) -> None:
    oscar = office.person("Oscar", Role.OPERATOR)
    assert (await office.people.command(oscar, f"incident {HOSTILE}")).in_time
    await office.settled()
    assert "The incident is open" in office.told(oscar)
    with office.database.read() as session:
        (found,) = incidents.page(session).items
    assert found.title == HOSTILE
    assert found.commander == "Oscar"
    await office.gateway.tell(
        found.id, f"{HOSTILE}\nIt is stopped.", channel="slack", by=found.opened_by, drafted="It goes on."
    )
    await office.settled()
    (posted,) = office.slack.messages
    said = reading(posted["blocks"])
    assert "It is stopped." in said
    assert HOSTILE in said
    assert live(posted, PAGES) == []
    assert not office.undelivered()
    with office.database.read() as session:
        (told,) = incidents.tellings(session, found.id).items
    assert told.sent_at is not None
    assert told.edited


async def test_who_may_not_open_one_is_told_so_and_what_is_open_is_listed(office: Office) -> None:
    ann, oscar = office.approver(), office.person("Oscar", Role.OPERATOR)
    await office.people.command(ann, "incident Refunds are paid twice")
    await office.settled()
    assert "may not write in incidents" in office.told(ann)
    await office.people.command(oscar, "incident")
    await office.settled()
    assert "No incident is open" in office.told(oscar)
    await office.people.command(oscar, "incident Refunds are paid twice")
    await office.settled()
    await office.people.command(oscar, "incident")
    await office.settled()
    assert "1 incident is open" in office.told(oscar)
    await office.people.command(ann, "incident")
    await office.settled()
    assert "may not read incidents" in office.told(ann)


async def test_a_text_waits_for_slack_and_is_posted_once_all_the_same(office: Office) -> None:
    oscar = office.person("Oscar", Role.OPERATOR)
    await office.people.command(oscar, "incident Refunds are paid twice")
    await office.settled()
    with office.database.read() as session:
        (found,) = incidents.page(session).items
    office.slack.fail("*", Failure(cut=True, times=1))
    await office.gateway.tell(found.id, "We are on it.", channel="slack", by=found.opened_by)
    await office.settled()
    with office.database.read() as session:
        (told,) = incidents.tellings(session, found.id).items
    assert told.sent_at is None
    assert told.error
    await office.wait(3_600)
    assert len(office.slack.messages) == 1
