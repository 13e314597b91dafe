"""What tells people by mail and other programs by webhook, put together; it runs beside the web pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from assent.gateway import utc_now
from assent.reaching.hooks import Caller
from assent.reaching.mailer import Mailer
from assent.reaching.post import MailServer
from assent.runtime.secrets import signing_key
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.mail_links import MailLinks
from assent.store.sealing import Sealer
from assent.store.webhooks import SEALED_FOR

GRACE_SECONDS = 8.0
"""How long what is being sent may take when the process is asked to end; what is broken off is sent again."""

log = logging.getLogger(__name__)


def mail_server(settings: Settings) -> MailServer:
    """Where mails are handed in, as the settings say."""
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        sender=settings.mail_from,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else "",
        ca_file=settings.smtp_ca_file,
    )


def mailer(settings: Settings, database: Database) -> Mailer:
    """What delivers mails."""
    return Mailer(
        mail_server(settings),
        database,
        MailLinks(signing_key(settings)),
        public_url=settings.public_url,
        link_lifetime=timedelta(hours=settings.mail_link_hours),
        clock=utc_now,
        hourly=settings.mail_hourly,
    )


def caller(settings: Settings, database: Database) -> Caller:
    """What calls webhooks."""
    return Caller(
        database,
        Sealer(signing_key(settings), SEALED_FOR),
        public_url=settings.public_url,
        internal=settings.webhooks_internal,
        clock=utc_now,
    )


@asynccontextmanager
async def delivering(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Deliver while the block runs, by every way that is set up."""
    stop = asyncio.Event()
    ways = {}
    if settings.mail_wanted:
        ways["mail"] = mailer(settings, database).run
    if settings.webhooks:
        ways["webhook"] = caller(settings, database).run
    tasks = [asyncio.create_task(run(stop), name=name) for name, run in ways.items()]
    for task in tasks:
        task.add_done_callback(_told)
    try:
        yield
    finally:
        stop.set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _told(ended: asyncio.Task[None]) -> None:
    if not ended.cancelled() and (error := ended.exception()) is not None:
        log.error("Delivering by %s has ended; start the process again", ended.get_name(), exc_info=error)
