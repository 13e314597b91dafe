"""A database with a little of everything, for tests of what reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.orm import Session

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus, RequestCard
from assent.domain.people import SYSTEM, Actor, Via
from assent.domain.runs import RunStatus
from assent.store import cards, ledger
from assent.store.database import Database
from assent.store.tables import (
    ActionRow,
    ApprovalRow,
    PauseRow,
    ResourceRow,
    RollbackRow,
    RollbackStepRow,
    RunRow,
)

START = datetime(2030, 1, 1, tzinfo=UTC)
ANNA = Actor(id="anna", name="Anna", via=Via.WEB)
AGENTS = ["refunds", "support"]


def minute(number: float) -> datetime:
    """A time some minutes after :data:`START`."""
    return START + timedelta(minutes=number)


def fill(database: Database, *, runs: int = 60) -> None:
    """Two agents, runs in turn with two actions each, every third action with a pending request."""
    with database.write() as session:
        for name in AGENTS:
            cards.publish(
                session,
                agent=name,
                title=name.title(),
                source=f"name: {name}",
                card={"name": name, "purpose": "test"},
                catalogue={"shop.refund": {"title": "Refund"}},
                at=START,
                by=ANNA,
            )
        for number in range(runs):
            _run(session, number)
        for number in range(5):
            session.execute(insert(PauseRow).values(**_pause(number)))
            session.execute(insert(RollbackRow).values(**_rollback(number)))
        session.execute(insert(RollbackRow).values(**_rollback(9) | {"id": "preview-0", "status": "preview"}))
        for ordinal in range(3):
            step = {"action_id": f"run-0:a{ordinal}", "sentence": "Refund", "verdict": "yes"}
            session.execute(
                insert(RollbackStepRow).values(
                    rollback_id="rb-0", ordinal=ordinal, action_id=step["action_id"], step=step
                )
            )


def _run(session: Session, number: int) -> None:
    run_id, agent = f"run-{number}", AGENTS[number % 2]
    status = list(RunStatus)[number % len(RunStatus)]
    session.execute(
        insert(RunRow).values(
            run_id=run_id,
            agent=agent,
            goal=f"Goal {number}",
            received={"text": "hello"},
            status=status.value,
            started_by=Actor(id=agent, name=agent, via=Via.API).model_dump(mode="json"),
            # Pairs of runs start at the same moment, so that the order needs its second column.
            started_at=minute(number // 2),
            last_step="started",
            last_at=minute(number // 2),
            actions=2,
            message="",
        )
    )
    ledger.append(session, at=minute(number), kind="run.started", actor=SYSTEM, run_id=run_id, agent=agent)
    for key in ("a1", "a2"):
        _action(session, number, run_id, agent, key)


def _action(session: Session, number: int, run_id: str, agent: str, key: str) -> None:
    action_id = f"{run_id}:{key}"
    session.execute(
        insert(ActionRow).values(
            action_id=action_id,
            run_id=run_id,
            key=key,
            agent=agent,
            type="shop.refund",
            arguments={"order": "W1"},
            reason="They asked.",
            sentence="Refund order W1",
            status=ActionStatus.DONE.value,
            tier=1,
            reasons=[{"rule": "risk:money", "effect": "approve", "sentence": "It moves money."}],
            card_version=1,
            result=None,
            message="",
            proposed_at=minute(number),
        )
    )
    session.execute(
        insert(ResourceRow).values(
            resource=f"shop/orders/W{number % 3}", at=minute(number), action_id=action_id, undo=False
        )
    )
    for kind in ("action.proposed", "approval.decided", "effect.done"):
        ledger.append(
            session, at=minute(number), kind=kind, actor=ANNA, run_id=run_id, action_id=action_id, agent=agent
        )
    if number == 0:
        ledger.append(
            session, at=minute(0), kind="undo.done", actor=ANNA, run_id=run_id, action_id=action_id, agent=agent
        )
        session.execute(
            insert(ResourceRow).values(resource="shop/orders/W0", at=minute(500), action_id=action_id, undo=True)
        )
    status = list(ApprovalStatus)[number % len(ApprovalStatus)]
    session.execute(
        insert(ApprovalRow).values(
            id=f"ap-{number:04d}-{key}",
            action_id=action_id,
            run_id=run_id,
            agent=agent,
            type="shop.refund",
            digest="0" * 64,
            headline="Refund order W1",
            amount=45.0,
            card=RequestCard(
                headline="Refund order W1",
                agent=agent,
                run_id=run_id,
                action_type="shop.refund",
                action_title="Refund",
                arguments={"order": "W1"},
                undo="It cannot be undone.",
            ).model_dump(mode="json"),
            status=status.value,
            created_at=minute(number),
            # Later requests are due sooner.
            expires_at=minute(10_000 - number),
            decided_at=None if status is ApprovalStatus.PENDING else minute(number + 1),
            decision_reason="",
        )
    )


def _pause(number: int) -> dict[str, object]:
    kinds = [("everything", ""), ("agent", "refunds"), ("run", "run-1"), ("agent", "support"), ("run", "run-2")]
    kind, name = kinds[number]
    return {
        "id": f"pa-{number}",
        "scope_kind": kind,
        "scope_name": name,
        "active": number != 0,
        "cause": "test",
        "requested_by": ANNA.model_dump(mode="json"),
        "requested_at": minute(number),
        "fenced_at": minute(number),
        "in_flight": 0,
        "affected": 0,
        "resume_note": "",
    }


def _rollback(number: int) -> dict[str, object]:
    return {
        "id": f"rb-{number}",
        "scope_kind": "run",
        "scope_id": "run-0",
        "status": "done",
        "reason": "",
        "requested_by": ANNA.model_dump(mode="json"),
        "requested_at": minute(number),
    }
