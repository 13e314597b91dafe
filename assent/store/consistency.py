"""Comparing the rows of effects, actions and decisions with the ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus
from assent.domain.effects import EffectStatus, UndoStatus
from assent.domain.tiers import Tier
from assent.store import claims
from assent.store.database import Database
from assent.store.tables import ActionRow, ApprovalRow, EffectRow, LedgerEventRow, UndoRow

_PAGE = 500
_MATCHING = {
    EffectStatus.CLAIMED: {ActionStatus.CLAIMED},
    EffectStatus.DONE: {ActionStatus.DONE, ActionStatus.UNDONE},
    EffectStatus.FAILED: {ActionStatus.FAILED},
    EffectStatus.UNKNOWN: {ActionStatus.UNKNOWN, ActionStatus.UNDONE},
}
_SHOWN = {"approval.requested", "approval.revised"}
_RETURNED = "grant.returned"
_COVERS = {"grant.used", "plan.used", _RETURNED}
_WITH_EFFECT = {ActionStatus.CLAIMED, ActionStatus.DONE, ActionStatus.UNKNOWN, ActionStatus.UNDONE}

Events = dict[str, list[LedgerEventRow]]


def statuses_of_run(database: Database, run_id: str) -> dict[str, ActionStatus]:
    """The status of every action of a run."""
    with database.read() as session:
        rows = session.execute(
            select(col(ActionRow.action_id), col(ActionRow.status)).where(col(ActionRow.run_id) == run_id)
        )
        return {row[0]: ActionStatus(row[1]) for row in rows.all()}


def compare(database: Database) -> tuple[int, list[tuple[str, str]]]:
    """Hold every action's rows against its ledger events.

    Returns:
        How many effects were compared, and each fault as action id and sentence.
    """
    effects = 0
    faults: list[tuple[str, str]] = []
    after = ""
    while True:
        with database.read() as session:
            actions = list(
                session.execute(
                    select(ActionRow)
                    .where(col(ActionRow.action_id) > after)
                    .order_by(col(ActionRow.action_id))
                    .limit(_PAGE)
                ).scalars()
            )
            ids = [action.action_id for action in actions]
            events = _events(session, ids)
            found = _by_action(session, EffectRow, ids)
            undos = _by_action(session, UndoRow, ids)
            asked = _by_action(session, ApprovalRow, ids)
        effects += len(found)
        for action in actions:
            key = action.action_id
            wrong = _compare_one(action, found.get(key), undos.get(key), asked.get(key), events[key])
            faults += [(key, what) for what in wrong]
        if len(actions) < _PAGE:
            return effects, faults
        after = ids[-1]


def _compare_one(
    action: ActionRow,
    effect: EffectRow | None,
    undo: UndoRow | None,
    asked: ApprovalRow | None,
    events: list[LedgerEventRow],
) -> Iterator[str]:
    status = ActionStatus(action.status)
    kinds = [event.kind for event in events]
    if "action.proposed" not in kinds:
        yield "has a row and no ledger event of its proposal"
    if effect is None:
        if status in _WITH_EFFECT:
            yield f"is {status} and has no effect"
    else:
        yield from _compare_effect(status, effect, events, kinds)
        if action.tier == Tier.APPROVE:
            yield from _unexplained(asked, kinds)
    if undo is not None and undo.status == UndoStatus.UNDONE and "undo.done" not in kinds:
        yield "is undone and the ledger does not say so"
    if status is ActionStatus.UNDONE and (undo is None or undo.status != UndoStatus.UNDONE):
        yield "is undone and nothing says how"
    decided = asked is not None and asked.status in (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED)
    if asked is not None and decided and "approval.decided" not in kinds:
        yield f"was {asked.status} and the ledger does not say by whom"
    shown = [event for event in events if event.kind in _SHOWN]
    if asked is not None and shown and json.loads(shown[-1].body).get("digest") != asked.digest:
        yield "has a request that shows something other than what the ledger says people were shown"


def _unexplained(asked: ApprovalRow | None, kinds: list[str]) -> Iterator[str]:
    """An effect that people must allow is allowed by their votes, by a standing grant or with its plan."""
    covered = [kind for kind in kinds if kind in _COVERS]
    if asked is not None and asked.status != ApprovalStatus.APPROVED:
        yield f"has an effect and its request is {asked.status}"
    elif asked is None and not covered:
        yield "has an effect that nobody allowed: no request, no grant, no approved plan"
    elif asked is None and covered[-1] == _RETURNED and not {"effect.failed", "effect.settled"} & set(kinds):
        yield "has an effect and what covered it was taken back"


def _compare_effect(
    status: ActionStatus, effect: EffectRow, events: list[LedgerEventRow], kinds: list[str]
) -> Iterator[str]:
    known = EffectStatus(effect.status)
    if status not in _MATCHING[known]:
        yield f"is {status} and its effect is {known}"
    if "effect.claimed" not in kinds:
        yield "has an effect and no ledger event of its claim"
    if effect.holder == claims.ATTESTED and "effect.settled" not in kinds:
        yield "has an effect that a person vouches for, and the ledger does not say who"
    outcomes = [event for event in events if _says(event, known)]
    if known is EffectStatus.CLAIMED:
        return
    if not outcomes:
        yield f"has an effect that is {known} and no ledger event of it"
    elif json.loads(outcomes[-1].body).get("changes", []) != effect.changes:
        yield "has an effect whose changes are not those in the ledger"


def _says(event: LedgerEventRow, known: EffectStatus) -> bool:
    """Whether an event says that an effect came to this: its own outcome, or what was found out later."""
    settled = event.kind == "effect.settled" and json.loads(event.body).get("status") == known.value
    return settled or event.kind == f"effect.{known.value}"


def _events(session: Session, ids: Sequence[str]) -> Events:
    events: Events = defaultdict(list)
    rows = session.execute(
        select(LedgerEventRow).where(col(LedgerEventRow.action_id).in_(ids)).order_by(col(LedgerEventRow.id))
    ).scalars()
    for row in rows.all():
        events[row.action_id].append(row)
    return events


def _by_action(session: Session, table: Any, ids: Sequence[str]) -> dict[str, Any]:
    rows = session.execute(select(table).where(col(table.action_id).in_(ids))).scalars()
    return {row.action_id: row for row in rows.all()}
