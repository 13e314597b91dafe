"""Who hears of a rollback: the contacts of the agents, when it waits for approval and when something is left of it."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from sqlalchemy.orm import Session

from assent.domain.money import money_text
from assent.domain.rollbacks import RollbackStatus
from assent.domain.words import counted
from assent.policy.cards import AgentCard
from assent.store import cards, undos, waking
from assent.store.queries import rollbacks
from assent.store.queries.rollbacks import RollbackView
from assent.store.waking import Woken
from assent_activities.dependencies import Dependencies

_MOST_AGENTS = 20
"""Agents whose contacts are told; a rollback of more is told to those of the first ones."""

_MOST = 400
"""Characters of a reason that are told; the page has all of it."""

_NOBODY = Woken("whoever operates this installation")


def tell(session: Session, dependencies: Dependencies, rollback_id: str, *, at: datetime) -> None:
    """Tell, once, that a rollback waits for approval or left something, in the transaction that makes it so."""
    found = rollbacks.header(session, rollback_id)
    if found.status is RollbackStatus.AWAITING:
        headline, told, once = _awaiting(found)
    elif found.status is RollbackStatus.NEEDS_PERSON:
        headline, told, once = _rest(session, found)
    else:
        return
    waking.wake(
        session,
        _contacts(session, found),
        dependencies.channels,
        id=f"{rollback_id}-{once}",
        subject=rollback_id,
        headline=headline,
        text="\n".join(told),
        path=f"/rollbacks/{quote(rollback_id, safe='')}",
        at=at,
    )


def _awaiting(found: RollbackView) -> tuple[str, list[str], str]:
    told = [f"{_whole(found)} Nothing is undone before {found.needs} agreed.", *_because(found)]
    return "A rollback waits for approval", told, f"awaiting-{found.round}"


def _rest(session: Session, found: RollbackView) -> tuple[str, list[str], str]:
    counts = undos.tally(session, found.id)
    told = [
        f"{found.scope.sentence[:1].upper()}{found.scope.sentence[1:]}: {counted(counts.undone, 'effect')} undone, "
        f"{counts.left:,} left. Each says why, and what a person does.",
        *([f"Because: {_short(found.reason)}"] if found.reason else []),
    ]
    return "A rollback left something for a person", told, f"rest-{found.round}"


def _whole(found: RollbackView) -> str:
    sums = (money_text(sum, currency) for currency, sum in sorted(found.totals.money.items()))
    money = " and ".join(each for each in sums if each)
    back = f", {money}" if money else ""
    what = f"{counted(found.totals.to_undo, 'effect')}{back}, of {found.scope.sentence}"
    return f"{found.requested_by.name} wants to undo {what}."


def _because(found: RollbackView) -> list[str]:
    rules = found.rules.because if found.rules else []
    return [*rules, *([f"Reason: {_short(found.reason)}"] if found.reason else [])]


def _contacts(session: Session, found: RollbackView) -> list[Woken]:
    """The escalation contacts of the agents whose work it takes back, each once; without any, the channel alone."""
    names = sorted(found.totals.by_agent) or ([found.scope.agent] if found.scope.agent else [])
    contacts: dict[tuple[str, str], Woken] = {}
    for name in names[:_MOST_AGENTS]:
        version = cards.version_in_force(session, name)
        read = None if version is None else cards.read_version(session, name, version)
        if read is not None:
            contact = AgentCard.model_validate(read.card).escalation
            contacts[contact.email, contact.slack] = Woken(contact.name, contact.email, contact.slack)
    return list(contacts.values()) or [_NOBODY]


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]}… ({len(text):,} characters in all)"
