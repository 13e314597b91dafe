"""Whoever must still give their word for a grant or for a whole plan is told of it, once, where it is given."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web
from sqlalchemy import select
from sqlmodel import col

from assent.domain.grants import GrantStatus
from assent.domain.people import SYSTEM
from assent.domain.quiet_hours import QuietHours
from assent.domain.reaching import Reaching
from assent.gateway import Gateway
from assent.reaching.hooks import Caller
from assent.reaching.mailer import Mailer
from assent.store import people, reaching, webhooks
from assent.store.mail_links import MailLinks, Opens, RefusedLink
from assent.store.queries import words_wanted
from assent.store.sealing import Sealer
from assent.store.sign_in import Browser, SignIn
from assent.store.tables import LedgerEventRow, NoticeRow, OutboxRow, WebhookRow
from assent.store.webhooks import SEALED_FOR, WEBHOOK
from tests.grants.bureau import FAY, LEO, SAM, SUE, TWO_GROUPS, Bureau, card
from tests.grants.test_giving import WIDE
from tests.grants.test_plans import begun
from tests.identity.house import ADDRESS, KEY
from tests.reaching.mail_host import mail_host, text_of
from tests.site import HOSTILE

Mails = list[tuple[str, EmailMessage]]

SEALER = Sealer(KEY, SEALED_FOR)

NOWHERE = "http://127.0.0.1:9/"
"""Nobody listens there."""


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


@pytest.fixture
def calling(bureau: Bureau) -> Bureau:
    """A bureau that calls webhooks."""
    bureau.gateway = Gateway(None, bureau.database, clock=bureau.clock, channels=(WEBHOOK,))
    return bureau


def hook(bureau: Bureau, person_id: str, *, url: str = "http://127.0.0.1:9/here") -> None:
    """Keep a webhook; its address is that of the receiver when calls are made."""
    with bureau.database.write() as session:
        webhooks.add(session, SEALER, url=url, at=bureau.clock(), by=SYSTEM, internal=True, person_id=person_id)


def called(bureau: Bureau) -> dict[str, dict[str, Any]]:
    """Make the calls that are due; gives what was taken, by whose webhook it is."""
    got: dict[str, dict[str, Any]] = {}

    async def take(request: web.Request) -> web.Response:
        got[request.query_string] = await request.json()
        return web.Response(status=204)

    async def call() -> None:
        app = web.Application()
        app.router.add_post("/here", take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        with bureau.database.write() as session:
            for row in session.execute(select(WebhookRow).where(col(WebhookRow.url) != NOWHERE)).scalars():
                row.url = f"http://127.0.0.1:{runner.addresses[0][1]}/here?{row.person_id}"
        caller = Caller(bureau.database, SEALER, public_url=ADDRESS, internal=True, clock=bureau.clock)
        while await caller.turn():
            pass
        await runner.cleanup()

    asyncio.run(call())
    return got


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
    assert f"{ADDRESS}/mail/" in text
    assert "opens it as Fay, once, until 2030-01-02" in text
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


def test_the_link_in_a_mail_opens_the_page_of_the_grant_as_its_person_once(telling: Bureau) -> None:
    pending = telling.grant(LEO, telling.terms(days=0.5, **WIDE))
    [(_, mail)] = mailed(telling)
    [token] = re.findall(rf"{ADDRESS}/mail/(\S+)", text_of(mail))
    links, now = MailLinks(KEY), telling.clock()
    with telling.database.read() as session:
        link = links.look(session, unquote(token), at=now)
    assert (link.person.id, link.opens) == ("fay", Opens(pending.id, f"/grants/{pending.id}"))
    assert link.expires_at == pending.terms.expires_at
    with telling.database.write() as session:
        links.open(session, SignIn(KEY), unquote(token), at=now, browser=Browser())
    with telling.database.read() as session, pytest.raises(RefusedLink, match="used before") as refused:
        links.look(session, unquote(token), at=now)
    assert refused.value.todo == "Sign in and open the page there."
    with telling.database.read() as session:
        wanted = select(col(LedgerEventRow.body)).where(col(LedgerEventRow.kind) == "mail_link.used")
        [body] = session.execute(wanted).scalars()
    assert json.loads(body) == {"person": "fay", "email": "fay@example.com", "about": pending.id}


def test_webhooks_of_those_whose_word_is_needed_are_called(calling: Bureau) -> None:
    hook(calling, "fay")
    hook(calling, "sam")
    hook(calling, "")
    pending = calling.grant(LEO, calling.terms(**WIDE), note="Lunch")
    got = called(calling)
    assert sorted(got) == ["", "fay"]
    for event in got.values():
        assert event["type"] == "word.asked"
        data = event["data"]
        assert (data["kind"], data["id"]) == ("grant", pending.id)
        assert data["url"] == f"{ADDRESS}/grants/{pending.id}"
        assert "Leo wants desk.pay by desk-clerk to run without asking" in data["text"]
        assert "/mail/" not in json.dumps(event)
    assert called(calling) == {}


def test_calls_keep_to_what_people_chose_and_to_what_still_waits(calling: Bureau) -> None:
    calling.publish(card(TWO_GROUPS))
    hook(calling, "sam")
    hook(calling, "sue")
    choose(calling, "sam", webhook=False)
    choose(calling, "sue", quiet=QuietHours(starts="00:00", ends="07:00"))
    first, _ = calling.grant(FAY), calling.grant(FAY, calling.terms(uses=1))
    assert called(calling) == {}
    calling.do(calling.gateway.revoke_grant(first.id, by=FAY))
    calling.clock.turn(hours=8)
    assert list(called(calling)) == ["sue"]
    begun(calling)
    given = calling.approve_plan(FAY)
    [(whose, event)] = called(calling).items()
    assert (whose, event["data"]["kind"]) == ("sue", "plan")
    assert event["data"]["url"] == f"{ADDRESS}/plans/{given.plan_approval_id}"


def test_a_call_that_nobody_took_for_days_is_given_up_by_name(calling: Bureau) -> None:
    hook(calling, "fay", url=NOWHERE)
    pending = calling.grant(LEO, calling.terms(days=9, **WIDE))
    called(calling)
    calling.clock.turn(days=4)
    called(calling)
    with calling.database.read() as session:
        wanted = select(col(LedgerEventRow.body)).where(col(LedgerEventRow.kind) == "webhook.given_up")
        [body] = session.execute(wanted).scalars()
    assert json.loads(body)["notice"] == f"word-{pending.id}-fay"


def test_a_grant_waits_for_those_whose_word_it_needs_and_no_longer(telling: Bureau) -> None:
    def wait() -> dict[str, list[str]]:
        with telling.database.read() as session:
            found = {each: words_wanted.grants_for(session, each, telling.clock()) for each in ("fay", "leo", "sam")}
        return {name: [view.id for view in views] for name, views in found.items() if views}

    first = telling.grant(LEO, telling.terms(**WIDE))
    assert wait() == {"fay": [first.id]}
    telling.publish(card(TWO_GROUPS))
    telling.clock.turn(seconds=1)
    second = telling.grant(FAY, telling.terms(days=0.5))
    assert wait() == {"fay": [first.id], "sam": [second.id]}
    telling.do(telling.gateway.confirm_grant(second.id, digest=second.digest, by=SAM))
    assert wait() == {"fay": [first.id]}
    telling.clock.turn(seconds=1)
    third = telling.grant(SUE, telling.terms(days=2))
    assert wait() == {"fay": [third.id, first.id], "leo": [third.id], "sam": [third.id]}
    telling.do(telling.gateway.revoke_grant(third.id, by=SUE))
    telling.clock.turn(hours=25)
    assert wait() == {}
