"""Where a resume needs a second person, those whose word would count are told: by mail as they chose, in Slack once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from assent.domain.pauses import ResumeAnswers, ResumeState, Scope, ScopeKind
from assent.domain.people import SYSTEM, Role, Via
from assent.gateway import Gateway
from assent.runtime.cards import publish_card
from assent.store.notices import NoticeKind
from assent.store.people import Person
from assent.store.tables import NoticeRow
from tests.breakers.past import CARD, catalogue
from tests.identity.house import ADDRESS, House
from tests.pages.reading import PageReader
from tests.reaching.bureau import Bureau, deliver
from tests.reaching.mail_host import MailHost, text_of
from tests.reaching.test_webhooks import Receiver, add, caller, make_calls, receiver

__all__ = ["receiver"]

ANSWERS = ResumeAnswers(cause="A wrong limit", changed="It is 50 now", checks=["Unit tests"])
SCOPE = Scope(kind=ScopeKind.AGENT, name="clerk")


@pytest.fixture
def gateway(bureau: Bureau) -> Gateway:
    """The door, without Temporal; an agent whose resume needs two operators."""
    card = f"{CARD}stopping: {{second: true}}\n"
    publish_card(bureau.database, catalogue(), card, where="test card", by=SYSTEM)
    return Gateway(None, bureau.database, clock=bureau.clock, channels=("mail", "slack"))


def told(bureau: Bureau) -> list[NoticeRow]:
    """Every notice, by whom it is for."""
    with bureau.database.read() as session:
        return list(session.execute(select(NoticeRow).order_by(col(NoticeRow.name), col(NoticeRow.at))).scalars())


async def paused(gateway: Gateway, by: Person) -> str:
    """A pause of the agent."""
    return await gateway.pause(SCOPE, by=by.acting(Via.WEB), cause="Odd tips")


async def test_those_who_may_agree_are_told_once(bureau: Bureau, gateway: Gateway, host: MailHost) -> None:
    oli = bureau.person("Oli", Role.OPERATOR)
    bureau.person("Pat", Role.OPERATOR)
    bureau.person("Ada", Role.ADMIN)
    bureau.person("Quiet", Role.OPERATOR, mail=False)
    bureau.person("Ann", Role.APPROVER)
    pause_id = await paused(gateway, oli)
    for _ in range(2):
        state = await gateway.resume(pause_id, by=oli.acting(Via.WEB), answers=ANSWERS)
        assert state is ResumeState.SECOND_WANTED
    rows = told(bureau)
    assert [row.name for row in rows] == ["Ada", "Pat", "everybody"]
    assert {row.kind for row in rows} == {NoticeKind.ASKED.value}
    await deliver(bureau.mailer(host.server()))
    (mail,) = host.to("pat@example.com")
    assert mail["Subject"] == "A second person has to agree: Oli wants agent clerk to go on"
    assert "Cause: A wrong limit" in text_of(mail)
    assert "Check: Unit tests" in text_of(mail)
    assert f"/stop#{pause_id}" in text_of(mail)
    assert host.to("oli@example.com") == host.to("ann@example.com") == host.to("quiet@example.com") == []


async def test_who_asks_instead_asks_the_others(bureau: Bureau, gateway: Gateway) -> None:
    oli, pat = bureau.person("Oli", Role.OPERATOR), bureau.person("Pat", Role.OPERATOR)
    pause_id = await paused(gateway, oli)
    await gateway.resume(pause_id, by=oli.acting(Via.WEB), answers=ANSWERS)
    bureau.clock.ahead += timedelta(minutes=1)
    await gateway.resume(pause_id, by=pat.acting(Via.WEB), answers=ANSWERS)
    assert [row.name for row in told(bureau)] == ["Oli", "Pat", "everybody", "everybody"]


async def test_a_mail_that_waited_is_let_go_when_somebody_has_agreed(
    bureau: Bureau, gateway: Gateway, host: MailHost
) -> None:
    oli, pat = bureau.person("Oli", Role.OPERATOR), bureau.person("Pat", Role.OPERATOR)
    pause_id = await paused(gateway, oli)
    await gateway.resume(pause_id, by=oli.acting(Via.WEB), answers=ANSWERS)
    await gateway.second_resume(pause_id, by=pat.acting(Via.WEB))
    await deliver(bureau.mailer(host.server()))
    assert host.to("pat@example.com") == []


async def test_the_link_in_the_mail_opens_the_stop_as_its_person(
    house: House, bureau: Bureau, gateway: Gateway, host: MailHost
) -> None:
    oli, pat = bureau.person("Oli", Role.OPERATOR), bureau.person("Pat", Role.OPERATOR)
    pause_id = await paused(gateway, oli)
    await gateway.resume(pause_id, by=oli.acting(Via.WEB), answers=ANSWERS)
    await deliver(bureau.mailer(host.server()))
    (mail,) = host.to("pat@example.com")
    [path] = re.findall(rf"{ADDRESS}(/mail/\S+)", text_of(mail))
    async with house.browser() as browser:
        page = PageReader((await browser.get(path)).text)
        assert "Open the page as Pat" in page.words
        assert not await browser.signed_in()
        answer = await browser.client.post(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/stop#{pause_id}")
        assert (await browser.get("/api/v1/me")).json()["id"] == pat.id
        again = await browser.get(path)
        assert again.headers["location"] == f"/stop#{pause_id}"
    async with house.browser() as other:
        refused = await other.get(path)
        assert refused.status_code == 401
        assert f"/stop#{pause_id}" in PageReader(refused.text).addresses
    [refusal] = house.events("session.refused")
    assert refusal.body["about"] == pause_id


async def test_personal_webhooks_are_called_for_a_second_word(
    bureau: Bureau, gateway: Gateway, receiver: Receiver
) -> None:
    gateway = Gateway(None, bureau.database, clock=bureau.clock, channels=("webhook",))
    oli, pat = bureau.person("Oli", Role.OPERATOR), bureau.person("Pat", Role.OPERATOR)
    _, receiver.secret = add(bureau, receiver.url, pat.id)
    add(bureau, receiver.url, oli.id)
    pause_id = await paused(gateway, oli)
    await gateway.resume(pause_id, by=oli.acting(Via.WEB), answers=ANSWERS)
    await make_calls(caller(bureau))
    assert receiver.events == ["word.asked"]
    data = receiver.got[0][1]["data"]
    assert isinstance(data, dict)
    assert (data["kind"], data["id"], data["url"]) == ("resume", pause_id, f"{ADDRESS}/stop#{pause_id}")
    assert receiver.bad == 0
