"""Counting ballots: as many needs as possible are met, by distinct people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product

from assent.domain.matching import assigned
from assent.domain.voting import Authority, Electorate, Need, Voter, counts_for, usable_authorities

_MOST_CHOICES = 2_000
"""Ways of standing in that are tried; beyond it the first ones count."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """An approval in force.

    Attributes:
        id: The decision's id.
        voter: Who gave it, as they are now.
    """

    id: str
    voter: Voter


@dataclass(frozen=True, slots=True)
class Counted:
    """What a ballot counts for.

    Attributes:
        ballot: Its id.
        token: The need.
        authority: In whose name.
    """

    ballot: str
    token: str
    authority: Authority


@dataclass(frozen=True, slots=True)
class Tally:
    """How a vote stands.

    Attributes:
        counted: What each ballot counts for.
        missing: What is still needed.
        idle: Ids of ballots that count for nothing that is needed.
    """

    counted: tuple[Counted, ...] = ()
    missing: tuple[Need, ...] = ()
    idle: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Nothing is missing."""
        return not self.missing


def weigh(electorate: Electorate, ballots: Sequence[Ballot]) -> Tally:
    """Count approvals so that as many needs as possible are met.

    A person counts once, whatever accounts they have, and an authority counts once, whoever uses it: somebody and
    their stand-in are one voice.

    Args:
        electorate: Who decides.
        ballots: Approvals in force, oldest first, of voters who may still approve.
    """
    voters = _distinct(ballots)
    slots = [need.token for need in electorate.needs for _ in range(need.count)]
    options = [usable_authorities(electorate, ballot.voter) for ballot in voters]
    best: dict[int, int] = {}
    chosen: Sequence[Authority | None] = ()
    for choice in islice(product(*(each or (None,) for each in options)), _MOST_CHOICES):
        match = _match(electorate, slots, _each_once(choice))
        if len(match) > len(best) or not chosen:
            best, chosen = match, choice
        if len(best) == len(slots):
            break
    counted = [
        Counted(voters[voter].id, slots[slot], authority)
        for slot, voter in sorted(best.items())
        if (authority := chosen[voter]) is not None
    ]
    open_slots = [token for slot, token in enumerate(slots) if slot not in best]
    missing = [
        need.model_copy(update={"count": open_slots.count(need.token)})
        for need in {need.token: need for need in electorate.needs}.values()
        if need.token in open_slots
    ]
    used = {each.ballot for each in counted}
    return Tally(tuple(counted), tuple(missing), tuple(ballot.id for ballot in ballots if ballot.id not in used))


def _distinct(ballots: Sequence[Ballot]) -> list[Ballot]:
    """One ballot a person, the oldest; two accounts with one mailbox are one person."""
    found: dict[str, Ballot] = {}
    for ballot in ballots:
        found.setdefault(ballot.voter.own.mailbox or ballot.voter.own.person, ballot)
    return list(found.values())


def _each_once(choice: Sequence[Authority | None]) -> list[Authority | None]:
    """The choice with each authority used by the first who does."""
    seen: set[str] = set()
    kept: list[Authority | None] = []
    for authority in choice:
        key = (authority.mailbox or authority.person) if authority else ""
        kept.append(authority if key and key not in seen else None)
        seen.add(key)
    return kept


def _match(electorate: Electorate, slots: Sequence[str], voters: Sequence[Authority | None]) -> dict[int, int]:
    """Give as many slots as possible a voter of their own: slot to voter."""
    fits = {
        voter: [slot for slot, token in enumerate(slots) if counts_for(electorate, token, authority)]
        for voter, authority in enumerate(voters)
        if authority is not None
    }
    return assigned(fits)
