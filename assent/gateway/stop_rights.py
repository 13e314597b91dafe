"""Who may stop, and who may let go on, as the cards concerned say it.

Where several agents are concerned, one card that lets somebody pause is enough, and all of them must let somebody
resume: doubt stops.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError
from sqlalchemy.orm import Session

from assent.domain.errors import Forbidden
from assent.domain.pauses import Disposition, Scope, ScopeKind
from assent.domain.people import Actor, Role, Via, mailbox_of
from assent.policy.approval_block import ON_CALL
from assent.policy.approving import tokens
from assent.policy.cards import AgentCard
from assent.policy.stopping_block import PAUSE_BY, RESUME_BY, StoppingBlock
from assent.store import cards, electorate
from assent.store.tables import RunRow


@dataclass(frozen=True, slots=True)
class StopRules:
    """What the cards concerned say about a scope.

    Attributes:
        pause: Tokens of those who may pause, by card.
        resume: Tokens of those who may resume, by card.
        second: A second person must agree to a resume.
        ramp: How long each step of a resume waits at most.
    """

    pause: tuple[frozenset[str], ...]
    resume: tuple[frozenset[str], ...]
    second: bool
    ramp: timedelta


def rules_for(session: Session, scope: Scope) -> StopRules:
    """The rules of a scope: of the agent that it is about, else of every agent that it may hold."""
    usual = (frozenset(PAUSE_BY), frozenset(RESUME_BY), StoppingBlock())
    found = [_of_card(card) if card else usual for card in _cards(session, scope)] or [usual]
    return StopRules(
        pause=tuple(each[0] for each in found),
        resume=tuple(each[1] for each in found),
        second=any(each[2].second for each in found),
        ramp=max(each[2].ramp for each in found),
    )


def may_pause(session: Session, person: Actor, rules: StopRules, at: datetime) -> bool:
    """Whether somebody may pause; whoever has the console or is the system may."""
    theirs = _tokens(session, person, at)
    return theirs is None or any(theirs & those for those in rules.pause)


def may_resume(session: Session, person: Actor, rules: StopRules, at: datetime) -> bool:
    """Whether somebody may resume; whoever has the console or is the system may."""
    theirs = _tokens(session, person, at)
    return theirs is None or all(theirs & those for those in rules.resume)


def require_pause(session: Session, person: Actor, rules: StopRules, at: datetime) -> None:
    """Refuse somebody who may not pause.

    Raises:
        Forbidden: They may not.
    """
    if not may_pause(session, person, rules, at):
        raise Forbidden(
            f"{person.name} may not pause this.",
            where="pause",
            todo="Ask somebody who may: the block `stopping` of the agent's card says who.",
        )


def require_resume(session: Session, person: Actor, rules: StopRules, at: datetime, *, to: str = "resume") -> None:
    """Refuse somebody who may not resume.

    Raises:
        Forbidden: They may not.
    """
    if not may_resume(session, person, rules, at):
        raise Forbidden(
            f"{person.name} may not {to} this.",
            where="pause",
            todo="Ask somebody who may: the block `stopping` of the agent's card says who.",
        )


def refuse_alone(rules: StopRules) -> None:
    """Refuse to let go what a pause held without a resume, where a second person must agree to one.

    Raises:
        Forbidden: One must.
    """
    if rules.second:
        raise Forbidden(
            "A second person must agree before anything held goes on, so nobody lets it drain alone.",
            where="disposition",
            todo="Resume it, and let somebody else agree.",
        )


def refuse_hurry(rules: StopRules) -> None:
    """Refuse to let all the rest go now, where two people agreed to let it go step by step.

    Raises:
        Forbidden: They did.
    """
    if rules.second:
        raise Forbidden(
            "Two people agreed that it goes on step by step, so nobody lets all the rest go alone.",
            where="at_once",
            todo="Wait for the last step. Where it falls back and holds again, ask to resume it all at once, and let "
            "somebody else agree.",
        )


def require_disposition(session: Session, person: Actor, disposition: Disposition, at: datetime) -> None:
    """Refuse somebody who may not choose what rolls back.

    Raises:
        Forbidden: They may not.
    """
    theirs = _tokens(session, person, at)
    if disposition is Disposition.COMPENSATE and theirs is not None and f"role:{Role.OPERATOR.value}" not in theirs:
        raise Forbidden(
            f"{person.name} may not have runs rolled back.",
            where="disposition",
            todo="Pause with freeze now; an operator can change it to compensate.",
        )


def is_same_person(session: Session, one: Actor, other: Actor, at: datetime) -> bool:
    """Whether two actors are one person, by their ids or by their mailbox."""
    if one.id == other.id:
        return True
    mailboxes = [electorate.mailbox(session, each.id) for each in (one, other)]
    return bool(mailboxes[0]) and mailboxes[0] == mailboxes[1]


def _tokens(session: Session, person: Actor, at: datetime) -> frozenset[str] | None:
    """What somebody counts as; ``None`` for the console and the system, who may everything."""
    voter = electorate.voter(session, person.id, at)
    if voter is None:
        return None if person.via in (Via.CLI, Via.SYSTEM) else frozenset()
    return voter.own.tokens if voter.enabled else frozenset()


def _cards(session: Session, scope: Scope) -> list[AgentCard | None]:
    agent = scope.agent
    if scope.kind is ScopeKind.RUN:
        row = session.get(RunRow, scope.name)
        agent = row.agent if row else ""
    found = [_read(each) for each in cards.all_in_force(session, agent) if _concerns(each, scope)]
    return found


def _read(found: cards.CardVersion) -> AgentCard | None:
    """A card; ``None`` for one that this version cannot read, which must not keep anybody from stopping."""
    try:
        return AgentCard.model_validate(found.card)
    except ValidationError:
        return None


def _concerns(found: cards.CardVersion, scope: Scope) -> bool:
    if scope.kind is ScopeKind.TYPE:
        return scope.name in found.catalogue
    if scope.kind is ScopeKind.CONNECTOR:
        return any(name.startswith(f"{scope.name}.") for name in found.catalogue)
    return True


def _of_card(card: AgentCard) -> tuple[frozenset[str], frozenset[str], StoppingBlock]:
    block = card.stopping or StoppingBlock()
    return _people(card, block.pause), _people(card, block.resume), block


def _people(card: AgentCard, expressions: list[str]) -> frozenset[str]:
    named = {tokens(card, each).token for each in expressions if each != ON_CALL}
    on_call = card.on_call if ON_CALL in expressions else ()
    return frozenset(named | {f"mail:{mailbox_of(address)}" for address in on_call})
