"""The whole of Slack's side for a test: a fake Slack, the real app and notifier, a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from pydantic import BaseModel
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from assent.domain.actions import AdmissionEffect, Reason
from assent.domain.approvals import ApprovalStatus, Decision, RequestCard, Verb, approval_digest
from assent.domain.approving import ApprovalRules
from assent.domain.effects import ResourceChange
from assent.domain.people import Actor, Role, Via
from assent.domain.revisions import Edit
from assent.domain.runs import RunHeader
from assent.gateway import Gateway
from assent.store import approvals, electorate, people, revisions, slack_people
from assent.store.database import Database
from assent.store.refusals import Refusals
from assent.store.sealing import Sealer
from assent.store.slack_people import How, identity
from assent.store.slack_tickets import Tickets
from assent.store.tables import ApprovalRow, DecisionRow, LedgerEventRow, OutboxRow, PersonRow
from assent_slack import socket_mode, web
from assent_slack.accounts import Accounts
from assent_slack.app import build_app
from assent_slack.dependencies import Dependencies
from assent_slack.homes import Homes
from assent_slack.installations import SEALED_FOR, InstallationStore, StateStore
from assent_slack.installing import InstallFlow
from assent_slack.links import Links
from assent_slack.notifier import Notifier
from assent_slack.pacing import Pacer
from assent_slack.people import People as SlackPeople
from assent_slack.posting import Place, Posting
from assent_slack.recipients import Recipients
from assent_slack.workspaces import Workspaces, identify
from tests.slack.fake_blocks import reading
from tests.slack.fake_requests import People
from tests.slack.fake_slack import FakeSlack
from tests.slack.fake_state import Message, User

PAGES = "https://assent.example.com"
KEY = "the secret key of the tests, long enough"
AGENT = Actor(id="refunds", name="refunds", via=Via.API)


def card(**changes: Any) -> RequestCard:
    """What an approver is shown of an ordinary request."""
    usual: dict[str, Any] = {
        "headline": "Refund $45.00 to the card ending 4242 for order W123",
        "agent": "refunds",
        "run_id": "run-1",
        "goal": "Answer the customer's complaint",
        "action_type": "shop.refund",
        "action_title": "Refund an order",
        "arguments": {"order": "W123", "amount": 45},
        "changes": [ResourceChange(resource="shop/orders/W123", before={"paid": 45}, after={"paid": 0})],
        "stopped_because": [Reason(rule="risk:money", effect=AdmissionEffect.APPROVE, sentence="It moves money.")],
        "undo": "Charge the card again, within 30 days.",
        "agent_words": "The parcel never arrived.",
        "amount": 45.0,
        "on_silence": "then it is rejected",
    }
    return RequestCard.model_validate(usual | changes)


class DecidesAtOnce(Gateway):
    """The real gateway with all its checks; in place of Temporal, a run that takes every decision at once."""

    def __init__(self, database: Database) -> None:
        super().__init__(None, database, channels=["slack"])
        self.sent: list[Decision] = []
        self.edits: list[Edit] = []
        self.gate: asyncio.Event | None = None
        self.refuses = ""

    async def _signal(self, workflow_id: str, name: str, message: BaseModel, gone: str) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(message, Decision):
            self.sent.append(message)
            await asyncio.to_thread(self._take, message)
        if isinstance(message, Edit):
            self.edits.append(message)
            await asyncio.to_thread(self._revise, message)

    def _revise(self, edit: Edit) -> None:
        """Take an edit as a run does, without admission."""
        with self._database.write() as session:
            row = session.get(ApprovalRow, edit.approval_id)
            assert row is not None
            shown = RequestCard.model_validate(row.card)
            shown = shown.model_copy(update={"arguments": edit.arguments, "revision": row.revision + 1})
            row.revision, row.digest, row.card = shown.revision, "e" * 64, shown.model_dump(mode="json")
            for decision in session.query(DecisionRow):
                decision.lapsed, decision.why_lapsed = True, "The arguments were edited."
            revisions.write(
                session,
                approval_id=row.id,
                digest=row.digest,
                card=shown,
                arguments=edit.arguments,
                card_version=1,
                at=edit.at,
                edited_by=edit.by,
                reason=edit.reason,
            )
            revisions.record_edit(session, edit, revision=row.revision)
            approvals.notify(session, ["slack"], approvals.CHANGED, row.id, edit.at)

    def _take(self, decision: Decision) -> None:
        with self._database.write() as session:
            request = approvals.request(session, decision.approval_id)
            assert request is not None
            counts = request.status is ApprovalStatus.PENDING and not self.refuses
            why_not = self.refuses or "It was already settled."
            fresh = approvals.record_decision(session, decision, counted=counts, why_not="" if counts else why_not)
            if fresh and counts and not self._is_enough(session, decision):
                approvals.notify(session, ["slack"], approvals.CHANGED, decision.approval_id, decision.at)
            elif fresh and counts:
                to = ApprovalStatus.APPROVED if decision.verb is Verb.APPROVE else ApprovalStatus.REJECTED
                approvals.close_request(
                    session,
                    decision.approval_id,
                    to=to,
                    decision=decision,
                    message="",
                    at=decision.at,
                    channels=["slack"],
                )

    def _is_enough(self, session: Session, decision: Decision) -> bool:
        """Whether a vote ends a request; here, by number alone."""
        row = session.get(ApprovalRow, decision.approval_id)
        assert row is not None
        votes = [vote for vote in session.query(DecisionRow) if vote.approval_id == row.id and vote.counted]
        if decision.verb is Verb.WITHDRAW:
            for vote in votes:
                if vote.person == decision.by.id and vote.verb == Verb.APPROVE:
                    vote.lapsed, vote.why_lapsed = True, "It was taken back."
            return False
        needed = sum(need.count for need in electorate.rules_of(row).electorate.needs)
        approved = [vote for vote in votes if vote.verb == Verb.APPROVE and not vote.lapsed]
        return decision.verb is Verb.REJECT or len(approved) >= needed


@dataclass
class Office:
    """What a test touches."""

    slack: FakeSlack
    database: Database
    gateway: DecidesAtOnce
    deps: Dependencies
    client: AsyncWebClient
    notifier: Notifier
    people: People
    posting: Posting
    place: Place
    workspaces: Workspaces
    install: InstallFlow
    tickets: Tickets
    numbers: list[int] = field(default_factory=lambda: [0])

    def now(self) -> datetime:
        """The time everywhere in the test."""
        return datetime.fromtimestamp(self.slack.clock.now(), UTC)

    def person(self, name: str, *roles: Role, linked: bool = True, slack_user: str | None = None) -> User:
        """Somebody with an account in Slack and one in Assent, usually linked."""
        user = self.slack.user(name, email=f"{name.lower()}@example.com")
        with self.database.write() as session:
            row = PersonRow(
                id=name.lower(),
                email=user.email,
                name=name,
                roles=[role.value for role in roles],
                created_at=self.now(),
            )
            session.add(row)
            session.flush()
            team, _, known = (slack_user or identity(user.team_id, user.id)).rpartition("/")
            if linked:
                person = people.person_of(row)
                slack_people.link(
                    session, person, team_id=team, user_id=known, how=How.COMMAND, at=self.now(), by=AGENT
                )
        return user

    def approver(self, name: str = "Ann") -> User:
        """Somebody who may decide."""
        return self.person(name, Role.APPROVER)

    def refusals(self) -> list[str]:
        """Why Slack requests were refused, as the ledger has it."""
        with self.database.read() as session:
            return [json.loads(row.body)["why"] for row in session.query(LedgerEventRow) if row.kind == "slack.refused"]

    def ask(self, *, rules: ApprovalRules | None = None, **changes: Any) -> str:
        """A new request, as a run makes it; gives its id."""
        self.numbers[0] += 1
        number = self.numbers[0]
        shown, approval_id = card(**changes), f"ap-{number:016x}"
        digest = approval_digest(
            run_id="run-1",
            action_id=f"run-1:a{number}",
            action_type=shown.action_type,
            arguments=shown.arguments,
            card_version=1,
            shown=shown,
        )
        header = RunHeader(run_id="run-1", agent=shown.agent, started_by=AGENT, started_at=self.now())
        with self.database.write() as session:
            approvals.open_request(
                session,
                header,
                approval_id=approval_id,
                action_id=f"run-1:a{number}",
                digest=digest,
                card=shown,
                at=self.now(),
                expires_at=self.now() + timedelta(hours=1),
                channels=["slack"],
                rules=rules,
            )
            revisions.write(
                session,
                approval_id=approval_id,
                digest=digest,
                card=shown,
                arguments=shown.arguments,
                card_version=1,
                at=self.now(),
            )
        return approval_id

    def close(self, approval_id: str, to: ApprovalStatus, message: str = "") -> None:
        """End a request without a person, as a run does when its time is over."""
        with self.database.write() as session:
            approvals.close_request(
                session, approval_id, to=to, decision=None, message=message, at=self.now(), channels=["slack"]
            )

    async def deliver(self) -> int:
        """Let the notifier do everything that is due now; gives how much that was."""
        done = 0
        while await self.notifier.turn():
            done += 1
        while await self.deps.homes.turn():
            pass
        return done

    async def wait(self, seconds: float) -> None:
        """Let time pass for everybody, and the notifier work."""
        self.slack.clock.advance(seconds)
        await self.deliver()

    async def posted(self, *, rules: ApprovalRules | None = None, **changes: Any) -> tuple[str, Message]:
        """A new request and the message that shows it in the channel."""
        approval_id = self.ask(rules=rules, **changes)
        await self.deliver()
        return approval_id, self.slack.messages[-1]

    async def settled(self) -> None:
        """Wait until everything that clicks began is over, and the notifier too."""
        assert await self.deps.work.drain(60) == 0
        await self.deliver()

    def told(self, user: User) -> str:
        """The last thing that somebody alone was told."""
        return reading([whisper for whisper in self.slack.whispers if whisper.user == user.id][-1].message["blocks"])

    def status(self, approval_id: str) -> ApprovalStatus:
        """What became of a request."""
        with self.database.read() as session:
            request = approvals.request(session, approval_id)
        assert request is not None
        return request.status

    def undelivered(self) -> list[OutboxRow]:
        """What is still in the outbox."""
        with self.database.read() as session:
            return [row for row in session.query(OutboxRow) if not row.sent]

    def another_notifier(self, workspaces: Workspaces | None = None) -> Notifier:
        """A second process at the same work."""
        posting = Posting(self.client, Pacer(self.now, lambda: 0.0), self.now)
        return self.notifier_with(posting, workspaces or self.workspaces)

    def notifier_with(self, posting: Posting, workspaces: Workspaces, hourly: int = 0) -> Notifier:
        """A notifier that makes these calls, so many direct messages to each person an hour."""
        recipients = Recipients(workspaces, self.deps.people, posting, self.database, self.deps.links, self.now)
        homes = Homes(posting, workspaces, self.database, self.deps.links, self.now)
        return Notifier(posting, recipients, homes, self.database, self.deps.links, self.now, hourly=hourly)


@asynccontextmanager
async def make_office(
    slack: FakeSlack, database: Database, *, way: str, patience_seconds: float = 60.0
) -> AsyncIterator[Office]:
    """Start the app against a fake Slack.

    Args:
        slack: It runs.
        database: It is migrated.
        way: How requests come in, ``http`` or ``socket``.
        patience_seconds: How long a submitted edit waits for what is wrong with it.
    """
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        client = AsyncWebClient(
            token=slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[], proxy=""
        )
        workspace = replace(await identify(client), channel_id=slack.channel.id)
        gateway, place = DecidesAtOnce(database), Place(slack.team_id, slack.channel.id)

        def now() -> datetime:
            return datetime.fromtimestamp(slack.clock.now(), UTC)

        tickets = Tickets(KEY)
        installations = InstallationStore(database, Sealer(KEY, SEALED_FOR), now)
        workspaces = Workspaces(workspace, installations.workspaces)
        known = SlackPeople(database, workspaces, Accounts(client), now)
        posting, links = Posting(client, Pacer(now, lambda: 0.0), now), Links(PAGES)
        deps = Dependencies(
            gateway=gateway,
            database=database,
            workspaces=workspaces,
            people=known,
            homes=Homes(posting, workspaces, database, links, now),
            posting=posting,
            links=links,
            tickets=tickets,
            installations=installations,
            refusals=Refusals(database, now),
            clock=now,
            verdict_patience_seconds=1,
            answer_patience_seconds=patience_seconds,
        )
        recipients = Recipients(workspaces, known, posting, database, links, now)
        notifier = Notifier(posting, recipients, deps.homes, database, links, now)
        install = InstallFlow(
            client,
            client_id=slack.client_id,
            client_secret=slack.client_secret,
            public_url=PAGES,
            installations=installations,
            states=StateStore(database, tickets, now),
            workspaces=workspaces,
        )
        everybody = People(slack)
        office = Office(
            slack, database, gateway, deps, client, notifier, everybody, posting, place, workspaces, install, tickets
        )
        app = build_app(deps, client=client, signing_secret=slack.signing_secret)
        if way == "http":
            async with web.serving(
                app,
                signing_secret=slack.signing_secret,
                host="127.0.0.1",
                port=0,
                install=install,
                refused=deps.refused,
            ) as port:
                everybody.app_url = f"http://127.0.0.1:{port}{web.PATH}"
                yield office
                await deps.work.drain(30)
            return
        async with socket_mode.listening(app, client=client, app_token=slack.app_token, ping_seconds=0.2):
            await slack.connected.wait()
            yield office
            await deps.work.drain(30)
