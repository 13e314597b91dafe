"""Whoever must still give their word for a grant or for a whole plan is told of it, once, where it is given."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from assent.domain.grants import GrantStatus
from assent.domain.people import SYSTEM
from assent.domain.quiet_hours import QuietHours
from assent.domain.reaching import Reaching
from assent.gateway import Gateway
from assent.reaching.mailer import Mailer
from assent.store import people, reaching
from assent.store.mail_links import MailLinks
from assent.store.tables import NoticeRow, OutboxRow
from tests.grants.bureau import FAY, LEO, SAM, SUE, TWO_GROUPS, Bureau, card
from tests.grants.test_giving import WIDE
from tests.grants.test_plans import begun
from tests.identity.house import ADDRESS, KEY
from tests.reaching.mail_host import mail_host, text_of
from tests.site import HOSTILE

Mails = list[tuple[str, EmailMessage]]


@pytest.fixture
def telling(bureau: Bureau) -> Bureau:
    """A bureau that tells people by mail and in Slack."""
    bureau.gateway = Gateway(None, bureau.database, clock=bureau.clock, channels=("mail", "slack"))
    return bureau


def mailed(bureau: Bureau) -> Mails:
    """Send what is due; gives who got what."""

    async def send() -> Mails:
        async with mail_host() as host:
            mailer = Mailer(
                host.server(),
                bureau.database,
                MailLinks(KEY),
                public_url=ADDRESS,
                link_lifetime=timedelta(hours=24),
                clock=bureau.clock,
            )
            while await mailer.turn():
                pass
            return host.arrived

    return asyncio.run(send())


def choose(bureau: Bureau, person_id: str, **chosen: Any) -> None:
    with bureau.database.write() as session:
        person = people.one(session, person_id)
        assert person is not None
        reaching.choose(session, person, Reaching(**chosen), at=bureau.clock(), by=SYSTEM)


def in_slack(bureau: Bureau) -> list[str]:
    """What the channel is to be told."""
    with bureau.database.read() as session:
        told = select(col(NoticeRow.path)).join(OutboxRow, col(OutboxRow.subject) == col(NoticeRow.id))
        return list(session.execute(told.where(col(OutboxRow.channel) == "slack")).scalars())


def test_those_whose_word_a_grant_needs_are_mailed_and_the_channel_is_told(telling: Bureau) -> None:
    pending = telling.grant(LEO, telling.terms(**WIDE), note=f"Lunch {HOSTILE}")
    assert pending.status is GrantStatus.PENDING
    [(to, mail)] = mailed(telling)
    assert to == "fay@example.com"
    text = text_of(mail)
    assert "Leo wants desk.pay by desk-clerk to run without asking: 2 times at most, until 2030-01-02" in text
    assert "amount is from 0 to 600" in text
    assert "U+202E" in text
    assert f"{ADDRESS}/grants/{pending.id}" in text
    assert "This mail decides nothing" in text
    assert in_slack(telling) == [f"/grants/{pending.id}"]


def test_a_grant_that_counts_at_once_asks_nobody(telling: Bureau) -> None:
    assert telling.grant().status is GrantStatus.ACTIVE
    assert mailed(telling) == []
    assert in_slack(telling) == []


def test_the_same_click_and_a_further_word_tell_nobody_twice(telling: Bureau) -> None:
    telling.publish(card(TWO_GROUPS))
    terms = telling.terms()
    pending = telling.grant(FAY, terms, grant_id="grant-click")
    telling.grant(FAY, terms, grant_id="grant-click")
    assert sorted(to for to, _ in mailed(telling)) == ["sam@example.com", "sue@example.com"]
    telling.do(telling.gateway.confirm_grant(pending.id, digest=pending.digest, by=SAM))
    assert mailed(telling) == []
    active = telling.do(telling.gateway.confirm_grant(pending.id, digest=pending.digest, by=SUE))
    assert active.status is GrantStatus.ACTIVE
    assert len(in_slack(telling)) == 1


def test_mails_keep_to_what_people_chose(telling: Bureau) -> None:
    telling.publish(card(TWO_GROUPS))
    choose(telling, "sam", mail=False)
    choose(telling, "sue", quiet=QuietHours(starts="00:00", ends="07:00"))
    telling.grant(FAY)
    assert mailed(telling) == []
    telling.clock.turn(hours=8)
    assert [to for to, _ in mailed(telling)] == ["sue@example.com"]


def test_what_was_revoked_before_morning_is_not_mailed(telling: Bureau) -> None:
    choose(telling, "fay", quiet=QuietHours(starts="00:00", ends="07:00"))
    pending = telling.grant(LEO, telling.terms(**WIDE))
    telling.do(telling.gateway.revoke_grant(pending.id, by=LEO))
    telling.clock.turn(hours=8)
    assert mailed(telling) == []
    with telling.database.read() as session:
        assert session.execute(select(col(OutboxRow.sent)).where(col(OutboxRow.channel) == "mail")).scalars().all() == [
            True
        ]


def test_those_who_must_still_approve_a_plan_are_led_to_the_page_that_does(telling: Bureau) -> None:
    telling.publish(card(TWO_GROUPS))
    begun(telling)
    given = telling.approve_plan(FAY)
    got = dict(mailed(telling))
    assert got.keys() == {"sam@example.com", "sue@example.com"}
    text = text_of(got["sam@example.com"])
    assert f"{ADDRESS}/plans/{given.plan_approval_id}" in text
    assert "Fay approved the whole plan of 4 steps of desk-clerk, run run-1." in text
    assert "Pay 9 to ann" in text
    assert in_slack(telling) == [f"/plans/{given.plan_approval_id}"]
    telling.approve_plan(SAM)
    assert mailed(telling) == []
    assert len(in_slack(telling)) == 1
