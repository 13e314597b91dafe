"""Make every copy of a request true: in channels, in direct messages, and the notes in the threads under them.

Exactly one copy in a place: the intention to post is committed before the post, and the post carries the request's id
as metadata. A process that dies in between leaves an intention without a reference; whoever takes over looks for the
message in the place's history before it posts again. Two that post at the same moment, because one of them stalled for
longer than its lease, find out when they keep the reference: the later one deletes its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from slack_sdk.errors import SlackApiError

from assent.domain.clock import Clock
from assent.store import copies, direct_digests
from assent.store.copies import Copy
from assent.store.database import Database
from assent_slack.blocks.pieces import Message
from assent_slack.pacing import Held
from assent_slack.posting import (
    ALREADY_POSTED,
    DELETED,
    UNREACHABLE_PERSON,
    UNREADABLE_HISTORY,
    Place,
    Posting,
    Slip,
    is_certain,
)
from assent_slack.telling import FAILURES, why
from assent_slack.workspaces import Workspace

CHANNEL = "slack"
"""The way of copies in ``messages``."""

NOTES = "slack-note"
"""The way of notes in ``messages``."""

UNKNOWN = "unknown"
"""What a copy shows that was found again."""

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The time for a notification is over; somebody else may be at it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A place, and what the copy in it has to show.

    Attributes:
        workspace: Whose token.
        place: Where.
        message: What.
        status: The status of the request that it shows.
        personal: It is the direct messages with one person.
        way: The way it is kept under in ``messages``.
    """

    workspace: Workspace
    place: Place
    message: Message
    status: str
    personal: bool
    way: str = CHANNEL

    @property
    def digest(self) -> str:
        """What tells this content from another."""
        return digest_of(self.message)


def digest_of(message: Message) -> str:
    """What tells a message's content from another's."""
    said = json.dumps([message.text, message.blocks], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


@dataclass
class Delivery:
    """Posts and updates, each at most once.

    Attributes:
        posting: Calls to Slack.
        database: Where copies are.
        clock: The time.
        hourly: Requests that one person gets as direct messages within an hour at most; 0 for any number.
    """

    posting: Posting
    database: Database
    clock: Clock
    hourly: int = 0
    _tried: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    """When something was last tried of which it is not known whether it was posted."""

    async def make_true(self, approval_id: str, target: Target, lease: Callable[[], None]) -> str:
        """Post the copy in a place if it is not there, or update it if it shows something else.

        Args:
            approval_id: The request.
            target: Where and what.
            lease: Raises ``LeaseLost`` if there is no time left for a call.

        Returns:
            What finds the copy; empty if it is gone, cannot be made, or is kept back because too many came at once.

        Raises:
            Held: Its time has not come.
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known whether Slack has it.
        """
        most = self.hourly if target.personal and target.way == CHANNEL else 0
        copy, fresh = await asyncio.to_thread(self._intend, target.way, approval_id, target.place.name, most)
        try:
            if copy.shown_status == "":
                slip = Slip(approval_id)
                copy = await self._posted(copy, fresh, target, slip, target.message, target.status, lease)
            if copy.shown_status in (copies.GONE, copies.KEPT_BACK) or not copy.reference:
                return ""
            if copy.shown_digest != target.digest:
                lease()
                there = await self.posting.update(target.workspace, target.place, copy.reference, target.message)
                await asyncio.to_thread(self._shows, copy, target.status if there else copies.GONE, target.digest)
                return copy.reference if there else ""
        except SlackApiError as error:
            if target.personal and why(error) in UNREACHABLE_PERSON:
                log.warning("A direct message in %s is let go: %s", target.place.name, why(error))
                await asyncio.to_thread(self._shows, copy, copies.GONE, "")
                return ""
            raise self._trouble(target, error) from error
        return copy.reference

    async def note(
        self,
        approval_id: str,
        target: Target,
        thread: str,
        key: str,
        message: Message,
        lease: Callable[[], None],
        *,
        aloud: bool = False,
    ) -> None:
        """Post a note in the thread under a copy, once.

        Raises:
            Held: Its time has not come.
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known whether Slack has it.
        """
        copy, fresh = await asyncio.to_thread(self._intend, NOTES, approval_id, f"{target.place.name}/{key}")
        if copy.reference or copy.shown_status:
            return
        slip = Slip(approval_id, key, thread, aloud)
        try:
            await self._posted(copy, fresh, target, slip, message, "noted", lease)
        except SlackApiError as error:
            if why(error) in DELETED or (target.personal and why(error) in UNREACHABLE_PERSON):
                await asyncio.to_thread(self._shows, copy, copies.GONE, "")
                return
            raise self._trouble(target, error) from error

    def _trouble(self, target: Target, error: SlackApiError) -> Exception:
        """What Slack refused for certain is the trouble of this place, not of the workspace."""
        if not is_certain(error):
            return error
        return self.posting.pacer.failed((target.workspace.team_id, target.place.channel_id), why(error))

    async def _posted(
        self,
        copy: Copy,
        fresh: bool,
        target: Target,
        slip: Slip,
        message: Message,
        status: str,
        lease: Callable[[], None],
    ) -> Copy:
        reference = None if fresh else await self._find(copy, target, slip, lease)
        # A copy that was found shows nobody knows what; it is updated next.
        shown, digest = UNKNOWN, ""
        if reference is None:
            lease()
            reference, found = await self._post(copy, fresh, target, slip, message, lease)
            shown, digest = (UNKNOWN, "") if found else (status, digest_of(message))
        self._tried.pop(_key(copy), None)
        if not await asyncio.to_thread(self._keep, copy, reference, shown, digest):
            log.warning("Removing a second copy of %s in %s", copy.approval_id, target.place.name)
            await self.posting.remove(target.workspace, target.place, reference)
        return await asyncio.to_thread(self._known, copy)

    async def _post(
        self, copy: Copy, fresh: bool, target: Target, slip: Slip, message: Message, lease: Callable[[], None]
    ) -> tuple[str, bool]:
        """Post; gives what finds it, and whether it was there already."""
        try:
            return await self.posting.post(target.workspace, target.place, slip, message), False
        except Held:
            if fresh:
                await asyncio.to_thread(self._forget, copy)
            raise
        except FAILURES as error:
            self._tried[_key(copy)] = self.clock()
            if why(error) == ALREADY_POSTED and (found := await self._find(copy, target, slip, lease)):
                return found, True
            if fresh and is_certain(error):
                await asyncio.to_thread(self._forget, copy)
            raise

    async def _find(self, copy: Copy, target: Target, slip: Slip, lease: Callable[[], None]) -> str | None:
        lease()
        tried = self._tried.setdefault(_key(copy), self.clock())
        try:
            return await self.posting.find(target.workspace, target.place, slip, since=copy.posted_at, after=tried)
        except SlackApiError as error:
            if why(error) not in UNREADABLE_HISTORY | DELETED:
                raise
            # A request that nobody sees is worse than one that is seen twice.
            log.warning("Cannot look whether %s was posted (%s): posting it again", copy.approval_id, why(error))
            return None

    # What follows runs in threads: the database's sessions are synchronous.

    def _intend(self, channel: str, approval_id: str, place: str, most: int = 0) -> tuple[Copy, bool]:
        """The copy, and whether nothing was ever posted for it; ``most`` new ones an hour, 0 for any number."""
        with self.database.read() as session:
            known = copies.one(session, approval_id, channel=channel, place=place)
        if known is not None and known.shown_status != copies.KEPT_BACK:
            return known, False
        with self.database.write() as session:
            if most:
                return direct_digests.intend(session, approval_id, place=place, most=most, at=self.clock())
            return copies.intend(session, approval_id, channel=channel, place=place, at=self.clock())

    def _keep(self, copy: Copy, reference: str, shown: str, digest: str) -> bool:
        at = self.clock()
        with self.database.write() as session:
            return copies.posted(session, copy, reference=reference, shown_status=shown, digest=digest, at=at)

    def _known(self, copy: Copy) -> Copy:
        with self.database.read() as session:
            known = copies.one(session, copy.approval_id, channel=copy.channel, place=copy.place)
        assert known is not None
        return known

    def _forget(self, copy: Copy) -> None:
        with self.database.write() as session:
            copies.forget(session, copy)

    def _shows(self, copy: Copy, status: str, digest: str) -> None:
        with self.database.write() as session:
            copies.shows(session, copy, status=status, digest=digest, at=self.clock())


def _key(copy: Copy) -> tuple[str, str, str]:
    return copy.approval_id, copy.channel, copy.place
