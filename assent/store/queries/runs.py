"""Runs and their actions, as lists and pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus, Reason
from assent.domain.canonical import Json
from assent.domain.catalogue import without_secrets
from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.domain.runs import RunStatus
from assent.domain.tiers import Tier
from assent.store.queries import timeline
from assent.store.queries.labels import labels_of
from assent.store.queries.paging import COUNT_CAP, FIRST, Order, Page, PageRequest, count_up_to
from assent.store.queries.scratch import not_of_drills
from assent.store.tables import ActionRow, AgentRow, ApprovalRow, CardVersionRow, RunRow


@dataclass(frozen=True, slots=True)
class RunView:
    """A run.

    Attributes:
        run_id: Its id, also of its workflow.
        agent: The agent's name.
        goal: What the agent was asked to do.
        received: What it was given to start with.
        status: Where the run is in its life.
        started_by: Who started it.
        started_at: When.
        ended_at: When it ended.
        last_step: The newest thing that happened, in words.
        last_at: When that was.
        actions: How many actions were proposed.
        message: How it ended, in words.
        labels: Words by which it can be paused.
    """

    run_id: str
    agent: str
    goal: str
    received: Json
    status: RunStatus
    started_by: Actor
    started_at: datetime
    ended_at: datetime | None
    last_step: str
    last_at: datetime
    actions: int
    message: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action of a run.

    Attributes:
        action_id: Run id and key, joined by a colon.
        run_id: The run.
        key: Its name within the run.
        agent: The agent that proposed it.
        type: Name of its action type.
        arguments: What it carries, declared secrets replaced.
        reason: Why, in the agent's own words.
        sentence: What it does, in words.
        status: Where it is in its life.
        tier: The tier it was admitted at; ``None`` before admission and for refused ones.
        reasons: Every reason of its admission.
        card_version: Version of the agent card that was applied; 0 before admission.
        result: The connector's answer.
        message: Why it failed, was refused, rejected or withdrawn.
        proposed_at: When it was proposed.
        settled_at: When nothing more was to happen to it.
        approval_id: The request that people decide, if there is one.
        instead_of: Key of the action that it was proposed in place of; empty if of none.
        edited_by: Who changed the arguments last; empty if they are the agent's own.
    """

    action_id: str
    run_id: str
    key: str
    agent: str
    type: str
    arguments: dict[str, Json]
    reason: str
    sentence: str
    status: ActionStatus
    tier: Tier | None
    reasons: tuple[Reason, ...]
    card_version: int
    result: Json
    message: str
    proposed_at: datetime
    settled_at: datetime | None
    approval_id: str | None
    instead_of: str = ""
    edited_by: str = ""


_RUNS = Order("runs", [col(RunRow.started_at), col(RunRow.run_id)])
_ACTIONS = Order("actions", [col(ActionRow.proposed_at), col(ActionRow.action_id)], descending=False)


def page(
    session: Session, *, agent: str | None = None, status: RunStatus | None = None, request: PageRequest = FIRST
) -> Page[RunView]:
    """Runs, newest first; those of drills only where their scratch agent is named."""
    rows = session.execute(_RUNS.window(_chosen(agent, status), request)).scalars().all()
    labels = labels_of(session, [row.run_id for row in rows])
    return _RUNS.page(rows, request, lambda row: _run_view(row, labels.get(row.run_id, ())))


def count(session: Session, *, agent: str | None = None, status: RunStatus | None = None, cap: int = COUNT_CAP) -> int:
    """How many runs there are, counting no further than ``cap``."""
    return count_up_to(session, _chosen(agent, status), cap)


def one(session: Session, run_id: str) -> RunView:
    """One run.

    Raises:
        NotFound: There is no such run.
    """
    row = session.get(RunRow, run_id)
    if row is None:
        raise NotFound(
            f"There is no run {run_id!r}.", where="run_id", todo="`assent run list` shows the runs there are."
        )
    return _run_view(row, labels_of(session, [run_id]).get(run_id, ()))


def actions(session: Session, run_id: str, *, request: PageRequest = FIRST) -> Page[ActionView]:
    """The actions of a run, in the order they were proposed."""
    wanted = _actions_and_approvals().where(col(ActionRow.run_id) == run_id)
    rows = session.execute(_ACTIONS.window(wanted, request)).all()
    shown = {row.action_id: approval_id for row, approval_id in rows}
    return _ACTIONS.page(
        [row for row, _ in rows], request, lambda row: _action_view(session, row, shown[row.action_id])
    )


def action(session: Session, action_id: str) -> ActionView:
    """One action.

    Raises:
        NotFound: There is no such action.
    """
    found = session.execute(_actions_and_approvals().where(col(ActionRow.action_id) == action_id)).first()
    if found is None:
        raise NotFound(
            f"There is no action {action_id!r}.",
            where="action_id",
            todo="An action's id is its run's id and its key, joined by a colon.",
        )
    return _action_view(session, *found)


def _chosen(agent: str | None, status: RunStatus | None) -> Select[RunRow]:
    statement = select(RunRow)
    if agent is not None:
        statement = statement.where(col(RunRow.agent) == agent)
    else:
        statement = statement.where(not_of_drills(col(RunRow.agent)))
    if status is not None:
        statement = statement.where(col(RunRow.status) == status.value)
    return statement


def _actions_and_approvals() -> Select[ActionRow, str]:
    return select(ActionRow, col(ApprovalRow.id)).join(
        ApprovalRow, col(ApprovalRow.action_id) == col(ActionRow.action_id), isouter=True
    )


def _run_view(row: RunRow, labels: tuple[str, ...]) -> RunView:
    return RunView(
        run_id=row.run_id,
        agent=row.agent,
        goal=row.goal,
        received=row.received,
        status=RunStatus(row.status),
        started_by=Actor.model_validate(row.started_by),
        started_at=row.started_at,
        ended_at=row.ended_at,
        last_step=row.last_step,
        last_at=row.last_at,
        actions=row.actions,
        message=row.message,
        labels=labels,
    )


def _action_view(session: Session, row: ActionRow, approval_id: str | None) -> ActionView:
    return ActionView(
        action_id=row.action_id,
        run_id=row.run_id,
        key=row.key,
        agent=row.agent,
        type=row.type,
        arguments=_without_secrets(session, row),
        reason=row.reason,
        sentence=row.sentence,
        status=ActionStatus(row.status),
        tier=None if row.tier is None else Tier(row.tier),
        reasons=tuple(Reason.model_validate(reason) for reason in row.reasons),
        card_version=row.card_version,
        result=row.result,
        message=row.message,
        proposed_at=row.proposed_at,
        settled_at=row.settled_at,
        approval_id=approval_id,
        instead_of=row.instead_of,
        edited_by=row.edited["by"]["name"] if row.edited else "",
    )


def _without_secrets(session: Session, row: ActionRow) -> dict[str, Json]:
    """An action's arguments as the card's catalogue lets people see them.

    A type that the card does not list is in no catalogue here, but the worker that refused the action knew what it
    declares, and wrote the arguments into the ledger accordingly.
    """
    version = row.card_version
    if not version:
        agent = session.get(AgentRow, row.agent)
        version = agent.version if agent else 0
    published = session.get(CardVersionRow, (row.agent, version))
    declared = published.catalogue.get(row.type) if published else None
    if declared is not None:
        return without_secrets(row.arguments, declared.get("secrets", ()))
    proposed = (event.body.get("arguments") for event in timeline.of_action(session, row.action_id, limit=1))
    return next((written for written in proposed if isinstance(written, dict)), row.arguments)
