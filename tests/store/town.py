"""A database in which nothing is small any more, for tests of how it is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from assent.domain.people import Actor, Via
from assent.domain.quality import COUNTS
from assent.store.database import Database
from assent.store.tables import (
    AbsenceRow,
    AgentKeyRow,
    AgentRow,
    CardVersionRow,
    CheckRow,
    CommentRow,
    DecisionRow,
    DismissalRow,
    DrillRow,
    EditRow,
    EffectRow,
    GrantRow,
    GrantUseRow,
    GroupMemberRow,
    GroupRow,
    LedgerEventRow,
    LedgerLinkRow,
    MessageRow,
    OutboxRow,
    PauseClaimRow,
    PauseHoldRow,
    PauseRollbackRow,
    PauseRow,
    PersonRow,
    QualityDayRow,
    QualityKindRow,
    ReachingRow,
    ResourceRow,
    RevisionRow,
    RollbackRow,
    RollbackStepRow,
    RunLabelRow,
    SavedViewRow,
    UndoProofRow,
    UnknownEffectRow,
    WebhookRow,
)
from benchmarks import crowd

NOW = datetime(2030, 1, 1, tzinfo=UTC)
CARD = crowd.card_of(1, "agent-1", "refund", "run-1", 5.0).model_dump(mode="json")
ANNA: dict[str, Any] = Actor(id="person-7", name="Anna", via=Via.WEB).model_dump(mode="json")


def fill(database: Database, *, pending: int, others: int) -> None:
    """Requests with their runs, actions and words, and so many rows of everything else that pages list."""
    crowd.fill(database, pending=pending, decided=pending // 2, now=NOW)
    with database.write() as session:
        for table, make in _MAKERS.items():
            _many(session, table, [make(number) for number in range(others)])
    if not database.sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _many(session: Session, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), 1_000):
        session.execute(insert(table), rows[start : start + 1_000])


def _at(number: int) -> datetime:
    return NOW - timedelta(seconds=number)


def _person(number: int) -> dict[str, Any]:
    address = f"person.{number}@example.com"
    return {
        "id": f"person-{number}",
        "email": address,
        "mailbox": address,
        "name": f"Person {number}",
        "roles": ["approver"] if number % 3 else ["admin"],
        "disabled": False,
        "created_at": _at(number),
    }


def _agent(number: int) -> dict[str, Any]:
    return {"name": f"agent-{number}", "title": f"Agent {number}", "version": 1, "updated_at": _at(number)}


def _version(number: int) -> dict[str, Any]:
    return {
        "agent": f"agent-{number}",
        "version": 1,
        "digest": "0" * 64,
        "source": "",
        "card": {"name": f"agent-{number}"},
        "catalogue": {},
        "published_at": _at(number),
        "published_by": "Anna",
    }


def _event(number: int) -> dict[str, Any]:
    return {
        "at": _at(-number),
        "kind": ("approval.decided", "effect.done", "run.started", "action.proposed")[number % 4],
        "run_id": f"run-{number // 6}",
        "action_id": f"run-{number // 6}:a",
        "agent": f"agent-{number % crowd.AGENTS}",
        "actor": json.dumps(ANNA),
        "body": "{}",
    }


def _message(number: int) -> dict[str, Any]:
    return {
        "approval_id": f"ap-{number}",
        "channel": "slack" if number % 20 else "slack-digest",
        "place": f"T1/D{number % 40}",
        "reference": f"1.{number}",
        "shown_status": "pending",
        "shown_digest": "0" * 32,
        "posted_at": _at(number * 30),
        "updated_at": _at(number * 30),
    }


def _notification(number: int) -> dict[str, Any]:
    sent = bool(number % 5)
    return {
        "channel": ("slack", "mail")[number % 2],
        "kind": "approval.requested",
        "subject": f"ap-{number}",
        "created_at": _at(number),
        "due_at": _at(number),
        "attempts": 0,
        "sent": sent,
        "error": "",
    }


def _decision(number: int) -> dict[str, Any]:
    return {
        "id": f"d-{number}",
        "approval_id": f"ap-{number}",
        "action_id": f"run-{number}:a",
        "verb": "approve",
        "reason": "",
        "actor": ANNA,
        "at": _at(number),
        "counted": True,
        "why_not": "",
        "person": "person-7",
    }


def _comment(number: int) -> dict[str, Any]:
    return {
        "id": f"c-{number}",
        "approval_id": f"ap-{number // 3}",
        "run_id": f"run-{number // 3}",
        "kind": "comment",
        "by_agent": False,
        "author": ANNA,
        "text": "Seen.",
        "at": _at(number),
    }


def _grant(number: int) -> dict[str, Any]:
    return {
        "id": f"grant-{number}",
        "agent": f"agent-{number % crowd.AGENTS}",
        "type": "shop.refund",
        "terms": {
            "agent": f"agent-{number % crowd.AGENTS}",
            "action_type": "shop.refund",
            "uses": 5,
            "expires_at": (NOW + timedelta(days=3)).isoformat(),
        },
        "digest": "0" * 64,
        "electorates": [],
        "status": ("active", "revoked", "pending")[number % 3],
        "uses": 5,
        "used": number % 5,
        "expires_at": NOW + timedelta(days=3) if number % 2 else _at(number),
        "given_by": ANNA,
        "given_at": _at(number),
    }


def _use(number: int) -> dict[str, Any]:
    return {"grant_id": f"grant-{number // 4}", "action_id": f"run-{number}:a", "run_id": f"run-{number}", "at": _at(1)}


def _pause(number: int) -> dict[str, Any]:
    return {
        "id": f"pause-{number}",
        "scope_kind": "run",
        "scope_name": f"run-{number}",
        "active": not number % 500,
        "cause": "",
        "requested_by": ANNA,
        "requested_at": _at(number),
        "fenced_at": _at(number),
        "in_flight": 0,
        "affected": 0,
        "resume_note": "",
    }


def _drill(number: int) -> dict[str, Any]:
    agent = f"agent-{number % 40}"
    return {
        "id": f"drill-{number}",
        "agent": agent,
        "scratch": f"drill-of-{agent}-{number}",
        "status": "failed" if number % 9 == 0 else "passed",
        "scheduled": True,
        "requested_by": ANNA,
        "started_at": _at(number),
        "ended_at": _at(number),
        "pause_id": f"pause-{number}",
        "rollback_id": f"rollback-{number}",
        "terms": {},
        "figures": {},
        "steps": [],
        "reasons": [],
        "at_fence": [],
    }


def _effect(number: int) -> dict[str, Any]:
    claim = {"action_id": f"run-{number}:a", "run_id": f"run-{number}", "agent": "agent-3", "type": "shop.refund"}
    ended = {"status": "done", "holder": "h", "lease_until": _at(number), "changes": []}
    return {**claim, **ended, "claimed_at": _at(number), "finished_at": _at(number)}


def _unknown(number: int) -> dict[str, Any]:
    """Every seventh is open, every fiftieth is asked about again, every ninetieth answer was told to nobody yet."""
    claim = {"action_id": f"run-{number}:a", "run_id": f"run-{number}", "agent": f"agent-{number % 8}"}
    settled = None if number % 7 == 0 else _at(number)
    asked = {"look_at": _at(number) if number % 50 == 0 else None, "untold": bool(settled) and number % 90 == 1}
    times = {"found_at": _at(number), "tried_at": _at(number), "settled_at": settled}
    answer = {"was": "unknown", "now": "done", "happened": True, "how": "person", "settled_by": ANNA} if settled else {}
    same = {"was": "", "now": "", "happened": None, "how": "", "settled_by": None}
    return {**claim, "type": "shop.refund", **times, **asked, **same, **answer}


def _proof(number: int) -> dict[str, Any]:
    what = {"id": f"proof-{number}", "type": f"shop.type_{number % 50}", "worked": number % 9 > 0}
    return {**what, "at": _at(number), "how": "scratch", "by": ANNA}


def _under_way(number: int) -> dict[str, Any]:
    claim = {"action_id": f"run-{number}:a", "run_id": f"run-{number}", "agent": "agent-3", "type": "shop.refund"}
    return {"pause_id": f"pause-{number % 7}", **claim, "holder": "h", "since": _at(number)}


def _hold(number: int) -> dict[str, Any]:
    action = {"action_id": f"run-{number}:a", "run_id": f"run-{number}"}
    return {"pause_id": f"pause-{number % 7}", **action, "since": _at(number)}


def _compensation(number: int) -> dict[str, Any]:
    rollback = {"run_id": f"run-{number}", "rollback_id": f"rb-{number}"}
    return {"pause_id": f"pause-{number % 7}", **rollback, "started_at": _at(number)}


def _label(number: int) -> dict[str, Any]:
    return {"run_id": f"run-{number}", "label": f"label-{number % 50}"}


def _rollback(number: int) -> dict[str, Any]:
    return {
        "id": f"rb-{number}",
        "scope_kind": "run",
        "scope_id": f"run-{number}",
        "status": "done",
        "reason": "",
        "requested_by": ANNA,
        "requested_at": _at(number),
    }


def _step(number: int) -> dict[str, Any]:
    return {
        "rollback_id": f"rb-{number // 200}",
        "ordinal": number % 200,
        "action_id": f"run-{number}:a",
        "verdict": ("yes", "conflict", "no")[number % 3],
        "outcome": ("undone", "left", "open")[number % 3],
        "step": {"action_id": f"run-{number}:a", "sentence": "", "verdict": "yes"},
        "finished_at": _at(number),
    }


def _touch(number: int) -> dict[str, Any]:
    return {"resource": f"shop/orders/W{number // 3}", "at": _at(number), "action_id": f"run-{number}:a", "undo": False}


def _view(number: int) -> dict[str, Any]:
    return {
        "id": f"view-{number}",
        "person_id": f"person-{number // 20}",
        "name": f"View {number}",
        "query": "sort=amount",
        "created_at": _at(number),
    }


def _group(number: int) -> dict[str, Any]:
    return {"name": f"group-{number}", "title": "", "created_at": _at(number)}


def _member(number: int) -> dict[str, Any]:
    return {"group_name": f"group-{number // 5}", "person_id": f"person-{number}", "added_at": _at(number)}


def _key(number: int) -> dict[str, Any]:
    return {
        "id": f"key-{number}",
        "key_hash": f"{number:064x}",
        "agent": f"agent-{number // 3}",
        "name": "",
        "scopes": [],
        "created_at": _at(number),
    }


def _revision(number: int) -> dict[str, Any]:
    return {
        "approval_id": f"ap-{number // 2}",
        "revision": 1 + number % 2,
        "digest": "0" * 64,
        "card": CARD,
        "arguments": {},
        "card_version": 1,
        "reason": "",
        "at": _at(number),
    }


def _edit(number: int) -> dict[str, Any]:
    return {
        "id": f"e-{number}",
        "approval_id": f"ap-{number // 2}",
        "action_id": f"run-{number}:a",
        "digest": "0" * 64,
        "reason": "",
        "actor": ANNA,
        "at": _at(number),
        "why_not": "",
    }


def _absence(number: int) -> dict[str, Any]:
    return {
        "id": f"absence-{number}",
        "person_id": f"person-{number}",
        "delegate_id": f"person-{number + 1}",
        "starts_at": _at(number),
        "ends_at": NOW + timedelta(days=1),
        "note": "",
        "created_at": _at(number),
        "created_by": ANNA,
    }


def _check(number: int) -> dict[str, Any]:
    ended = number % 20
    return {
        "id": f"check-{number}",
        "person_id": f"person-{number % 100}",
        "agent": f"agent-{number % crowd.AGENTS}",
        "type": "shop.refund",
        "source_id": f"ap-{number}",
        "digest": "0" * 64,
        "headline": "Refund",
        "why": "",
        "card": CARD,
        "rules": {},
        "because": "Too much.",
        "status": "caught" if ended else "shown",
        "created_at": _at(number * 600),
        "expires_at": NOW + timedelta(days=1),
        "ended_at": _at(number) if ended else None,
        "reason": "",
    }


def _kind(number: int) -> dict[str, Any]:
    return {"agent": f"agent-{number // 4}", "type": f"shop.type_{number % 4}"}


def _day(number: int) -> dict[str, Any]:
    counts = dict.fromkeys(COUNTS, 3)
    kind = number // 90
    day = (NOW - timedelta(days=number % 90)).date().isoformat()
    return {**_kind(kind), "day": day, **counts, "decide": {"40": 3}, "look": {"30": 3}}


def _dismissal(number: int) -> dict[str, Any]:
    until = NOW + timedelta(days=1)
    return {**_kind(number), "suggestion": "freer", "until": until, "reason": "", "person": ANNA, "at": _at(number)}


def _link(number: int) -> dict[str, Any]:
    return {"seq": number + 1, "event_id": number + 1, "previous": "", "hash": ""}


def _reaching(number: int) -> dict[str, Any]:
    return {"person_id": f"person-{number}", "chosen": {"mail": bool(number % 2)}, "updated_at": _at(number)}


def _webhook(number: int) -> dict[str, Any]:
    return {
        "id": f"hook-{number}",
        "person_id": f"person-{number}" if number % 20 else "",
        "url": "https://example.com/",
        "sealed_secret": "",
        "created_at": _at(number),
        "created_by": ANNA,
    }


_MAKERS: dict[type[SQLModel], Callable[[int], dict[str, Any]]] = {
    UndoProofRow: _proof,
    UnknownEffectRow: _unknown,
    GroupRow: _group,
    GroupMemberRow: _member,
    AgentKeyRow: _key,
    RevisionRow: _revision,
    EditRow: _edit,
    AbsenceRow: _absence,
    PersonRow: _person,
    AgentRow: _agent,
    CardVersionRow: _version,
    LedgerEventRow: _event,
    OutboxRow: _notification,
    MessageRow: _message,
    DecisionRow: _decision,
    CommentRow: _comment,
    GrantRow: _grant,
    GrantUseRow: _use,
    PauseRow: _pause,
    DrillRow: _drill,
    EffectRow: _effect,
    PauseClaimRow: _under_way,
    PauseHoldRow: _hold,
    PauseRollbackRow: _compensation,
    RunLabelRow: _label,
    RollbackRow: _rollback,
    RollbackStepRow: _step,
    ResourceRow: _touch,
    SavedViewRow: _view,
    ReachingRow: _reaching,
    WebhookRow: _webhook,
    QualityKindRow: _kind,
    CheckRow: _check,
    QualityDayRow: _day,
    DismissalRow: _dismissal,
    LedgerLinkRow: _link,
}
