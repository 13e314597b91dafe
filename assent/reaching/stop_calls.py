"""What a webhook is told of a stop: the pause as it stands, and the breaker that fired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from assent.domain.people import Actor
from assent.reaching import said
from assent.store.outbox import Notification
from assent.store.queries import pauses, trips
from assent.store.queries.pauses import PauseView
from assent.store.queries.trips import TripView
from assent.store.stop_calls import StopEvent
from assent.store.tables import PauseRow, WebhookRow
from assent.store.webhooks import GIVEN_UP_AFTER, Webhook, webhook_of


@dataclass(frozen=True, slots=True)
class StopCall:
    """A call about a pause that is to be made now.

    Attributes:
        notification: Its place in the outbox.
        webhook: Where.
        pause: The pause, as it stands now.
        trip: The newest time until then that a breaker fired for it; ``None`` if none did.
    """

    notification: Notification
    webhook: Webhook
    pause: PauseView
    trip: TripView | None


def is_about_stop(notification: Notification) -> bool:
    """Whether a row of the outbox tells of a pause."""
    return notification.kind in {event.value for event in StopEvent}


def stop_call(session: Session, claimed: Notification, at: datetime) -> StopCall | None:
    """What is to be called; ``None`` if the webhook is gone, or nothing was called for so long that it is no news."""
    hook = session.get(WebhookRow, claimed.recipient)
    stale = claimed.attempts <= 1 and at - claimed.created_at > GIVEN_UP_AFTER
    if hook is None or stale or session.get(PauseRow, claimed.subject) is None:
        return None
    fired = trips.of_pauses(session, [claimed.subject]).get(claimed.subject, [])
    trip = next((each for each in fired if each.at <= claimed.created_at), None)
    return StopCall(claimed, webhook_of(hook), pauses.one(session, claimed.subject), trip)


def stop_body(call: StopCall, *, public_url: str) -> bytes:
    """What a call says."""
    pause, trip = call.pause, call.trip
    data: dict[str, Any] = {
        "pause_id": pause.id,
        "status": pause.phase.value,
        "scope": {"kind": pause.scope.kind.value, "name": pause.scope.name},
        "headline": pause.scope.sentence,
        "disposition": pause.disposition.value,
        "cause": pause.cause,
        "requested_by": _who(pause.requested_by),
        "requested_at": said.moment(pause.requested_at),
        "fenced_at": said.moment(pause.fenced_at),
        "quiesced_at": said.moment(pause.quiesced_at),
        "in_flight": pause.in_flight,
        "fell_back_at": said.moment(pause.fell_back_at),
        "fell_back_why": pause.fell_back_why,
        "resumed_at": said.moment(pause.resumed_at),
        "resumed_by": _who(pause.resumed_by),
        "second_by": _who(pause.second_by),
        "resume_note": pause.resume_note,
        "breaker": None if trip is None else _fired(trip, public_url),
        "url": f"{public_url}/stop#{pause.id}",
    }
    return said.body(call.notification.kind, call.notification.created_at, data)


def _fired(trip: TripView, public_url: str) -> dict[str, Any]:
    return {
        "trip_id": trip.id,
        "agent": trip.agent,
        "breaker": trip.breaker,
        "measure": trip.rule.measure.value,
        "cause": trip.cause,
        "measured": trip.measured,
        "threshold": trip.threshold,
        "cases": trip.cases,
        "at": said.moment(trip.at),
        "url": f"{public_url}/trips/{trip.id}",
    }


def _who(actor: Actor | None) -> dict[str, str] | None:
    return None if actor is None else {"name": actor.name, "via": actor.via.value}
