"""What is known of an incident, counted from the rows of its effects."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from assent.store.queries.incident_times import Controls, Done
from assent.store.queries.incidents import IncidentView
from assent.store.queries.paging import COUNT_CAP
from assent.store.tables import ActionRow

_BATCH = 500


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """What is known of an incident at a moment.

    Attributes:
        incident: The incident.
        done: Its effects, at most as many as are counted one by one.
        controls: Its pauses and rollbacks.
        facts: Everything that texts about it say.
    """

    incident: IncidentView
    done: Sequence[Done]
    controls: Controls
    facts: IncidentFacts


def known_of(session: Session, incident_id: str) -> KnownIncident:
    """What is known of an incident: its effects, what was done about it, and the facts that follow from both.

    Raises:
        NotFound: There is no such incident.
    """
    incident = incidents.one(session, incident_id)
    done, more = incident_times.effects(session, incident)
    controls = incident_times.controls_of(session, incident)
    return KnownIncident(incident, done, controls, _facts(session, incident, done, controls, more=more))


def _facts(
    session: Session, incident: IncidentView, done: Sequence[Done], controls: Controls, *, more: bool
) -> IncidentFacts:
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
        holding=[pause.scope.sentence for pause in controls.pauses if pause.active],
    )


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
    total: defaultdict[str, float] = defaultdict(float)
    for each in done:
        if each.action_id in prices:
            code, amount = prices[each.action_id]
            total[code] += amount
    return {code: round(amount, 4) for code, amount in total.items()}
