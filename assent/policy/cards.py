"""Agent cards: the one page that says who owns an agent and what it may do."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, model_validator

from assent.domain.actions import AdmissionEffect
from assent.domain.errors import BrokenCard
from assent.domain.tiers import Tier
from assent.policy.conditions import ConditionError, check_condition
from assent.policy.durations import Duration

MAX_SOURCE = 256 * 1024
"""Bytes of a card file."""


def _tier(value: Any) -> Any:
    if isinstance(value, str):
        if value.upper() not in Tier.__members__:
            raise ValueError("a tier is suggest, approve or auto")
        return Tier[value.upper()]
    return value


def _condition(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return check_condition(value)
        except ConditionError as error:
            raise ValueError(str(error)) from error
    return value


TierWord = Annotated[Tier, BeforeValidator(_tier), PlainSerializer(lambda tier: tier.word, return_type=str)]
Condition = Annotated[str, BeforeValidator(_condition)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Contact(_Strict):
    """A person or team and how to reach them."""

    name: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    slack: str = ""


class Per(StrEnum):
    """What a limit counts over."""

    ACTION = "action"
    RUN = "run"
    HOUR = "hour"


class Over(StrEnum):
    """What happens over a limit."""

    APPROVE = "approve"
    REFUSE = "refuse"


class Limit(_Strict):
    """How much may run automatically.

    Attributes:
        argument: Name of a numeric argument to add up; empty counts actions.
        per: One action, one run, or the agent's last sixty minutes.
        max: The most that is allowed, itself included.
        over: Ask a person, or refuse.
    """

    argument: str = ""
    per: Per
    max: float = Field(ge=0)
    over: Over = Over.APPROVE

    @property
    def measure(self) -> str:
        """What is counted: an argument's name, or ``actions``."""
        return self.argument or "actions"


class StopRule(_Strict):
    """A condition that makes an action less free."""

    when: Condition
    then: AdmissionEffect = AdmissionEffect.APPROVE
    because: str = Field(min_length=1)


class OnSilence(StrEnum):
    """What happens to a request that nobody decides."""

    REJECT = "reject"


class ActionRule(_Strict):
    """What the card says of one action type.

    Attributes:
        tier: How freely it may run.
        limits: Limits for running automatically.
        stop: Conditions that make it less free.
        expires: How long people have to decide. One minute to 30 days.
        on_silence: What happens when nobody decides in time.
    """

    tier: TierWord
    limits: list[Limit] = Field(default_factory=list)
    stop: list[StopRule] = Field(default_factory=list)
    expires: Duration = Field(default=timedelta(hours=24), ge=timedelta(minutes=1), le=timedelta(days=30))
    on_silence: OnSilence = OnSilence.REJECT


class NeverRule(_Strict):
    """Something the agent must never do."""

    action: str = Field(min_length=1)
    when: Condition = "true"
    because: str = Field(min_length=1)


class AgentCard(_Strict):
    """The operating model of an agent on one page; immutable once published.

    Attributes:
        name: Name of the agent, lower-case words joined by hyphens.
        title: Name for people.
        purpose: What it is for.
        business_owner: Who answers for what it does.
        technical_owner: Who answers for how it works.
        model_steward: Who answers for the model behind it.
        escalation: Whom to wake.
        actions: Rule by action type; what is not listed is refused.
        never: What it must never do.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)
    title: str = ""
    purpose: str = Field(min_length=1)
    business_owner: Contact
    technical_owner: Contact
    model_steward: Contact
    escalation: Contact
    actions: dict[str, ActionRule] = Field(min_length=1)
    never: list[NeverRule] = Field(default_factory=list)

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Self:
        for name, rule in self.actions.items():
            for limit in rule.limits:
                if limit.per is Per.ACTION and not limit.argument:
                    raise ValueError(f"{name}: a limit per action needs the argument it is on")
        return self


def read_card(source: str, *, where: str = "card") -> AgentCard:
    """Read a card from YAML.

    Args:
        source: The file's text, at most :data:`MAX_SOURCE` bytes.
        where: Name of the file, for errors.

    Raises:
        BrokenCard: With every fault, by field.
    """
    if len(source.encode()) > MAX_SOURCE:
        raise BrokenCard(f"A card has at most {MAX_SOURCE // 1024} KiB.", where=where)
    try:
        content = yaml.safe_load(source)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise BrokenCard(
            f"This is not valid YAML: {getattr(error, 'problem', None) or error}.",
            where=f"{where}{line}",
            todo="Correct the file and publish it again; the version in force was not touched.",
        ) from error
    if not isinstance(content, dict):
        raise BrokenCard("A card is a mapping that starts with `name:`.", where=where)
    try:
        return AgentCard.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'card'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise BrokenCard(
            f"The card has faults: {faults}.",
            where=where,
            todo="Correct them and publish it again; the version in force was not touched.",
        ) from error
