"""Call webhooks: signed in the manner of Standard Webhooks, in order for each subject, again until they are taken."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from assent.domain.clock import Clock
from assent.domain.errors import AssentError, Unavailable
from assent.domain.people import SYSTEM
from assent.domain.signed_calls import signature
from assent.reaching.addresses import GuardedResolver, require_open
from assent.reaching.calls import AnyCall, about_of, body_of, look_of
from assent.reaching.waiting import back_off, pause
from assent.store import ledger, outbox, webhooks
from assent.store.database import Database
from assent.store.outbox import Notification
from assent.store.sealing import Sealer
from assent.store.webhooks import GIVEN_UP_AFTER, WEBHOOK

CALL_SECONDS = 15.0
"""How long one call may take."""

LEASE = timedelta(seconds=60)
"""How long calls that were taken at once may take before somebody else tries."""

AT_ONCE = 8
"""Calls made side by side."""

LOOK_EVERY = timedelta(seconds=1)
"""How often an idle caller looks into the outbox."""

NOT_TAKEN = (timedelta(seconds=5), timedelta(hours=1))
"""Pauses after a call that was not taken double from the first to the second; ``Retry-After`` counts up to it."""

_ANSWER_BYTES = 2_048

log = logging.getLogger(__name__)


class NotTaken(Exception):
    """A call was not taken.

    Attributes:
        retry_after: How long the other side asks to wait.
    """

    def __init__(self, why: str, retry_after: timedelta | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Caller:
    """Calls webhooks until told to stop; several may work side by side.

    Args:
        database: Where outbox and requests are.
        sealer: Opens the secrets.
        public_url: Address of the pages, without a slash at its end.
        internal: Private networks and ``http`` are allowed.
        clock: The time.
    """

    def __init__(self, database: Database, sealer: Sealer, *, public_url: str, internal: bool, clock: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._public_url = public_url
        self._internal = internal
        self._clock = clock
        self._held: dict[str, datetime] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Call until told to stop."""
        while not stop.is_set():
            try:
                busy = await self.turn()
            except Unavailable as error:
                log.warning("The outbox cannot be read: %s", error)
                busy = False
            if not busy:
                await pause(stop, LOOK_EVERY)

    async def turn(self) -> bool:
        """Make the calls that are due, :data:`AT_ONCE` at most; false if none is.

        Raises:
            Unavailable: The database is away.
        """
        claimed = await asyncio.to_thread(
            outbox.claim_due, self._database, WEBHOOK, at=self._clock(), lease=LEASE, limit=AT_ONCE
        )
        await asyncio.gather(*(self._take(one) for one in claimed))
        return bool(claimed)

    async def _take(self, notification: Notification) -> None:
        try:
            await self._tell(notification)
        except Unavailable:
            # Nothing can be written down now; the lease ends, and somebody tries again.
            raise
        except Exception as error:
            # Whatever one row or one answer makes fail, the others are told.
            log.exception("A call about %s failed", notification.subject)
            until = self._clock() + NOT_TAKEN[1]
            await asyncio.to_thread(self._failed, notification, until, f"It cannot be made: {type(error).__name__}.")

    async def _tell(self, notification: Notification) -> None:
        if not notification.recipient:
            await asyncio.to_thread(self._address, notification)
            return
        held = self._held.get(notification.recipient)
        if held is not None and self._clock() < held:
            # Somewhere that does not answer is not asked once for each request that waits for it.
            await asyncio.to_thread(self._failed, notification, held, notification.error or "It did not answer before.")
            return
        call = await asyncio.to_thread(self._call, notification)
        if call is None:
            return
        try:
            await self._make(call)
        except NotTaken as error:
            wait = error.retry_after or back_off(notification.attempts, *NOT_TAKEN)
            self._held[notification.recipient] = self._clock() + NOT_TAKEN[0]
            if error.retry_after is not None:
                self._held[notification.recipient] = self._clock() + wait
            log.warning("The webhook at %s did not take %s: %s", call.webhook.host, notification.kind, error)
            await asyncio.to_thread(self._failed, notification, self._clock() + wait, str(error))
        else:
            self._held.pop(notification.recipient, None)
            await asyncio.to_thread(self._done, notification)

    async def _make(self, call: AnyCall) -> None:
        """Make a call.

        Raises:
            NotTaken: It was not answered with success.
        """
        id, timestamp = f"msg_{call.notification.id}", int(self._clock().timestamp())
        url = self._public_url
        body = body_of(call, public_url=url)
        try:
            webhooks.check_url(call.webhook.url, internal=self._internal)
            self._require_open(call.webhook.url)
            secret = self._sealer.open(call.webhook.sealed_secret, owner=call.webhook.id)
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "Assent",
                "webhook-id": id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature(secret, id, timestamp, body),
            }
            async with (
                self._session() as session,
                session.post(call.webhook.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                await answer.content.read(_ANSWER_BYTES)
                if not 200 <= answer.status < 300:
                    raise _refused(answer.status, answer.headers.get("Retry-After", ""), self._clock())
        except AssentError as error:
            raise NotTaken(error.what) from error
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise NotTaken(_why(error)) from error

    def _session(self) -> aiohttp.ClientSession:
        resolver = None if self._internal else GuardedResolver()
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True),
            timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    def _require_open(self, url: str) -> None:
        """An address in figures is not looked up, so it is checked here.

        Raises:
            Forbidden: It is private.
        """
        host = urlsplit(url).hostname or ""
        if self._internal:
            return
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return
        require_open(host)

    # What follows runs in threads: the database's sessions are synchronous.

    def _address(self, written: Notification) -> None:
        with self._database.write() as session:
            webhooks.address_calls(session, written, self._clock())

    def _call(self, notification: Notification) -> AnyCall | None:
        """The call, unless it has to wait or nobody needs it any more."""
        with self._database.write() as session:
            found = look_of(notification)(session, notification, self._clock())
            if found is None:
                outbox.let_go(session, notification)
            elif isinstance(found, datetime):
                outbox.postpone(session, notification, until=found)
            else:
                return found
        return None

    def _done(self, notification: Notification) -> None:
        with self._database.write() as session:
            outbox.mark_sent(session, notification, at=self._clock())

    def _failed(self, notification: Notification, until: datetime, why: str) -> None:
        with self._database.write() as session:
            if self._clock() - notification.created_at > GIVEN_UP_AFTER:
                outbox.let_go(session, notification)
                body = {"webhook": notification.recipient, about_of(notification): notification.subject, "why": why}
                body["event"] = notification.kind
                ledger.append(session, at=self._clock(), kind="webhook.given_up", actor=SYSTEM, body=dict(body))
            else:
                outbox.mark_failed(session, notification, retry_at=until, error=why)


def _refused(status: int, retry_after: str, now: datetime) -> NotTaken:
    if 300 <= status < 400:
        return NotTaken(f"It answers {status}, a redirect, which is not followed.")
    return NotTaken(f"It answers {status}.", _wait(retry_after, now))


def _why(error: Exception) -> str:
    """What went wrong, on one line, without the path of the address, which may be a secret."""
    if isinstance(error, aiohttp.InvalidURL):
        return "That is no address that can be called."
    said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return " ".join(said.split())[:300] or type(error).__name__


def _wait(retry_after: str, now: datetime) -> timedelta | None:
    """What ``Retry-After`` asks for, in seconds or as a date; nothing if it says nothing that can be read."""
    if retry_after.isdecimal():
        return min(timedelta(seconds=int(retry_after[:9])), NOT_TAKEN[1])
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), NOT_TAKEN[1])
