"""Whether what somebody wants to pause is there, so that nobody believes in a stop that stops nothing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from assent.domain.errors import InvalidInput, NotFound
from assent.domain.labels import MAX_LABEL
from assent.domain.pauses import Scope, ScopeKind
from assent.store import cards
from assent.store.tables import RunRow


def require_scope(session: Session, scope: Scope) -> None:
    """Refuse a scope that is not written right, or names what is not there.

    A label or a record may be paused before the first run has to do with it.

    Raises:
        InvalidInput: The name is missing, or too much, or not as such names are.
        NotFound: There is no such agent, version, run, action type or connector.
    """
    if (scope.kind is ScopeKind.EVERYTHING) != (scope.name == ""):
        raise InvalidInput(
            "Everything has no name, and whatever else is paused has one.",
            where="scope.name",
            todo="Give a name, or leave it out.",
        )
    if "\0" in scope.name:
        raise InvalidInput("The name holds what is no character.", where="scope.name", todo="Send valid Unicode text.")
    match scope.kind:
        case ScopeKind.AGENT:
            _require_agent(session, scope.name)
        case ScopeKind.VERSION:
            _require_version(session, scope)
        case ScopeKind.RUN:
            if session.get(RunRow, scope.name) is None:
                raise NotFound(
                    f"There is no run {scope.name}.", where="run", todo="`assent run list` shows the newest."
                )
        case ScopeKind.TYPE | ScopeKind.CONNECTOR:
            _require_type(session, scope)
        case ScopeKind.LABEL:
            if len(scope.name) > MAX_LABEL or scope.name != scope.name.strip():
                raise InvalidInput(f"A label has at most {MAX_LABEL} characters, no space around it.", where="label")
        case _:
            pass


def _require_agent(session: Session, agent: str) -> None:
    if cards.version_in_force(session, agent) is None:
        raise NotFound(
            f"There is no agent {agent}.",
            where="agent",
            todo="Publish its card with `assent agent publish FILE`; `assent agent list` shows all.",
        )


def _require_version(session: Session, scope: Scope) -> None:
    agent, at, number = scope.name.rpartition("@")
    if not at or not number.isascii() or not number.isdecimal() or str(int(number)) != number:
        raise InvalidInput(
            f"{scope.name!r} is no version of an agent.", where="scope.name", todo="Write it like refunds@3."
        )
    _require_agent(session, agent)
    if len(number) > 9 or cards.read_version(session, agent, int(number)) is None:
        raise NotFound(
            f"The agent {agent} has no version {number}.", where="version", todo="`assent agent show` shows the newest."
        )


def _require_type(session: Session, scope: Scope) -> None:
    known = cards.types_known(session)
    if scope.kind is ScopeKind.TYPE and scope.name not in known:
        raise NotFound(
            f"No agent's card has the action type {scope.name}.",
            where="type",
            todo="`assent agent show` lists the types of an agent.",
        )
    if scope.kind is ScopeKind.CONNECTOR and scope.name not in {name.partition(".")[0] for name in known}:
        raise NotFound(
            f"No agent's card has an action type of the connector {scope.name}.",
            where="connector",
            todo="A connector is the first part of its types' names: shop of shop.refund.",
        )
