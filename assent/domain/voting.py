"""Voting: who may decide a request, and in whose name. Plain data in, plain data out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from assent.domain.assurance import needs_in_words
from assent.domain.people import Assurance, Role, mailbox_of

REQUESTER = "requester"
"""Token of whoever started the run; only ``never_by`` can name it."""

MAX_APPROVALS = 12
"""People that one request may need."""

_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


class Need(BaseModel):
    """So many distinct people of one kind must approve.

    Attributes:
        token: ``group:finance``, ``role:approver``, ``mail:MAILBOX`` or ``person:ID``.
        count: How many, 1 to :data:`MAX_APPROVALS`.
        words: Who that is, for people: ``finance``, ``an approver``, ``Anna Berg (business owner)``.
    """

    model_config = ConfigDict(frozen=True)

    token: str
    count: int = Field(default=1, ge=1, le=MAX_APPROVALS)
    words: str = ""


class Bar(BaseModel):
    """Somebody who must not approve, and what they are in words."""

    model_config = ConfigDict(frozen=True)

    token: str
    words: str


class Electorate(BaseModel):
    """Who decides a request, as its card said when it was opened.

    Attributes:
        needs: All must be met, by distinct people.
        never_by: Who must not approve.
        deny: Rejections that reject it.
        veto: It runs unless somebody objects; anybody who may see it may reject it.
        assurance: How sure it must be who decides.
        requester: Id of the person, or name of the agent, that started the run.
        requester_mailbox: Mailbox of that person, so that their second account is they, too; empty for an agent.
        also: Tokens of people who were asked by escalation: each counts for any need.
    """

    model_config = ConfigDict(frozen=True)

    needs: tuple[Need, ...] = (Need(token="role:approver", words="an approver"),)
    never_by: tuple[Bar, ...] = ()
    deny: int = Field(default=1, ge=1, le=MAX_APPROVALS)
    veto: bool = False
    assurance: Assurance = Assurance.SLACK
    requester: str = ""
    requester_mailbox: str = ""
    also: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many people must approve."""
        return sum(need.count for need in self.needs)


@dataclass(frozen=True, slots=True)
class Authority:
    """In whose name somebody may vote: their own, or that of a person they stand in for.

    Attributes:
        person: Id of the person whose authority it is.
        name: Their name.
        mailbox: Their mailbox: one mailbox is one person.
        tokens: What they are: roles, groups, themselves.
    """

    person: str
    name: str
    mailbox: str
    tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Voter:
    """Somebody as they are now.

    Attributes:
        own: Their own authority.
        able: They have the role approver.
        enabled: They may act at all.
        stands_in_for: Who lent them theirs: people who are away, or who asked them to decide this request.
        handed_to: Name of the person they handed this request to; empty if they did not.
    """

    own: Authority
    able: bool
    enabled: bool = True
    stands_in_for: tuple[Authority, ...] = ()
    handed_to: str = ""

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """Their own first, then those lent to them."""
        return self.stands_in_for if self.handed_to else (self.own, *self.stands_in_for)


def why_not_approve(electorate: Electorate, voter: Voter, assurance: Assurance) -> str:
    """Why somebody may not approve, one sentence; empty if they may."""
    if not voter.able:
        return f"{voter.own.name} may not decide approval requests: they need the role {Role.APPROVER.value}."
    if barred := barred_as(electorate, voter.own):
        return f"{voter.own.name} {barred}, so somebody else must approve it."
    if voter.handed_to and not usable_authorities(electorate, voter):
        return f"{voter.own.name} handed this request to {voter.handed_to}."
    if not usable_authorities(electorate, voter):
        return _outsider(electorate, voter)
    return why_not_sure(electorate, assurance)


def why_not_reject(electorate: Electorate, voter: Voter, assurance: Assurance) -> str:
    """Why somebody may not reject, one sentence; empty if they may.

    Whoever must not approve may still say no, and to what runs unless somebody objects, everybody may object.
    """
    if electorate.veto and voter.enabled:
        return ""
    if not voter.able:
        return f"{voter.own.name} may not decide approval requests: they need the role {Role.APPROVER.value}."
    if not any(_fits(electorate, authority) for authority in voter.authorities):
        return _outsider(electorate, voter)
    return why_not_sure(electorate, assurance)


def why_not_sure(electorate: Electorate, assurance: Assurance) -> str:
    """Why it is not sure enough who somebody is; empty if it is."""
    if assurance.is_enough_for(electorate.assurance):
        return ""
    return f"This needs {needs_in_words(electorate.assurance)}."


def approves(electorate: Electorate, voter: Voter) -> tuple[str, ...]:
    """The needs that somebody's approval can count for, as tokens."""
    usable = usable_authorities(electorate, voter)
    return tuple(
        need.token for need in electorate.needs if any(counts_for(electorate, need.token, each) for each in usable)
    )


def in_whose_name(electorate: Electorate, voter: Voter) -> Authority | None:
    """The authority that somebody's approval uses, if it cannot be their own."""
    usable = usable_authorities(electorate, voter)
    return None if not usable or usable[0] is voter.own else usable[0]


def barred_as(electorate: Electorate, authority: Authority) -> str:
    """What keeps a person from approving, to follow their name: ``started this run``; empty if nothing does."""
    for bar in electorate.never_by:
        if bar.token == REQUESTER:
            if authority.person == electorate.requester:
                return "started this run"
            if authority.mailbox and authority.mailbox == electorate.requester_mailbox:
                return "started this run through another account with the same address"
        elif is_one(bar.token, authority):
            return f"is {bar.words}" if not bar.token.startswith("group:") else f"is in {bar.words}"
    return ""


def is_one(token: str, authority: Authority) -> bool:
    """Whether a token means this person, among others perhaps."""
    kind, _, name = token.partition(":")
    if kind == "mail":
        return bool(authority.mailbox) and authority.mailbox == mailbox_of(name)
    return token in authority.tokens


def usable_authorities(electorate: Electorate, voter: Voter) -> tuple[Authority, ...]:
    """The authorities that somebody can approve with."""
    return tuple(each for each in voter.authorities if _fits(electorate, each) and not barred_as(electorate, each))


def counts_for(electorate: Electorate, token: str, authority: Authority) -> bool:
    """Whether an approval in this person's name can count for a need."""
    return is_one(token, authority) or any(is_one(also, authority) for also in electorate.also)


def in_words(needs: Sequence[Need]) -> str:
    """Who must approve: ``one of finance and two of sre, all of them different people``."""
    if not needs:
        return "nobody"
    parts = [_words(need) for need in needs]
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    several = len(parts) > 1 or needs[0].count > 1
    return f"{joined}, all of them different people" if several else joined


def _words(need: Need) -> str:
    kind = need.token.partition(":")[0]
    number = _NUMBERS[need.count]
    if kind == "group":
        return f"{number} of {need.words or need.token}"
    if kind == "role":
        role = need.words or need.token
        return f"{number} {role}" if need.count == 1 else f"{number} people with the role {role}"
    return need.words or need.token


def _outsider(electorate: Electorate, voter: Voter) -> str:
    for lent in voter.stands_in_for:
        if _fits(electorate, lent) and (barred := barred_as(electorate, lent)):
            return f"{voter.own.name} stands in for {lent.name}, who {barred}; somebody else must approve it."
    return f"{voter.own.name} is not among those who decide this: it needs {in_words(electorate.needs)}."


def _fits(electorate: Electorate, authority: Authority) -> bool:
    tokens = [need.token for need in electorate.needs] + list(electorate.also)
    return any(is_one(token, authority) for token in tokens)
