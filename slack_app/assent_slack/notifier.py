"""Deliver what the outbox holds for Slack: bring each request to its places and keep every copy true.

What is delivered is how a request stands now, not what changed: whatever was missed is made up for by the next
attempt. One notification of a request at a time, in order; several requests side by side.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from assent.domain.clock import Clock
from assent.domain.errors import NotFound, Unavailable
from assent.store import checks, outbox
from assent.store.database import Database
from assent.store.direct_digests import DIGEST
from assent.store.incident_writing import TOLD
from assent.store.notices import NOTICE
from assent.store.outbox import Notification
from assent_slack.blocks.notes import Note, notes
from assent_slack.delivery import CHANNEL, Delivery, LeaseLost, Target
from assent_slack.digest_posts import DigestPosts
from assent_slack.homes import Homes
from assent_slack.incident_posts import IncidentPosts
from assent_slack.links import Links
from assent_slack.notice_posts import NoticePosts
from assent_slack.pacing import EVERYTHING, FIRST_PAUSE, LONGEST_PAUSE, Held
from assent_slack.posting import Posting
from assent_slack.recipients import Recipients
from assent_slack.standing import Standing, check_standing, standing
from assent_slack.telling import FAILURES, why

LEASE = timedelta(seconds=90)
"""How long one notification may take before somebody else tries."""

CALL_TIMEOUT = timedelta(seconds=10)
"""How long one call to Slack may take."""

LOOK_EVERY = timedelta(milliseconds=500)
"""How often an idle notifier looks into the outbox."""

AT_ONCE = 4
"""Requests that one process delivers side by side."""

NOWHERE = "No workspace has a channel for requests, and nobody who is asked is in Slack"

Turn = Callable[[], Awaitable[bool]]
Lease = Callable[[], None]

log = logging.getLogger(__name__)


class Notifier:
    """Delivers what the outbox holds for Slack, one notification at a time.

    Args:
        posting: Calls to Slack.
        recipients: Where copies belong.
        homes: People's pages of the app.
        database: Where outbox, requests and copies are.
        links: Where the web pages are.
        clock: The time.
        hourly: Requests that one person gets as direct messages within an hour at most, and one message that tells of
            the rest; 0 for any number.
    """

    def __init__(
        self,
        posting: Posting,
        recipients: Recipients,
        homes: Homes,
        database: Database,
        links: Links,
        clock: Clock,
        *,
        hourly: int = 0,
    ) -> None:
        self._delivery = Delivery(posting, database, clock, hourly)
        self._digests = DigestPosts(self._delivery, recipients.workspaces, database, links, clock)
        self._incidents = IncidentPosts(self._delivery, recipients.workspaces, database, links, clock)
        self._notices = NoticePosts(self._delivery, posting, recipients.workspaces, database, links, clock)
        self._pacer = posting.pacer
        self._recipients = recipients
        self._homes = homes
        self._database = database
        self._links = links
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop; ends between two notifications, never in one."""
        await asyncio.gather(*(self._loop(stop, self.turn) for _ in range(AT_ONCE)), self._loop(stop, self._homes.turn))

    async def _loop(self, stop: asyncio.Event, turn: Turn) -> None:
        while not stop.is_set():
            try:
                busy = await turn()
            except Unavailable as error:
                log.warning("The outbox cannot be read: %s", error)
                busy = False
            if not busy:
                await _sleep(stop, LOOK_EVERY.total_seconds())

    async def turn(self) -> bool:
        """Deliver one notification that is due; false if none is, or there is no workspace that can be reached now.

        Raises:
            Unavailable: The database is away.
        """
        workspaces = list(self._recipients.workspaces)
        if not workspaces or all(self._pacer.is_held((one.team_id, EVERYTHING)) for one in workspaces):
            return False
        claimed = await asyncio.to_thread(outbox.claim_due, self._database, CHANNEL, at=self._clock(), lease=LEASE)
        for notification in claimed:
            await self._deliver(notification)
        return bool(claimed)

    async def _deliver(self, notification: Notification) -> None:
        try:
            await self._make_true(notification)
        except LeaseLost:
            log.warning("Delivering %s took longer than its lease", notification.subject)
        except Held as held:
            await self._put_back(notification, held.until, held.why)
        except Unavailable:
            # Nothing can be written down now; the lease ends, and somebody tries again.
            raise
        except Exception as error:
            if not isinstance(error, FAILURES):
                log.exception("Delivering %s failed", notification.subject)
            await self._put_back(notification, self._clock() + _back_off(notification), why(error))
        else:
            await asyncio.to_thread(self._done, notification)

    async def _make_true(self, notification: Notification) -> None:
        """Make every copy show how the request stands; one place in trouble does not keep the others from it."""
        if notification.kind == NOTICE:
            await self._notices.post(notification, self._lease(notification))
            return
        if notification.kind == TOLD:
            await self._incidents.post(notification, self._lease(notification))
            return
        if notification.kind == DIGEST:
            await self._digests.post(notification, self._lease(notification))
            return
        stands = await asyncio.to_thread(self._standing, notification.subject)
        if stands is None:
            return
        url = self._links.request(stands.view.id)
        told = notes(stands, url, [(notification.kind, notification.id, notification.created_at)])
        lease = self._lease(notification)
        failures: list[Exception] = []
        targets, more = await self._recipients.targets(stands)
        failures += more
        if not targets and not failures and stands.pending and stands.check is None:
            raise Held(self._clock() + LONGEST_PAUSE, NOWHERE)
        for target in targets:
            try:
                await self._bring(stands, target, told, notification)
            except LeaseLost:
                raise
            except (Held, *FAILURES) as error:
                failures.append(error)
        lease()
        await asyncio.to_thread(self._recipients.stale, stands)
        if failures:
            raise _worst(failures)

    async def _bring(self, stands: Standing, target: Target, told: list[Note], notification: Notification) -> None:
        lease = self._lease(notification)
        reference = await self._delivery.make_true(stands.view.id, target, lease)
        if not reference:
            return
        for note in told:
            if target.personal and not note.personal:
                continue
            await self._delivery.note(
                stands.view.id,
                target,
                reference,
                note.key,
                note.message,
                lease,
                aloud=note.aloud and target.personal,
            )

    def _lease(self, notification: Notification) -> Lease:
        def require() -> None:
            if self._clock() + CALL_TIMEOUT >= notification.due_at:
                raise LeaseLost

        return require

    async def _put_back(self, notification: Notification, until: datetime, error: str) -> None:
        log.warning(
            "Slack did not take %s of %s (attempt %d, again at %s): %s",
            notification.kind,
            notification.subject,
            notification.attempts,
            f"{until:%H:%M:%S}",
            error,
        )
        await asyncio.to_thread(self._failed, notification, until, error)

    # What follows runs in threads: the database's sessions are synchronous.

    def _standing(self, approval_id: str) -> Standing | None:
        with self._database.read() as session:
            try:
                return standing(session, approval_id, self._clock())
            except NotFound:
                if checks.by_id(session, approval_id) is not None:
                    return check_standing(session, approval_id, self._clock())
                log.warning("The outbox tells of %s, which does not exist", approval_id)
                return None

    def _done(self, notification: Notification) -> None:
        with self._database.write() as session:
            outbox.mark_sent(session, notification, at=self._clock())

    def _failed(self, notification: Notification, retry_at: datetime, error: str) -> None:
        with self._database.write() as session:
            outbox.mark_failed(session, notification, retry_at=retry_at, error=error)


def _worst(failures: list[Exception]) -> Exception:
    """What to wait for: the soonest time that somebody named, else what went wrong."""
    held = [failure for failure in failures if isinstance(failure, Held)]
    others = [failure for failure in failures if not isinstance(failure, Held)]
    if others:
        return others[0]
    return min(held, key=lambda one: one.until)


def _back_off(notification: Notification) -> timedelta:
    return min(FIRST_PAUSE * (1 << min(notification.attempts - 1, 16)), LONGEST_PAUSE)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
