"""Deliver what the outbox holds for mail.

First it becomes a letter for each person who is asked, then each letter is handed to the mail server. A letter keeps
its Message-ID and its link at every attempt, so that one that came twice, because the server's last word was lost, is
shown once by mail programs that look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy.orm import Session

from assent.domain.clock import Clock
from assent.domain.errors import AssentError, Unavailable
from assent.reaching.notice_mail import write_notice
from assent.reaching.post import SEND_SECONDS, MailServer, NotTaken, Post, ServerAway, connected
from assent.reaching.waiting import back_off, pause
from assent.reaching.writing import Link, write_mail
from assent.store import digests, letters, notices, outbox, people, words_asked
from assent.store.database import Database
from assent.store.letters import MAIL, Letter, LetterKind
from assent.store.mail_links import MailLinks
from assent.store.notices import NOTICE, Notice, NoticeKind
from assent.store.outbox import Notification

LEASE = timedelta(minutes=3)
"""How long the mails that were taken at once may take before somebody else tries."""

AT_ONCE = 10
"""Mails for one connection."""

LOOK_EVERY = timedelta(seconds=1)
"""How often an idle mailer looks into the outbox."""

SERVER_AWAY = (timedelta(seconds=5), timedelta(minutes=2))
"""Pauses while the mail server cannot be reached double from the first to the second."""

MAIL_REFUSED = (timedelta(seconds=15), timedelta(minutes=15))
"""Pauses after a mail that was not taken, likewise."""

REFUSED_FOR_GOOD = timedelta(hours=1)
"""Pause after the server's word that trying again will not help: the mailbox may be made, or the quota raised."""

_T = TypeVar("_T")

log = logging.getLogger(__name__)


class Mailer:
    """Delivers mails until told to stop; several may work side by side.

    Args:
        server: Where mails are handed in.
        database: Where outbox and requests are.
        links: Makes the links in mails.
        public_url: Address of the pages, without a slash at its end.
        link_lifetime: How long a link works at most.
        clock: The time.
        hourly: Mails that ask one person something within an hour at most; the rest is gathered in one. 0 for any
            number.
    """

    def __init__(
        self,
        server: MailServer,
        database: Database,
        links: MailLinks,
        *,
        public_url: str,
        link_lifetime: timedelta,
        clock: Clock,
        hourly: int = 0,
    ) -> None:
        self._server = server
        self._database = database
        self._links = links
        self._public_url = public_url
        self._link_lifetime = link_lifetime
        self._clock = clock
        self._hourly = hourly
        self._away = 0
        self._held_until: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop; ends between two mails, never in one."""
        while not stop.is_set():
            try:
                busy = await self.turn(stop)
            except Unavailable as error:
                log.warning("The outbox cannot be read: %s", error)
                busy = False
            if not busy:
                await pause(stop, LOOK_EVERY)

    async def turn(self, stop: asyncio.Event | None = None) -> bool:
        """Deliver what is due, :data:`AT_ONCE` at most; false if nothing is, or the server cannot be reached now.

        Raises:
            Unavailable: The database is away.
        """
        if self._held_until is not None and self._clock() < self._held_until:
            return False
        claimed = await asyncio.to_thread(
            outbox.claim_due, self._database, MAIL, at=self._clock(), lease=LEASE, limit=AT_ONCE
        )
        for written in claimed:
            if not written.recipient:
                await self._try(written, asyncio.to_thread(self._address, written))
        await self._send([one for one in claimed if one.recipient], stop)
        return bool(claimed)

    async def _send(self, claimed: Sequence[Notification], stop: asyncio.Event | None) -> None:
        async with AsyncExitStack() as stack:
            post: Post | None = None
            for place, notification in enumerate(claimed):
                if self._clock() + timedelta(seconds=SEND_SECONDS) >= notification.due_at:
                    # What is left is due again when its lease ends.
                    return
                if stop is not None and stop.is_set():
                    await self._put_back(claimed[place:], self._clock(), notification.error)
                    return
                letter = await self._try(notification, asyncio.to_thread(self._letter, notification))
                if letter is None:
                    continue
                try:
                    if post is None or not post.is_open:
                        post = await stack.enter_async_context(connected(self._server))
                        self._away, self._held_until = 0, None
                except ServerAway as error:
                    await self._hold(claimed[place:], str(error))
                    return
                await self._try(notification, self._deliver(post, notification, letter))

    async def _try(self, notification: Notification, work: Awaitable[_T]) -> _T | None:
        """Whatever one row makes fail, the others are delivered."""
        try:
            return await work
        except Unavailable:
            # Nothing can be written down now; the lease ends, and somebody tries again.
            raise
        except Exception as error:
            log.exception("A mail about %s failed", notification.subject)
            await self._put_back([notification], self._clock() + REFUSED_FOR_GOOD, type(error).__name__)
            return None

    async def _deliver(self, post: Post, notification: Notification, letter: Letter | Notice) -> None:
        try:
            await post.send(*await self._written(letter))
        except NotTaken as error:
            wait = REFUSED_FOR_GOOD if error.lasting else back_off(notification.attempts, *MAIL_REFUSED)
            await self._put_back([notification], self._clock() + wait, str(error))
        except Unavailable:
            # Nothing can be written down now; the lease ends, and somebody tries again.
            raise
        except AssentError as error:
            await self._put_back([notification], self._clock() + REFUSED_FOR_GOOD, str(error))
        else:
            await asyncio.to_thread(self._done, notification)

    async def _written(self, letter: Letter | Notice) -> tuple[EmailMessage, str]:
        """What is sent, and to which address."""
        sender, now = self._server.sender, self._clock()
        if isinstance(letter, Notice):
            own = await asyncio.to_thread(self._link_for_word, letter)
            return write_notice(letter, sender=sender, public_url=self._public_url, at=now, link=own), letter.email
        link = await asyncio.to_thread(self._link, letter)
        return write_mail(letter, link, sender=sender, at=now), letter.person.email

    async def _hold(self, claimed: Sequence[Notification], why: str) -> None:
        """The server is away: nobody tries before the pause is over."""
        self._away += 1
        self._held_until = self._clock() + back_off(self._away, *SERVER_AWAY)
        await self._put_back(claimed, self._held_until, why)

    async def _put_back(self, claimed: Sequence[Notification], until: datetime, why: str) -> None:
        if why:
            log.warning("%d mails wait until %s: %s", len(claimed), f"{until:%H:%M:%S}", why)
        await asyncio.to_thread(self._failed, claimed, until, why)

    # What follows runs in threads: the database's sessions are synchronous.

    def _address(self, written: Notification) -> None:
        with self._database.write() as session:
            letters.address_letters(session, written, self._clock())

    def _letter(self, notification: Notification) -> Letter | Notice | None:
        """The letter, unless it has to wait or nobody needs it any more."""
        now = self._clock()
        with self._database.write() as session:
            found: Letter | Notice | datetime | None
            if notification.kind == NOTICE:
                found = _notice(session, notification.subject, now)
            else:
                found = letters.letter(session, notification, now)
            if found is None:
                outbox.let_go(session, notification)
            elif isinstance(found, datetime):
                outbox.postpone(session, notification, until=found)
            elif isinstance(found, Letter) and digests.too_many(session, found, now, most=self._hourly):
                digests.gather(session, found, now)
            else:
                return found
        return None

    def _link(self, letter: Letter) -> Link | None:
        if letter.kind is LetterKind.DECIDED:
            return None
        with self._database.write() as session:
            return self._as_link(*self._links.make(session, letter, at=self._clock(), lifetime=self._link_lifetime))

    def _link_for_word(self, notice: Notice) -> Link | None:
        """The link for whoever is asked for their word; none where nobody signs in with that address."""
        if notice.kind is not NoticeKind.ASKED:
            return None
        now = self._clock()
        with self._database.write() as session:
            person = people.by_email(session, notice.email)
            if person is None or person.disabled:
                return None
            ends = words_asked.asked_until(session, notice.subject, now + self._link_lifetime)
            return self._as_link(*self._links.make_for_word(session, notice, person, at=now, ends=ends))

    def _as_link(self, token: str, ends: datetime) -> Link:
        return Link(f"{self._public_url}/mail/{quote(token, safe='')}", ends)

    def _done(self, notification: Notification) -> None:
        with self._database.write() as session:
            outbox.mark_sent(session, notification, at=self._clock())

    def _failed(self, claimed: Sequence[Notification], until: datetime, why: str) -> None:
        with self._database.write() as session:
            for notification in claimed:
                outbox.mark_failed(session, notification, retry_at=until, error=why)


def _notice(session: Session, notice_id: str, at: datetime) -> Notice | datetime | None:
    """What is to be told, unless it has to wait or nobody needs it any more."""
    notice = notices.one(session, notice_id)
    if notice is None:
        return None
    if notice.kind is NoticeKind.DIGEST:
        return digests.as_it_stands(session, notice, at)
    if notice.kind is NoticeKind.ASKED and not words_asked.still_asked(session, notice.subject, at):
        return None
    return notice
