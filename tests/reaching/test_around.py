"""What is around the deliverers: settings, the doctor, a database that is away."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from assent.domain.errors import InvalidInput
from assent.gateway import utc_now
from assent.reaching.mailer import Mailer
from assent.runtime.channels import channels_of
from assent.runtime.delivering import delivering
from assent.runtime.doctor.mail import look_at_mail
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.mail_links import MailLinks
from tests.identity.house import ADDRESS, KEY
from tests.reaching.bureau import Bureau
from tests.reaching.mail_host import SENDER, MailHost


def test_mail_is_set_up_whole_or_not_at_all(settings: Settings) -> None:
    assert channels_of(settings) == ()
    folder = settings.data_dir
    for wrong in (
        {"smtp_host": "mail.example.com"},
        {"smtp_host": "mail.example.com", "mail_from": "nobody"},
        {"smtp_host": "mail.example.com", "mail_from": "a@example.com\r\nBcc: b@example.com"},
        {"smtp_host": "mail.example.com", "mail_from": SENDER, "smtp_username": "assent"},
    ):
        with pytest.raises(InvalidInput):
            Settings.load(data_dir=folder, **wrong)
    ports = {
        each: Settings.load(data_dir=folder, smtp_host="m", mail_from=SENDER, smtp_security=each).smtp_port
        for each in ("starttls", "tls", "none")
    }
    assert ports == {"starttls": 587, "tls": 465, "none": 25}
    good = Settings.load(data_dir=folder, smtp_host="m", mail_from=SENDER, webhooks=True)
    assert channels_of(good) == ("mail", "webhook")


async def test_the_doctor_says_whether_the_server_answers(settings: Settings, host: MailHost) -> None:
    assert [finding.ok for finding in await look_at_mail(settings)] == [True]
    values: dict[str, Any] = {"smtp_host": "127.0.0.1", "mail_from": SENDER, "data_dir": settings.data_dir}
    there = Settings.load(**values, smtp_port=host.port, smtp_security="none")
    [found] = await look_at_mail(there)
    assert found.ok
    assert "answers" in found.found
    [found] = await look_at_mail(Settings.load(**values, smtp_port=host.port))
    assert not found.ok
    assert found.todo


async def test_beside_the_pages_everything_set_up_delivers_and_ends(
    settings: Settings, bureau: Bureau, host: MailHost
) -> None:
    ann = bureau.person("Ann")
    bureau.ask()
    values: dict[str, Any] = {"smtp_host": "127.0.0.1", "mail_from": SENDER, "data_dir": settings.data_dir}
    there = Settings.load(**values, smtp_port=host.port, smtp_security="none", webhooks=True)
    async with delivering(there, bureau.database):
        while not host.to(ann.email):  # noqa: ASYNC110 - the mail server has no event
            await asyncio.sleep(0.02)
    assert len(host.to(ann.email)) == 1


async def test_a_database_that_is_away_is_waited_for(settings: Settings, host: MailHost) -> None:
    away = Database("postgresql+psycopg://assent@127.0.0.1:9/none")
    mailer = Mailer(
        host.server(), away, MailLinks(KEY), public_url=ADDRESS, link_lifetime=timedelta(hours=1), clock=utc_now
    )
    stop = asyncio.Event()
    running = asyncio.create_task(mailer.run(stop))
    await asyncio.sleep(0.2)
    assert not running.done()
    stop.set()
    await running
    away.close()
