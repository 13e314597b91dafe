"""What is known of an incident, counted from the rows of its effects."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.effects import EffectStatus
from assent.domain.incidents import IncidentFacts, PartKind
from assent.policy.sentences import currency_of_call
from assent.store import cards
from assent.store.queries import incident_times, incidents
from assent.store.queries.incident_times import Done
from assent.store.queries.incidents import IncidentView
from assent.store.queries.paging import COUNT_CAP
from assent.store.queries.pauses import PauseView
from assent.store.tables import ActionRow

_BATCH = 500


def facts_of(
    session: Session, incident: IncidentView, *, pauses: Sequence[PauseView], done: Sequence[Done], more: bool
) -> IncidentFacts:
    """Everything that texts about an incident say.

    Args:
        session: To read with.
        incident: The incident.
        pauses: Its pauses.
        done: Its effects, as :func:`~assent.store.queries.incident_times.effects` gives them.
        more: There are more effects than these.
    """
    happened = [each for each in done if each.status is EffectStatus.DONE or each.undone_at is not None]
    back = [each for each in happened if each.undone_at is not None]
    prices = _prices(session, happened)
    return IncidentFacts(
        title=incident.title,
        severity=incident.severity,
        state=incident.state,
        began_at=incident.began_at,
        noticed_at=incident.noticed_at,
        stopped_at=incident.stopped_at,
        mended_at=incident.mended_at,
        commander=incident.commander,
        agents=sorted({each.agent for each in done}),
        runs=len(incidents.refs(session, incident.id, PartKind.RUN, limit=COUNT_CAP)),
        records=len(incidents.refs(session, incident.id, PartKind.RECORD, limit=COUNT_CAP)),
        effects=len(happened),
        undone=len(back),
        unknown=sum(each.status is EffectStatus.UNKNOWN and each.undone_at is None for each in done),
        more=more,
        moved=_sums(prices, happened),
        returned=_sums(prices, back),
        holding=[pause.scope.sentence for pause in pauses if pause.active],
    )


def known_of(session: Session, incident_id: str) -> IncidentFacts:
    """The facts of an incident.

    Raises:
        NotFound: There is no such incident.
    """
    incident = incidents.one(session, incident_id)
    done, more = incident_times.effects(session, incident)
    return facts_of(session, incident, pauses=incident_times.pauses_of(session, incident_id), done=done, more=more)


def _prices(session: Session, done: Sequence[Done]) -> dict[str, tuple[str, float]]:
    """Currency and amount of each action that moves money, as its type declared it when it was admitted."""
    found: dict[str, tuple[str, float]] = {}
    types: dict[tuple[str, int, str], ActionType | None] = {}
    for start in range(0, len(done), _BATCH):
        ids = [each.action_id for each in done[start : start + _BATCH]]
        statement = select(
            col(ActionRow.action_id),
            col(ActionRow.agent),
            col(ActionRow.card_version),
            col(ActionRow.type),
            col(ActionRow.arguments),
        ).where(col(ActionRow.action_id).in_(ids))
        for action_id, agent, version, name, arguments in session.execute(statement):
            key = (agent, version, name)
            if key not in types:
                types[key] = _declared(session, *key)
            price = _price(types[key], arguments)
            if price is not None:
                found[action_id] = price
    return found


def _declared(session: Session, agent: str, version: int, name: str) -> ActionType | None:
    published = cards.read_version(session, agent, version)
    declared = published.catalogue.get(name) if published else None
    return None if declared is None else ActionType.model_validate(declared)


def _price(type: ActionType | None, arguments: dict[str, Any]) -> tuple[str, float] | None:
    if type is None or type.amount is None:
        return None
    amount: Json = arguments.get(type.amount)
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        return None
    return currency_of_call(type, arguments), float(amount)


def _sums(prices: dict[str, tuple[str, float]], done: Iterable[Done]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for each in done:
        if each.action_id in prices:
            code, amount = prices[each.action_id]
            total[code] += amount  # type: ignore[assignment]
    return {code: round(amount, 4) for code, amount in total.items()}
