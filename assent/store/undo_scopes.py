"""Whether there is anything of the name that a rollback is of, and whose work it is."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import InvalidInput, NotFound
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.store.tables import ActionRow, CardVersionRow, EffectRow, IncidentRow, ResourceRow, RunRow


def require_scope(session: Session, scope: RollbackScope) -> None:
    """Refuse a scope of which nothing is known.

    Raises:
        NotFound: There is nothing of that name.
        InvalidInput: It is no name of a version.
    """
    match scope.kind:
        case RollbackScopeKind.ACTION:
            if session.get(ActionRow, scope.id) is None:
                raise NotFound(f"There is no action {scope.id}.", where="action")
        case RollbackScopeKind.RUN:
            if session.get(RunRow, scope.id) is None:
                raise NotFound(f"There is no run {scope.id}.", where="run")
        case RollbackScopeKind.VERSION:
            agent, _, version = scope.id.rpartition("@")
            if not agent or not version.isascii() or not version.isdecimal():
                raise InvalidInput(
                    f"{scope.id} is no version of an agent.", where="version", todo="It looks like refunds@3."
                )
            if len(version) > 9 or session.get(CardVersionRow, (agent, int(version))) is None:
                raise NotFound(
                    f"There is no version {version} of {agent}.",
                    where="version",
                    todo="`assent agent show` lists them.",
                )
        case RollbackScopeKind.AGENT:
            known = select(col(CardVersionRow.agent)).where(col(CardVersionRow.agent) == scope.id).limit(1)
            if session.execute(known).first() is None:
                raise NotFound(f"There is no agent {scope.id}.", where="agent", todo="`assent agent list` shows all.")
        case RollbackScopeKind.TYPE:
            done = select(col(EffectRow.type)).where(col(EffectRow.type) == scope.id, _finished).limit(1)
            if session.execute(done).first() is None:
                raise NotFound(f"No action of type {scope.id} was ever done.", where="type")
        case RollbackScopeKind.RECORD:
            touched = select(col(ResourceRow.resource)).where(col(ResourceRow.resource) == scope.id).limit(1)
            if session.execute(touched).first() is None:
                raise NotFound(
                    f"No agent ever touched {scope.id}.",
                    where="record",
                    todo="Find it by its table, id or customer first.",
                )
        case RollbackScopeKind.INCIDENT:
            if session.get(IncidentRow, scope.id) is None:
                raise NotFound(f"There is no incident {scope.id}.", where="incident")


def since_it_began(session: Session, scope: RollbackScope) -> RollbackScope:
    """A scope with its beginning: an incident's, where nobody gave another time, is when the incident began."""
    if scope.kind is not RollbackScopeKind.INCIDENT or scope.since is not None:
        return scope
    row = session.get(IncidentRow, scope.id)
    return scope if row is None else scope.model_copy(update={"since": row.began_at})


def agents_of(session: Session, scope: RollbackScope) -> list[str]:
    """The agents whose work is in scope, where its name says it; otherwise the plan finds them."""
    if scope.agent:
        return [scope.agent]
    if not scope.run_id:
        return []
    run = session.get(RunRow, scope.run_id)
    return [] if run is None else [run.agent]


_finished = col(EffectRow.finished_at).is_not(None)
