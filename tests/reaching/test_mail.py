"""Whoever is asked gets one mail with what every other place shows; nothing in it decides or deceives."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from assent.domain.approvals import ApprovalStatus
from assent.domain.people import Role
from assent.reaching import mailer as mailing
from assent.reaching import post
from assent.reaching.post import ServerAway, connected
from assent.store import approvals, outbox
from assent.store.letters import MAIL
from assent.store.queries import shown
from tests.reaching.bureau import Bureau, deliver
from tests.reaching.mail_host import MailHost, certificate, html_of, link_of, mail_host, text_of
from tests.site import HOSTILE


async def test_everybody_who_is_asked_gets_one_mail(bureau: Bureau, host: MailHost) -> None:
    ann, bea = bureau.person("Ann Approver"), bureau.person("Bea")
    bureau.person("Oli", Role.OPERATOR)
    bureau.person("Nils", mail=False)
    approval_id = bureau.ask()
    await deliver(bureau.mailer(host.server()))
    assert sorted(to for to, _ in host.arrived) == [ann.email, bea.email]
    [message] = host.to(ann.email)
    assert message["Subject"] == "To decide: Refund $45.00 to the card ending 4242 for order W123"
    assert (message["From"], message["To"]) == ("Assent <assent@example.com>", "Ann Approver <ann@example.com>")
    assert message["Auto-Submitted"] == "auto-generated"
    with bureau.database.read() as session:
        whole = shown.of_revision(session, approval_id).text
    assert whole.strip() in text_of(message).replace("\r\n", "\n")
    for line in filter(None, (line.strip() for line in whole.splitlines())):
        assert line.lower() in unescape(html_of(message)).lower()
    assert link_of(message).startswith("/mail/")
    assert bureau.queue() == []


async def test_nothing_that_an_agent_wrote_becomes_a_header_or_markup(bureau: Bureau, host: MailHost) -> None:
    ann = bureau.person("Ann, <b>\u00e9\u4e2d")
    bureau.ask(
        headline=f"Pay\r\nBcc: eve@example.com\r\n\r\n{HOSTILE}",
        agent_words='</pre><a href="https://evil.example/x">Approve</a>\nWHO DECIDES\n  Nobody',
        arguments={"x": HOSTILE},
    )
    await deliver(bureau.mailer(host.server()))
    [message] = host.to(ann.email)
    assert message["Bcc"] is None
    assert len(host.arrived) == 1
    assert "Bcc: eve@example.com" in message["Subject"]
    text, html = text_of(message), html_of(message)
    assert "\nWHO DECIDES\n  Nobody" not in text.replace("\r\n", "\n")
    assert "U+202E" in text
    assert "U+202E" in html
    assert "\u202e" not in text + html + message["Subject"]
    assert not re.search(r"<(script|b|img|h1)[ >](?! style)", html.replace('<h1 style="', ""))
    assert len(re.findall(r"<a [^>]*href=", html)) == 1


async def test_who_is_told_what(bureau: Bureau, host: MailHost) -> None:
    ann, bea = bureau.person("Ann", decided=True), bureau.person("Bea")
    mailer = bureau.mailer(host.server())
    approval_id = bureau.ask()
    await deliver(mailer)
    bureau.notify(approvals.CHANGED, approval_id)
    await deliver(mailer)
    assert len(host.arrived) == 2
    bureau.notify(approvals.REMINDER, approval_id)
    await deliver(mailer)
    cleo = bureau.person("Cleo")
    bureau.notify(approvals.ESCALATED, approval_id)
    await deliver(mailer)
    bureau.edit(approval_id)
    await deliver(mailer)
    bureau.vote(approval_id, bea)
    bureau.notify(approvals.REMINDER, approval_id)
    await deliver(mailer)
    bureau.close(approval_id, cleo)
    await deliver(mailer)
    begin = [re.split(r"[:,]", message["Subject"])[0] for message in host.to(ann.email)]
    assert begin == ["To decide", "Still undecided", "Edited", "Still undecided", "Approved"]
    assert len(host.to(bea.email)) == 3
    assert [message["Subject"].split(":")[0].strip() for message in host.to(cleo.email)] == [
        "Escalated to you",
        "Edited, to decide",
        "Still undecided",
    ]
    last = host.to(ann.email)[-1]
    assert "by Cleo" in text_of(last)
    assert "http" not in text_of(last)
    ids = [message["Message-ID"] for _, message in host.arrived]
    assert len(set(ids)) == len(ids)
    assert len({message["References"] for message in host.to(ann.email)}) == 1


async def test_what_was_decided_before_it_was_sent_is_not_sent(bureau: Bureau, host: MailHost) -> None:
    ann = bureau.person("Ann", decided=True)
    bea = bureau.person("Bea", quiet={"starts": "00:00", "ends": "23:59"})
    mailer = bureau.mailer(host.server())
    approval_id = bureau.ask()
    host.refuses[ann.email] = "451 Not now"
    await deliver(mailer)
    assert [one.error.partition(":")[0] for one in bureau.queue() if one.recipient == ann.id] == [
        "The mail server refuses it"
    ]
    host.refuses.clear()
    bureau.close(approval_id, bea, ApprovalStatus.REJECTED)
    await deliver(mailer)
    assert host.arrived == []
    assert bureau.queue() == []


@pytest.mark.parametrize("answer", ["451 Try later", "550 No such mailbox", "421 Closing"])
async def test_what_the_server_refuses_is_tried_again(bureau: Bureau, host: MailHost, answer: str) -> None:
    ann, bea = bureau.person("Ann"), bureau.person("Bea")
    bureau.ask()
    host.refuses[ann.email] = answer
    mailer = bureau.mailer(host.server())
    await deliver(mailer)
    assert host.to(ann.email) == []
    [waiting] = [one for one in bureau.queue() if one.recipient == ann.id]
    assert answer[:3] in waiting.error
    host.refuses.clear()
    bureau.clock.ahead += 2 * mailing.REFUSED_FOR_GOOD
    await deliver(mailer)
    assert [len(host.to(one.email)) for one in (ann, bea)] == [1, 1]
    assert bureau.queue() == []


async def test_a_lost_answer_leads_to_the_same_mail_again(bureau: Bureau, host: MailHost) -> None:
    ann = bureau.person("Ann")
    bureau.ask()
    host.dies = 1
    mailer = bureau.mailer(host.server())
    await deliver(mailer)
    [waiting] = bureau.queue()
    assert "broke" in waiting.error
    bureau.clock.ahead += 2 * mailing.MAIL_REFUSED[0]
    await deliver(mailer)
    first, second = host.to(ann.email)
    assert first["Message-ID"] == second["Message-ID"]
    assert link_of(first) == link_of(second)
    assert bureau.queue() == []


async def test_a_slow_server_holds_nobody_for_ever(
    bureau: Bureau, host: MailHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau.person("Ann")
    bureau.ask()
    monkeypatch.setattr(post, "SEND_SECONDS", 0.3)
    host.slow = 5
    await deliver(bureau.mailer(host.server()))
    [waiting] = bureau.queue()
    assert "broke" in waiting.error


async def test_a_server_that_is_away_is_asked_less_and_less(bureau: Bureau) -> None:
    bureau.person("Ann")
    async with mail_host() as host:
        server = host.server()
    mailer = bureau.mailer(server)
    bureau.ask()
    await deliver(mailer)
    [waiting] = bureau.queue()
    assert "The mail server 127.0.0.1" in waiting.error
    assert not await mailer.turn()
    pauses = []
    for _ in range(9):
        before = bureau.clock()
        bureau.clock.ahead += bureau.queue()[0].due_at - before
        await deliver(mailer)
        pauses.append(bureau.queue()[0].due_at - bureau.clock())
    assert pauses[0] < pauses[-1] <= mailing.SERVER_AWAY[1] * 1.25


async def test_starttls_and_sign_in(bureau: Bureau, tmp_path: Path) -> None:
    bureau.person("Ann")
    context, trusted = certificate(tmp_path)
    async with mail_host(tls=context, login=("assent", "secret")) as host:
        good = {"security": "starttls", "ca_file": trusted, "username": "assent", "password": "secret"}
        for wrong in ({"ca_file": None}, {"password": "other"}, {"security": "none"}, {"security": "tls"}):
            with pytest.raises(ServerAway):
                async with connected(host.server(**(good | wrong))):
                    pass
        bureau.ask()
        await deliver(bureau.mailer(host.server(**good)))
        assert host.encrypted == [True]
    async with mail_host() as plain:
        with pytest.raises(ServerAway):
            async with connected(plain.server(security="starttls")):
                pass


async def test_two_deliverers_send_each_mail_once(bureau: Bureau, host: MailHost) -> None:
    for number in range(8):
        bureau.person(f"Ann{number}")
    for _ in range(5):
        bureau.ask()
    mailers = [bureau.mailer(host.server()) for _ in range(3)]
    while bureau.queue():
        await asyncio.gather(*(deliver(mailer) for mailer in mailers))
    assert len(host.arrived) == 40
    assert len({message["Message-ID"] for _, message in host.arrived}) == 40


async def test_a_deliverer_that_dies_loses_nothing(bureau: Bureau, host: MailHost) -> None:
    ann = bureau.person("Ann")
    bureau.ask()
    host.slow = 60
    dying = asyncio.create_task(deliver(bureau.mailer(host.server())))
    while not [one for one in bureau.queue() if one.recipient and one.attempts]:  # noqa: ASYNC110 - rows have no event
        await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    host.slow = 0
    other = bureau.mailer(host.server())
    await deliver(other)
    assert host.arrived == []
    bureau.clock.ahead += mailing.LEASE
    await deliver(other)
    assert len(host.to(ann.email)) == 1


async def test_a_row_that_cannot_be_read_holds_up_no_other(bureau: Bureau, host: MailHost) -> None:
    ann = bureau.person("Ann")
    bureau.ask()
    with bureau.database.write() as session:
        [written] = outbox.queue(session, MAIL).items
        other = replace(written, subject="ap-other")
        at = bureau.clock()
        outbox.address(session, other, ann.id, kind="letter.of_a_later_version", revision=1, at=at, due_at=at)
    for _ in range(3):
        bureau.ask()
    await deliver(bureau.mailer(host.server()))
    assert len(host.to(ann.email)) == 4
    [left] = bureau.queue()
    assert left.error == "ValueError"
