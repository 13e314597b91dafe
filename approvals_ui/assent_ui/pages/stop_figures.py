"""What a pause would hold, in figures, before anybody stops."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from assent.domain.errors import NotFound
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.runs import RunStatus
from assent.domain.words import counted
from assent.gateway.stop_scopes import require_scope
from assent.store.queries import approvals, runs, stop_figures
from assent.store.queries.paging import COUNT_CAP

_OPEN = [status for status in RunStatus if not status.ended]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a pause would hold.

    Attributes:
        lines: A word and a figure each.
        runs: The open runs in words, for the button; empty where nobody counted them.
        missing: Why there is nothing to stop; empty if there is.
    """

    lines: tuple[tuple[str, str], ...] = ()
    runs: str = ""
    missing: str = ""


def figures(session: Session, scope: Scope) -> Figures:
    """What a pause of a scope would hold.

    Raises:
        InvalidInput: The scope is not written right.
    """
    try:
        require_scope(session, scope)
    except NotFound as error:
        return Figures(missing=f"{error.what} {error.todo}".strip())
    match scope.kind:
        case ScopeKind.RUN:
            return _of_run(session, scope.name)
        case ScopeKind.EVERYTHING | ScopeKind.AGENT:
            return _of_agent(session, scope.name or None)
        case ScopeKind.LABEL:
            count = stop_figures.labelled_runs(session, scope.name)
            return Figures((("Runs under way", _capped(count)), _waiting(session, scope)), _runs(count))
        case _:
            under_way = stop_figures.effects_under_way(session, scope)
            return Figures((_waiting(session, scope), ("Effects under way, which end", f"{under_way:,}")))


def _of_run(session: Session, run_id: str) -> Figures:
    found = runs.one(session, run_id)
    waiting = sum(item.status.value == "pending" for item in approvals.of_run(session, run_id))
    return Figures((("Its status", found.status.value), ("Requests that would wait", str(waiting))))


def _of_agent(session: Session, agent: str | None) -> Figures:
    counts = [runs.count(session, agent=agent, status=status) for status in _OPEN]
    count = COUNT_CAP if max(counts) >= COUNT_CAP else sum(counts)
    waiting = approvals.count_pending(session, agent=agent)
    return Figures((("Runs under way", _capped(count)), ("Requests that would wait", f"{waiting:,}")), _runs(count))


def _waiting(session: Session, scope: Scope) -> tuple[str, str]:
    return "Requests that would wait", _capped(stop_figures.requests_waiting(session, scope))


def _runs(count: int) -> str:
    if not count:
        return "no run is under way"
    return counted(count, "run") if count < COUNT_CAP else f"{COUNT_CAP:,}+ runs"


def _capped(count: int) -> str:
    return f"{count:,}" if count < COUNT_CAP else f"{COUNT_CAP:,}+"
