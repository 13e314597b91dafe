"""When more requests come than anybody reads as mails, one mail an hour tells of the rest, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assent.domain.quiet_hours import QuietHours
from assent.store import approvals
from tests.reaching.bureau import Bureau, at, deliver
from tests.reaching.mail_host import MailHost, text_of

NINE = datetime(2031, 3, 4, 9, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nine(bureau: Bureau) -> None:
    """It is five past nine."""
    at(bureau.clock, NINE)


async def test_what_is_more_than_the_hour_has_room_for_comes_in_one_mail(bureau: Bureau, host: MailHost) -> None:
    bureau.person("Ann")
    mailer = bureau.mailer(host.server(), hourly=3)
    for _ in range(8):
        bureau.ask()
    await deliver(mailer)
    assert len(host.to("ann@example.com")) == 3
    [waits] = bureau.queue()
    assert waits.due_at == NINE.replace(minute=0) + timedelta(hours=1)
    at(bureau.clock, NINE + timedelta(hours=1))
    await deliver(mailer)
    digest = host.to("ann@example.com")[-1]
    assert digest["Subject"] == "8 requests wait for you"
    assert "soonest due first in the inbox" in text_of(digest)
    assert len(host.to("ann@example.com")) == 4
    assert bureau.queue() == []


async def test_each_person_has_an_hour_of_their_own_and_it_passes(bureau: Bureau, host: MailHost) -> None:
    ann, bea = bureau.person("Ann"), bureau.person("Bea", mail=False)
    mailer = bureau.mailer(host.server(), hourly=2)
    first, _, _ = (bureau.ask() for _ in range(3))
    await deliver(mailer)
    bureau.choose(bea)
    bureau.notify(approvals.REMINDER, first)
    await deliver(mailer)
    assert [len(host.to(person.email)) for person in (ann, bea)] == [2, 1]
    at(bureau.clock, NINE + timedelta(hours=2))
    await deliver(mailer)
    bureau.ask()
    await deliver(mailer)
    assert [len(host.to(person.email)) for person in (ann, bea)] == [4, 2]


async def test_nobody_is_told_of_what_was_decided_meanwhile(bureau: Bureau, host: MailHost) -> None:
    bureau.person("Ann", decided=True)
    boss = bureau.person("Boss", mail=False)
    mailer = bureau.mailer(host.server(), hourly=1)
    asked = [bureau.ask() for _ in range(3)]
    await deliver(mailer)
    for approval_id in asked:
        bureau.close(approval_id, boss)
    await deliver(mailer)
    assert [mail["Subject"].partition(":")[0] for mail in host.to("ann@example.com")] == ["To decide", "Approved"]
    at(bureau.clock, NINE + timedelta(hours=1))
    await deliver(mailer)
    assert len(host.to("ann@example.com")) == 2
    assert bureau.queue() == []


async def test_a_digest_keeps_to_quiet_hours(bureau: Bureau, host: MailHost) -> None:
    ann = bureau.person("Ann")
    mailer = bureau.mailer(host.server(), hourly=1)
    for _ in range(2):
        bureau.ask(within=timedelta(days=2))
    await deliver(mailer)
    bureau.choose(ann, quiet=QuietHours(starts="09:30", ends="15:00"))
    at(bureau.clock, NINE + timedelta(hours=1))
    await deliver(mailer)
    assert len(host.to("ann@example.com")) == 1
    at(bureau.clock, NINE + timedelta(hours=6))
    await deliver(mailer)
    assert [mail["Subject"] for mail in host.to("ann@example.com")[1:]] == ["2 requests wait for you"]


async def test_any_number_comes_where_there_is_no_limit(bureau: Bureau, host: MailHost) -> None:
    bureau.person("Ann")
    for _ in range(40):
        bureau.ask()
    await deliver(bureau.mailer(host.server()))
    assert len(host.to("ann@example.com")) == 40
