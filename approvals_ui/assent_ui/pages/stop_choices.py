"""What the stop control of a page offers: what the page is about first, everything last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assent.domain.pauses import Scope, ScopeKind
from assent.domain.scopes import read_scope
from assent.store.queries.agents import AgentView
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.runs import RunView

_WORDS = {
    ScopeKind.EVERYTHING: ("Everything", "Every agent, every run"),
    ScopeKind.AGENT: ("Agent", "All its runs"),
    ScopeKind.VERSION: ("Agent version", "What this version admits"),
    ScopeKind.CONNECTOR: ("System", "Every action on it, by any agent"),
    ScopeKind.TYPE: ("Action type", "By any agent"),
    ScopeKind.LABEL: ("Label", "Every run that carries it"),
    ScopeKind.RECORD: ("Record", "Every action on it, by any agent"),
    ScopeKind.RUN: ("Run", "This one alone"),
}


@dataclass(frozen=True, slots=True)
class StopChoice:
    """One scope that a page offers to stop.

    Attributes:
        scope: The scope.
        word: Its kind, as a heading.
        note: What it covers.
    """

    scope: Scope
    word: str
    note: str

    @property
    def value(self) -> str:
        """It as a form sends it."""
        return f"{self.scope.kind.value}:{self.scope.name}"


def choice(scope: Scope) -> StopChoice:
    """A scope as a choice."""
    return StopChoice(scope, *_WORDS[scope.kind])


def choices(context: Mapping[str, Any]) -> list[StopChoice]:
    """What a page's control offers: what the page says in ``stop_scopes``, else what it shows."""
    given = context.get("stop_scopes")
    scopes = list(given) if given is not None else [each for shown in context.values() for each in _scopes_of(shown)]
    scopes.append(Scope(kind=ScopeKind.EVERYTHING))
    return [choice(scope) for place, scope in enumerate(scopes) if scope not in scopes[:place]]


def read_choice(value: str) -> Scope:
    """A choice as a form sent it.

    Raises:
        InvalidInput: It is no scope.
    """
    kind, _, name = value.partition(":")
    return read_scope(kind, name)


def _scopes_of(shown: object) -> list[Scope]:
    match shown:
        case RunView():
            return [
                Scope(kind=ScopeKind.RUN, name=shown.run_id),
                Scope(kind=ScopeKind.AGENT, name=shown.agent),
            ]
        case ApprovalView():
            return [
                Scope(kind=ScopeKind.RUN, name=shown.run_id),
                Scope(kind=ScopeKind.TYPE, name=shown.type),
                Scope(kind=ScopeKind.AGENT, name=shown.agent),
            ]
        case AgentView():
            return [Scope(kind=ScopeKind.AGENT, name=shown.name)]
        case _:
            return []
