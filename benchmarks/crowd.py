"""A database with as many waiting requests as one likes, filled without running anything."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from assent.domain.actions import AdmissionEffect, Reason
from assent.domain.approvals import ApprovalStatus, RequestCard
from assent.domain.effects import ResourceChange
from assent.domain.people import Actor, Via
from assent.domain.search_words import words_of_request
from assent.store import statements
from assent.store.database import Database
from assent.store.tables import ActionRow, ApprovalRow, ApprovalWordRow, AskedRow, RunRow

AGENTS = 8
VERBS = ("refund", "cancel", "exchange", "rename", "credit")
TOKENS = ("role:approver", "group:finance", "group:sre")
_BATCH = 2_000


def fill(database: Database, *, pending: int, decided: int, now: datetime | None = None) -> None:
    """Add requests of :data:`AGENTS` agents and as many types as :data:`VERBS`, each with its run and action."""
    at = now or datetime.now(UTC)
    for start in range(0, pending + decided, _BATCH):
        numbers = range(start, min(start + _BATCH, pending + decided))
        with database.write() as session:
            _insert(session, numbers, pending, at)
    if not database.sqlite:
        # As PostgreSQL does by itself after a while; SQLite has to do without.
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _insert(session: Session, numbers: range, pending: int, now: datetime) -> None:
    made = [_request(number, waits=number < pending, now=now) for number in numbers]
    for table, name in ((RunRow, "run"), (ActionRow, "action"), (ApprovalRow, "approval"), (AskedRow, "asked")):
        statements.run(session, insert(statements.table_of(table)), [each[name] for each in made])
    words = [word for each in made for word in each["words"]]
    statements.run(session, insert(statements.table_of(ApprovalWordRow)), words)


def _request(number: int, *, waits: bool, now: datetime) -> dict[str, Any]:
    noise = int(hashlib.sha256(str(number).encode()).hexdigest()[:12], 16)
    agent, verb = f"agent-{number % AGENTS}", VERBS[noise % len(VERBS)]
    run_id, id = f"run-{noise:012x}", f"ap-{noise:016x}"
    created = now - timedelta(seconds=30 + noise % 400_000)
    due = now + timedelta(seconds=600 + (noise // 7) % 500_000)
    amount = None if verb == "rename" else round((noise // 11) % 100_000 / 100, 2)
    card = card_of(number, agent, verb, run_id, amount)
    status = ApprovalStatus.PENDING if waits else list(ApprovalStatus)[1 + number % 4]
    asked = {"agent": agent, "type": card.action_type, "amount": amount, "created_at": created}
    return {
        "run": _run(run_id, agent, created, waits),
        "action": _action(run_id, agent, card, created, waits),
        "approval": {
            "id": id,
            "action_id": f"{run_id}:a",
            "run_id": run_id,
            "digest": f"{noise:064x}",
            "revision": 1,
            "headline": card.headline,
            "card": card.model_dump(mode="json"),
            "status": status.value,
            "expires_at": due,
            "decided_at": None if waits else created + timedelta(minutes=5),
            "decision_reason": "",
            "why": card.stopped_because[0].sentence,
            "requester": agent,
            **asked,
        },
        "asked": {
            "approval_id": id,
            "token": TOKENS[noise % 4 % len(TOKENS)],
            "for_person": "",
            "pending": waits,
            "why": "card",
            "due_at": due,
            "asked_at": created,
            **asked,
        },
        "words": [
            {"word": word, "created_at": created, "approval_id": id}
            for word in words_of_request(card.headline, [card.changes[0].resource], also=(id, run_id))
        ],
    }


def card_of(number: int, agent: str, verb: str, run_id: str, amount: float | None) -> RequestCard:
    """What people are shown of a request."""
    money = "" if amount is None else f" ${amount:,.2f} to the card ending {number % 10_000:04d}"
    headline = f"{verb.capitalize()}{money} for order W{number:07d}"
    return RequestCard(
        headline=headline,
        agent=agent,
        agent_title="Answers customers of the shop",
        run_id=run_id,
        goal="The customer writes that the parcel never came.",
        action_type=f"shop.{verb}",
        action_title=verb.capitalize(),
        arguments={"order": f"W{number:07d}", "amount": amount, "reason": "It never arrived, says the carrier."},
        changes=[ResourceChange(resource=f"shop/orders/W{number:07d}", before={"paid": 1}, after={"paid": 0})],
        stopped_because=[Reason(rule="risk:money", effect=AdmissionEffect.APPROVE, sentence="It moves money.")],
        undo="It cannot be undone.",
        agent_words="The carrier confirmed that the parcel is lost, so the customer gets the money back.",
        amount=amount,
    )


def _run(run_id: str, agent: str, at: datetime, waits: bool) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "agent": agent,
        "goal": "The customer writes that the parcel never came.",
        "status": "waiting" if waits else "completed",
        "started_by": Actor(id=agent, name=agent, via=Via.API).model_dump(mode="json"),
        "started_at": at,
        "last_step": "",
        "last_at": at,
        "actions": 1,
        "message": "",
    }


def _action(run_id: str, agent: str, card: RequestCard, at: datetime, waits: bool) -> dict[str, Any]:
    return {
        "action_id": f"{run_id}:a",
        "run_id": run_id,
        "key": "a",
        "agent": agent,
        "type": card.action_type,
        "arguments": card.arguments,
        "reason": card.agent_words,
        "sentence": card.headline,
        "status": "awaiting" if waits else "done",
        "tier": 1,
        "reasons": [],
        "card_version": 1,
        "message": "",
        "proposed_at": at,
    }
