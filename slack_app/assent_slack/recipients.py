"""Where the copies of a request belong: a channel of each workspace, and the direct messages of whoever is asked."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from slack_sdk.errors import SlackApiError

from assent.domain.clock import Clock
from assent.domain.errors import Unavailable
from assent.store import copies, direct_digests, people, slack_people
from assent.store.database import Database
from assent.store.people import Person
from assent.store.slack_people import SlackUser
from assent_slack.blocks.controls import CHANNEL as IN_CHANNEL
from assent_slack.blocks.controls import Face, controls
from assent_slack.blocks.request import request_message
from assent_slack.delivery import CHANNEL, Target
from assent_slack.links import Links
from assent_slack.pacing import EVERYTHING, Held
from assent_slack.people import People, may_stop
from assent_slack.posting import UNREACHABLE_PERSON, Place, Posting
from assent_slack.standing import Standing
from assent_slack.telling import FAILURES, why
from assent_slack.workspaces import Workspace, Workspaces

LOOK_AGAIN_SECONDS = 600.0
"""How long somebody counts as unknown to Slack before they are looked for again by their address."""

LOOKING = "users_lookupByEmail"
"""The method that finds people by their address."""

log = logging.getLogger(__name__)


@dataclass
class Recipients:
    """Says where copies belong.

    Attributes:
        workspaces: Where the app is installed.
        people: Who somebody in Slack is.
        posting: Calls to Slack.
        database: Where links and copies are.
        links: Where the web pages are.
        clock: The time.
    """

    workspaces: Workspaces
    people: People
    posting: Posting
    database: Database
    links: Links
    clock: Clock
    _unknown: dict[tuple[str, str], float] = field(default_factory=dict)

    async def targets(self, stands: Standing) -> tuple[list[Target], list[Exception]]:
        """Every place of a request, channels first, and why some could not be found out now.

        A seeded check has but one: the direct messages with whoever is shown it.
        """
        channels = await self._channels(stands) if stands.check is None else []
        found = [self._target(stands, workspace, place, IN_CHANNEL) for workspace, place in channels]
        failures: list[Exception] = []
        direct, users = await asyncio.to_thread(self._known_direct, stands)
        for person in stands.asked if stands.pending else ():
            if any(user.person_id == person.id for user, _, _ in direct):
                continue
            try:
                reached = await self._reach(person, [user for user in users if user.person_id == person.id])
            except (Held, *FAILURES) as error:
                failures.append(error)
                continue
            if reached is not None:
                direct.append((reached[0], reached[1], person))
        for user, place, whom in direct:
            workspace = self._workspace(user)
            if workspace is not None:
                face = Face(user.person_id, stands.asks(user.person_id), may_stop(whom))
                found.append(self._target(stands, workspace, place, face))
        return found, failures

    def stale(self, stands: Standing) -> None:
        """Note that what tells somebody of all that waits for them shows something old: the app's page, the digest."""
        whom = {person.id for person in stands.asked} | {vote.by.id for vote in stands.votes}
        whom |= {stands.check.person_id} if stands.check else set()
        direct, at = [place for place in self._copies(stands, kept_back=True) if place.personal], self.clock()
        with self.database.read() as session:
            users = slack_people.in_conversations(session, [place.channel_id for place in direct])
            whom |= {user.person_id for user in users}
            homes = slack_people.any_home(session, whom)
            digests = direct_digests.living(session, [place.name for place in direct], at)
        if not homes and not digests:
            return
        with self.database.write() as session:
            slack_people.stale_homes(session, whom)
            for digest in digests:
                direct_digests.refresh(session, digest, at)

    async def _channels(self, stands: Standing) -> list[tuple[Workspace, Place]]:
        """The channels that are set now, and those where a copy was posted before another one was set."""
        found = {Place(one.team_id, one.channel_id): one for one in self.workspaces if one.channel_id}
        for place in await asyncio.to_thread(self._channel_copies, stands):
            workspace = self.workspaces.get(place.team_id)
            if workspace is not None:
                found.setdefault(place, workspace)
            else:
                log.warning("The copy of %s in %s is in a workspace that is not installed", stands.view.id, place.name)
        return [(workspace, place) for place, workspace in found.items()]

    async def _reach(self, person: Person, users: Iterable[SlackUser]) -> tuple[SlackUser, Place] | None:
        """Where direct messages with somebody are; ``None`` if they want none or are not in Slack."""
        user = next((user for user in users if self._workspace(user) is not None), None)
        user = user or await self._look_for(person)
        if user is None or not user.direct:
            return None
        workspace = self._workspace(user)
        assert workspace is not None
        if user.conversation:
            return user, Place(workspace.team_id, user.conversation)
        try:
            conversation = await self.posting.conversation(workspace, user.user_id)
        except SlackApiError as error:
            if why(error) in UNREACHABLE_PERSON:
                log.warning("%s cannot be reached by direct message: %s", user.name, why(error))
                return None
            raise
        await asyncio.to_thread(self._keep, user, conversation)
        return user, Place(workspace.team_id, conversation)

    async def _look_for(self, person: Person) -> SlackUser | None:
        """Somebody who is not linked yet, by their address."""
        for workspace in self.workspaces:
            key = (workspace.team_id, person.id)
            if time.monotonic() - self._unknown.get(key, float("-inf")) < LOOK_AGAIN_SECONDS:
                continue
            self.posting.pacer.check((workspace.team_id, EVERYTHING), (workspace.team_id, LOOKING))
            try:
                user = await self.people.of_person(person, workspace)
            except Unavailable as error:
                raise self.posting.pacer.failed((workspace.team_id, LOOKING), error.what) from error
            self.posting.pacer.worked((workspace.team_id, LOOKING))
            if user is not None:
                return user
            self._unknown[key] = time.monotonic()
        return None

    def _workspace(self, user: SlackUser) -> Workspace | None:
        return self.workspaces.get(user.team_id or self.workspaces.home)

    def _target(self, stands: Standing, workspace: Workspace, place: Place, face: Face) -> Target:
        message = request_message(stands.view, self.links, controls(stands, face, self.links), stands.check)
        return Target(workspace, place, message, stands.view.status.value, personal=bool(face.person_id))

    # What follows runs in threads: the database's sessions are synchronous.

    def _known_direct(self, stands: Standing) -> tuple[list[tuple[SlackUser, Place, Person]], list[SlackUser]]:
        """Direct messages that have a copy, with whom they are, and every link of whoever is asked."""
        with self.database.read() as session:
            places = self._direct_copies(stands)
            found = []
            for user in slack_people.in_conversations(session, places):
                person = people.one(session, user.person_id)
                if person is not None:
                    found.append((user, Place(user.team_id or self.workspaces.home, user.conversation), person))
            return found, list(slack_people.users_of(session, [person.id for person in stands.asked]))

    def _direct_copies(self, stands: Standing) -> list[str]:
        """Ids of direct messages that have a copy."""
        return [place.channel_id for place in self._copies(stands) if place.personal]

    def _channel_copies(self, stands: Standing) -> list[Place]:
        return [place for place in self._copies(stands) if not place.personal]

    def _copies(self, stands: Standing, *, kept_back: bool = False) -> list[Place]:
        """Where copies are, or were kept back."""
        without = (copies.GONE,) if kept_back else (copies.GONE, copies.KEPT_BACK)
        with self.database.read() as session:
            known = copies.of_request(session, stands.view.id, channel=CHANNEL)
        return [Place.named(copy.place) for copy in known if copy.shown_status not in without]

    def _keep(self, user: SlackUser, conversation: str) -> None:
        with self.database.write() as session:
            slack_people.keep_conversation(session, user, conversation)
