"""Bring every request to its channel and keep every copy true, whatever Slack or this process goes through.

Exactly one copy: the intention to post is committed before the post, and the post carries the request's id as
metadata. A process that dies in between leaves an intention without a reference; whoever takes over looks for the
message in the channel's history before it posts again. Two that post at the same moment, because one of them stalled
for longer than its lease, find out when they keep the reference: the later one deletes its own.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from slack_sdk.errors import SlackApiError

from assent.domain.clock import Clock
from assent.domain.errors import NotFound, Unavailable
from assent.store import copies, outbox
from assent.store.copies import Copy
from assent.store.database import Database
from assent.store.outbox import Notification
from assent.store.queries import approvals
from assent.store.queries.approvals import ApprovalView
from assent_slack.blocks.pieces import Message
from assent_slack.blocks.request import request_message
from assent_slack.links import Links
from assent_slack.posting import ALREADY_POSTED, UNREADABLE_HISTORY, Place, Posting, is_certain
from assent_slack.telling import FAILURES, status_of, why

CHANNEL = "slack"
"""The way of this notifier in the outbox."""

LEASE = timedelta(seconds=90)
"""How long one notification may take before somebody else tries."""

CALL_TIMEOUT = timedelta(seconds=10)
"""How long one call to Slack may take."""

FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)
"""Pauses between attempts double from the first to the longest; there is no last attempt."""

LONGEST_WAIT = timedelta(hours=1)
"""The longest wait that Slack can ask for."""

LOOK_EVERY = timedelta(milliseconds=500)
"""How often an idle notifier looks into the outbox."""

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The time for a notification is over; somebody else may be at it."""


class Notifier:
    """Delivers what the outbox holds for Slack, one notification at a time.

    Args:
        posting: Calls to the workspace.
        place: The channel that requests are posted to.
        database: Where outbox, requests and copies are.
        links: Where the web pages are.
        clock: The time.
        jitter: Gives a number from 0 to 1, so that several notifiers do not try again in step.
    """

    def __init__(
        self,
        posting: Posting,
        place: Place,
        database: Database,
        links: Links,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._posting = posting
        self._place = place
        self._database = database
        self._links = links
        self._clock = clock
        self._jitter = jitter
        self._held_until: datetime | None = None
        self._tried: dict[str, datetime] = {}
        """When requests were last tried of which it is not known whether they were posted."""

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop; ends between two notifications, never in one."""
        while not stop.is_set():
            try:
                busy = await self.turn()
            except Unavailable as error:
                log.warning("The outbox cannot be read: %s", error)
                busy = False
            if not busy:
                await _sleep(stop, LOOK_EVERY.total_seconds())

    async def turn(self) -> bool:
        """Deliver one notification that is due; false if none is, or Slack asked to wait.

        Raises:
            Unavailable: The database is away.
        """
        now = self._clock()
        if self._held_until is not None and now < self._held_until:
            return False
        claimed = await asyncio.to_thread(outbox.claim_due, self._database, CHANNEL, at=now, lease=LEASE)
        for notification in claimed:
            await self._deliver(notification)
        return bool(claimed)

    async def _deliver(self, notification: Notification) -> None:
        try:
            await self._make_true(notification)
        except LeaseLost:
            log.warning("Delivering %s took longer than its lease", notification.subject)
        except SlackApiError as error:
            await self._put_back(notification, self._pause_after(error, notification), why(error))
        except FAILURES as error:
            await self._put_back(notification, self._back_off(notification), why(error))
        except Unavailable:
            # Nothing can be written down now; the lease ends, and somebody tries again.
            raise
        except Exception as error:
            log.exception("Delivering %s failed", notification.subject)
            await self._put_back(notification, self._back_off(notification), why(error))
        else:
            await asyncio.to_thread(self._done, notification)

    async def _make_true(self, notification: Notification) -> None:
        """Post the request if it is not there yet, and make every copy show its status."""
        view = await asyncio.to_thread(self._request, notification.subject)
        if view is None:
            return
        copy, fresh = await asyncio.to_thread(self._intend, view)
        if copy.shown_status == "":
            await self._post(notification, view, copy, fresh)
        for known in await asyncio.to_thread(self._copies, view):
            if known.reference and known.shown_status not in {view.status.value, copies.GONE}:
                await self._update(notification, view, known)

    async def _post(self, notification: Notification, view: ApprovalView, copy: Copy, fresh: bool) -> None:
        reference = None if fresh else await self._find(notification, copy)
        # A copy that was found shows nobody knows what; it is updated next.
        shown = "unknown"
        if reference is None:
            message = await asyncio.to_thread(request_message, view, self._links)
            self._require_lease(notification)
            reference, shown = await self._try_to_post(notification, view, copy, message, fresh)
        self._tried.pop(view.id, None)
        if not await asyncio.to_thread(self._keep, copy, reference, shown):
            log.warning("Removing a second copy of %s", view.id)
            await self._posting.remove(self._place, reference)

    async def _try_to_post(
        self, notification: Notification, view: ApprovalView, copy: Copy, message: Message, fresh: bool
    ) -> tuple[str, str]:
        try:
            return await self._posting.post(self._place, view.id, message), view.status.value
        except FAILURES as error:
            self._tried[view.id] = self._clock()
            if why(error) == ALREADY_POSTED and (found := await self._find(notification, copy)):
                return found, "unknown"
            if fresh and is_certain(error):
                await asyncio.to_thread(self._forget, copy)
            raise

    async def _find(self, notification: Notification, copy: Copy) -> str | None:
        self._require_lease(notification)
        tried = self._tried.setdefault(copy.approval_id, self._clock())
        try:
            return await self._posting.find(self._place, copy.approval_id, since=copy.posted_at, after=tried)
        except SlackApiError as error:
            if why(error) not in UNREADABLE_HISTORY:
                raise
            # A request that nobody sees is worse than one that is seen twice.
            log.warning("Cannot look whether %s was posted (%s): posting it again", copy.approval_id, why(error))
            return None

    async def _update(self, notification: Notification, view: ApprovalView, copy: Copy) -> None:
        place = Place.named(copy.place)
        if not self._posting.reaches(place):
            log.warning("The copy of %s in %s is in a workspace that this token does not reach", view.id, copy.place)
            return
        message = await asyncio.to_thread(request_message, view, self._links)
        self._require_lease(notification)
        there = await self._posting.update(place, copy.reference, message)
        await asyncio.to_thread(self._shows, copy, view.status.value if there else copies.GONE)

    def _require_lease(self, notification: Notification) -> None:
        if self._clock() + CALL_TIMEOUT >= notification.due_at:
            raise LeaseLost

    def _pause_after(self, error: SlackApiError, notification: Notification) -> timedelta:
        if status_of(error) != 429:
            return self._back_off(notification)
        headers = getattr(error.response, "headers", {})
        asked = next((text for name, text in headers.items() if name.lower() == "retry-after"), "")
        pause = (
            min(timedelta(seconds=int(asked)), LONGEST_WAIT) if str(asked).isdigit() else self._back_off(notification)
        )
        self._held_until = self._clock() + pause
        return pause

    def _back_off(self, notification: Notification) -> timedelta:
        doubled = FIRST_RETRY * (1 << min(notification.attempts - 1, 20))
        return min(doubled, LONGEST_RETRY) * (1 + self._jitter() / 4)

    async def _put_back(self, notification: Notification, pause: timedelta, error: str) -> None:
        log.warning(
            "Slack did not take %s of %s (attempt %d, again in %.0f s): %s",
            notification.kind,
            notification.subject,
            notification.attempts,
            pause.total_seconds(),
            error,
        )
        await asyncio.to_thread(self._failed, notification, self._clock() + pause, error)

    # What follows runs in threads: the database's sessions are synchronous.

    def _request(self, approval_id: str) -> ApprovalView | None:
        with self._database.read() as session:
            try:
                return approvals.one(session, approval_id)
            except NotFound:
                log.warning("The outbox tells of %s, which does not exist", approval_id)
                return None

    def _intend(self, view: ApprovalView) -> tuple[Copy, bool]:
        with self._database.write() as session:
            return copies.intend(session, view.id, channel=CHANNEL, place=self._place.name, at=self._clock())

    def _copies(self, view: ApprovalView) -> list[Copy]:
        with self._database.read() as session:
            return list(copies.of_request(session, view.id, channel=CHANNEL))

    def _keep(self, copy: Copy, reference: str, shown: str) -> bool:
        with self._database.write() as session:
            return copies.posted(session, copy, reference=reference, shown_status=shown, at=self._clock())

    def _forget(self, copy: Copy) -> None:
        with self._database.write() as session:
            copies.forget(session, copy)

    def _shows(self, copy: Copy, status: str) -> None:
        with self._database.write() as session:
            copies.shows(session, copy, status=status, at=self._clock())

    def _done(self, notification: Notification) -> None:
        with self._database.write() as session:
            outbox.mark_sent(session, notification, at=self._clock())

    def _failed(self, notification: Notification, retry_at: datetime, error: str) -> None:
        with self._database.write() as session:
            outbox.mark_failed(session, notification, retry_at=retry_at, error=error)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
