"""What somebody may do with a rollback, for the faces that offer it; the doors check it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.assurance import of_actor
from assent.domain.people import Actor
from assent.domain.rollback_approval import RollbackRules
from assent.domain.rollback_scopes import RollbackScope
from assent.domain.voting import Electorate, why_not_approve, why_not_reject
from assent.gateway.undo_authority import why_not_in
from assent.policy.undoing import trusted
from assent.store import electorate


@dataclass(frozen=True, slots=True)
class MayUndo:
    """Why somebody may not, a sentence each; empty where they may.

    Attributes:
        why_not: Undo what is in the scope, hold it, deal with the rest.
        why_not_approve: Say yes to a rollback that awaits approval.
        why_not_reject: Say no to it.
    """

    why_not: str = ""
    why_not_approve: str = ""
    why_not_reject: str = ""


def may_do(
    session: Session,
    scope: RollbackScope,
    by: Actor,
    at: datetime,
    *,
    rules: RollbackRules | None = None,
    planned: Iterable[str] | None = None,
) -> MayUndo:
    """What somebody may do with a scope.

    Args:
        session: For people and cards.
        scope: What is or would be undone.
        by: Who.
        at: When.
        rules: Who must agree to its rollback, where that awaits approval.
        planned: Agents whose work its plan deals with; ``None`` where there is no plan yet.
    """
    why_not = "" if trusted(by) else why_not_in(session, scope, by, at, planned=planned)
    if rules is None or not rules.needed:
        return MayUndo(why_not)
    yes = [_word(session, each, by, at, approve=True) for each in rules.electorates]
    no = [_word(session, each, by, at, approve=False) for each in rules.electorates]
    return MayUndo(why_not, "" if "" in yes else yes[0], "" if "" in no else no[0])


def _word(session: Session, asked: Electorate, by: Actor, at: datetime, *, approve: bool) -> str:
    voter = electorate.voter(session, by.id, at, electorate=asked)
    if voter is None:
        return f"{by.name} is not known here."
    return (why_not_approve if approve else why_not_reject)(asked, voter, of_actor(by))
