"""Requests, the people who are asked, and what delivers their mails; no Temporal, a real database and mail server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from assent.domain.approvals import ApprovalStatus, Decision, RequestCard, Verb, approval_digest
from assent.domain.approving import ApprovalRules
from assent.domain.people import SYSTEM, Actor, Role, Via
from assent.domain.reaching import Reaching
from assent.domain.runs import RunHeader
from assent.reaching.mailer import Mailer
from assent.reaching.post import MailServer
from assent.store import approvals, outbox, people, reaching
from assent.store.database import Database
from assent.store.letters import MAIL
from assent.store.mail_links import MailLinks
from assent.store.outbox import Addressed, Notification
from assent.store.people import Person
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent.store.tables import ApprovalRow, OutboxRow
from tests.identity.house import ADDRESS, KEY, Clock
from tests.slack.office import card


@dataclass
class Bureau:
    """What a test touches."""

    database: Database
    clock: Clock
    channels: tuple[str, ...] = (MAIL,)
    numbers: list[int] = field(default_factory=lambda: [0])

    def person(self, name: str, *roles: Role, **chosen: Any) -> Person:
        """Somebody; an approver unless said otherwise."""
        with self.database.write() as session:
            person = people.add(
                session,
                email=f"{name.split()[0].strip(',').lower()}@example.com",
                name=name,
                roles=roles or (Role.APPROVER,),
                at=self.clock(),
                by=SYSTEM,
            )
            if chosen:
                reaching.choose(session, person, Reaching(**chosen), at=self.clock(), by=SYSTEM)
        return person

    def choose(self, person: Person, **chosen: Any) -> None:
        """Somebody chooses."""
        with self.database.write() as session:
            reaching.choose(session, person, Reaching(**chosen), at=self.clock(), by=SYSTEM)

    def ask(self, *, within: timedelta = timedelta(hours=8), rules: ApprovalRules | None = None, **shown: Any) -> str:
        """A new request."""
        self.numbers[0] += 1
        approval_id, made = f"ap-{self.numbers[0]}", card(**shown)
        digest = approval_digest(
            run_id="run-1",
            action_id=f"run-1:a{self.numbers[0]}",
            action_type=made.action_type,
            arguments=made.arguments,
            card_version=1,
            shown=made,
        )
        with self.database.write() as session:
            approvals.open_request(
                session,
                RunHeader(run_id="run-1", agent="refunds", goal="Help", started_by=SYSTEM, started_at=self.clock()),
                approval_id=approval_id,
                action_id=f"run-1:a{self.numbers[0]}",
                digest=digest,
                card=made,
                at=self.clock(),
                expires_at=self.clock() + within,
                channels=self.channels,
                rules=rules,
            )
        return approval_id

    def notify(self, kind: str, approval_id: str) -> None:
        """What a transaction leaves behind."""
        with self.database.write() as session:
            approvals.notify(session, self.channels, kind, approval_id, self.clock())

    def edit(self, approval_id: str) -> None:
        """Somebody edits it."""
        with self.database.write() as session:
            row = session.get(ApprovalRow, approval_id)
            assert row is not None
            shown = RequestCard.model_validate(row.card).model_copy(update={"headline": "Refund $25.00 only"})
            row.revision, row.headline, row.card = row.revision + 1, shown.headline, shown.model_dump(mode="json")
            approvals.notify(session, self.channels, approvals.CHANGED, approval_id, self.clock())

    def close(self, approval_id: str, by: Person, to: ApprovalStatus = ApprovalStatus.APPROVED) -> None:
        """Somebody decides it."""
        actor = Actor(id=by.id, name=by.name, via=Via.WEB)
        verb = Verb.APPROVE if to is ApprovalStatus.APPROVED else Verb.REJECT
        decision = Decision(
            id=f"d-{approval_id}",
            approval_id=approval_id,
            action_id="run-1:a1",
            digest="",
            verb=verb,
            reason="Seen.",
            by=actor,
            at=self.clock(),
        )
        with self.database.write() as session:
            approvals.record_decision(session, decision, counted=True)
            approvals.close_request(
                session,
                approval_id,
                to=to,
                decision=decision,
                message="",
                at=self.clock(),
                channels=self.channels,
            )

    def vote(self, approval_id: str, by: Person) -> None:
        """Somebody approves, and others are still needed."""
        actor = Actor(id=by.id, name=by.name, via=Via.WEB)
        decision = Decision(
            id=f"v-{approval_id}-{by.id}",
            approval_id=approval_id,
            action_id="run-1:a1",
            digest="",
            verb=Verb.APPROVE,
            by=actor,
            at=self.clock(),
        )
        with self.database.write() as session:
            approvals.record_decision(session, decision, counted=True)
            approvals.notify(session, self.channels, approvals.CHANGED, approval_id, self.clock())

    def mailer(self, server: MailServer, *, lifetime: timedelta = timedelta(hours=24), hourly: int = 0) -> Mailer:
        """What delivers."""
        return Mailer(
            server,
            self.database,
            MailLinks(KEY),
            public_url=ADDRESS,
            link_lifetime=lifetime,
            clock=self.clock,
            hourly=hourly,
        )

    def queue(self, channel: str = MAIL) -> list[Notification]:
        """What waits."""
        with self.database.read() as session:
            return list(outbox.queue(session, channel, request=PageRequest(MAX_LIMIT)).items)

    def letters(self, approval_id: str) -> list[Addressed]:
        """Every letter about a request."""
        with self.database.read() as session:
            return list(outbox.addressed(session, MAIL, approval_id))

    def rows(self) -> int:
        """How many rows the outbox has."""
        with self.database.read() as session:
            return session.execute(select(func.count()).select_from(OutboxRow)).scalar_one()


async def deliver(mailer: Mailer) -> None:
    """Deliver all that is due."""
    while await mailer.turn():
        pass


def at(clock: Clock, moment: datetime) -> None:
    """Make it that time."""
    clock.ahead = timedelta(0)
    clock.ahead = moment - clock()
