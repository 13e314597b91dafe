"""The block ``approval`` of a card: who decides, when they are reminded, what silence means."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from assent.domain.days import Day
from assent.domain.people import Assurance, Role
from assent.domain.voting import MAX_APPROVALS, REQUESTER
from assent.policy.conditions import ConditionError, check_condition
from assent.policy.durations import Duration

CONTACTS = ("business-owner", "technical-owner", "model-steward", "escalation")
"""Words for the people that every card names."""
ON_CALL = "on-call"
"""Word for the card's on-call list, in its order."""

_ROLE = "role:"
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_GROUP = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")


def _condition(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return check_condition(value)
        except ConditionError as error:
            raise ValueError(str(error)) from error
    return value


def approver(value: str) -> str:
    """Check an approver expression: a group, ``role:approver``, an address, or a word for people of the card.

    Raises:
        ValueError: It is none of these.
    """
    if value.startswith(_ROLE):
        if value.removeprefix(_ROLE) not in list(Role):
            raise ValueError(f"there is no role {value.removeprefix(_ROLE)!r}; there are {', '.join(Role)}")
        return value
    if value in CONTACTS or value == ON_CALL or _EMAIL.fullmatch(value):
        return value
    if value == REQUESTER or not _GROUP.fullmatch(value) or len(value) > 60:
        raise ValueError(
            f"{value!r} is nobody who can be asked: name a group, role:approver, an e-mail address, "
            f"{', '.join(CONTACTS)} or {ON_CALL}"
        )
    return value


def _barred(value: str) -> str:
    return value if value == REQUESTER else approver(value)


def _clock(value: Any) -> Any:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError('a time of day is written in quotes, "09:00"')
    return value


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(value: str) -> str:
    if value not in _zones():
        raise ValueError(f"there is no time zone {value!r}; it looks like Europe/Berlin or UTC")
    return value


Condition = Annotated[str, BeforeValidator(_condition)]
Approver = Annotated[str, AfterValidator(approver)]
Barred = Annotated[str, AfterValidator(_barred)]
ClockTime = Annotated[str, BeforeValidator(_clock)]
_Wait = Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=30))]


class Strict(BaseModel):
    """A part of a card: a field that is not known is refused, and aliases are written as they are read."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class OnSilence(StrEnum):
    """What happens to a request that nobody decides."""

    REJECT = "reject"
    HOLD = "hold"
    ESCALATE = "escalate"


class NeedRule(Strict):
    """So many distinct people of one kind must approve."""

    of: Approver
    count: int = Field(default=1, ge=1, le=MAX_APPROVALS)

    @model_validator(mode="after")
    def _one_person_once(self) -> Self:
        if self.of == ON_CALL:
            raise ValueError("on-call is who `escalate` asks; name a group to need one of several people")
        if self.count > 1 and (self.of in CONTACTS or "@" in self.of):
            raise ValueError(f"{self.of} is one person and counts once")
        return self


class RaiseRule(Strict):
    """A condition on an action that asks for more.

    Attributes:
        when: The condition; one that cannot be evaluated counts as met.
        need: Who must approve in addition.
        never_by: Who must not approve, in addition.
        assurance: How sure it must at least be who decides.
        because: Why, in words that people read.
    """

    when: Condition
    need: list[NeedRule] = Field(default_factory=list)
    never_by: list[Barred] = Field(default_factory=list)
    assurance: Assurance | None = None
    because: str = Field(min_length=1)

    @model_validator(mode="after")
    def _raises_something(self) -> Self:
        if not self.need and not self.never_by and self.assurance is None:
            raise ValueError("a rule that raises says what: need, never_by or assurance")
        return self


class EscalateRule(Strict):
    """Who is asked as well when nobody has decided after a while."""

    after: _Wait
    to: list[Approver] = Field(min_length=1)


class HoursRule(Strict):
    """The hours that count for reminders, escalation and expiry, in one time zone.

    Attributes:
        zone: An IANA name, ``Europe/Berlin``.
        days: Working days.
        opens: When work begins, ``from`` in the card.
        closes: When it ends, ``to`` in the card; later than ``from``, at most ``24:00``.
    """

    zone: Annotated[str, AfterValidator(_zone)]
    days: list[Day] = Field(default_factory=lambda: [Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI], min_length=1)
    opens: ClockTime = Field(default="09:00", alias="from")
    closes: ClockTime = Field(default="17:00", alias="to")

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        hour, _, minute = self.opens.partition(":")
        if self.closes < f"{int(hour) + 1:02d}:{minute}":
            raise ValueError("the hours must end at least one hour after they begin, on the same day")
        return self


class GrantRule(Strict):
    """Who may let alike actions run from now on, how often, and for how long.

    Attributes:
        by: Who may give a standing grant.
        uses: The most actions that one grant allows.
        lasts: The longest that one grant stands.
    """

    by: list[Approver] = Field(min_length=1)
    uses: int = Field(default=50, ge=1, le=100_000)
    lasts: Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=366))] = timedelta(days=30)


class ApprovalBlock(Strict):
    """How requests are decided; at the top of a card for all action types, and for one type, whose fields go first.

    Attributes:
        need: Who must approve; one approver if nothing is said.
        never_by: Who must not approve; the requester if nothing is said.
        deny: Rejections that reject a request.
        raises: Conditions on arguments that ask for more, ``raise`` in the card.
        remind: How long after asking people are reminded.
        escalate: Who is asked as well, and when.
        on_silence: What happens when nobody decides in time.
        hours: The hours that count; all of them if left out.
        assurance: How sure it must be who decides.
        grants: Who may give standing grants; nobody if left out.
        edit: Whether approvers may change arguments.
        opened: Whether a request must be opened before it can be approved.
    """

    need: list[NeedRule] = Field(default_factory=list)
    never_by: list[Barred] = Field(default_factory=lambda: [REQUESTER])
    deny: int = Field(default=1, ge=1, le=MAX_APPROVALS)
    raises: list[RaiseRule] = Field(default_factory=list, alias="raise")
    remind: list[_Wait] = Field(default_factory=list, max_length=10)
    escalate: list[EscalateRule] = Field(default_factory=list, max_length=10)
    on_silence: OnSilence = OnSilence.REJECT
    hours: HoursRule | None = None
    assurance: Assurance = Assurance.SLACK
    grants: GrantRule | None = None
    edit: bool = True
    opened: bool = False

    @property
    def asked(self) -> frozenset[str]:
        """Every approver expression that may be asked."""
        needs = [*self.need, *(need for rule in self.raises for need in rule.need)]
        return frozenset(need.of for need in needs) | {who for step in self.escalate for who in step.to}

    def over(self, general: ApprovalBlock | None) -> ApprovalBlock:
        """This block with what it does not say taken from the card's general one."""
        if general is None:
            return self
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return general.model_copy(update=said)


def _as_said(block: ApprovalBlock | None) -> dict[str, Any] | None:
    """The fields that were written: what a block does not say is still not said when it is read back."""
    return None if block is None else block.model_dump(mode="json", exclude_unset=True, by_alias=True)


WrittenBlock = Annotated[ApprovalBlock | None, PlainSerializer(_as_said)]
"""A block as a card keeps it."""
