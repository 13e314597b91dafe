"""Weighing the words that people gave for a grant or a plan, as these people are now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.assurance import of_actor
from assent.domain.ballots import Ballot, Tally, weigh
from assent.domain.voting import Electorate, why_not_approve
from assent.store.electorate import voter
from assent.store.grants import Consent


def weigh_consents(session: Session, electorate: Electorate, consents: Sequence[Consent], at: datetime) -> Tally:
    """What the given words count for now: somebody who lost a role, left a group or was disabled counts no more."""
    return weigh(electorate, ballots_of(session, electorate, consents, at))


def ballots_of(session: Session, electorate: Electorate, consents: Sequence[Consent], at: datetime) -> list[Ballot]:
    """The given words that count now."""
    ballots = []
    for consent in consents:
        person = voter(session, consent.by.id, at, electorate=electorate)
        if person is not None and not why_not_approve(electorate, person, of_actor(consent.by)):
            ballots.append(Ballot(consent.by.id, person))
    return ballots
