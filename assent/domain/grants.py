"""Standing grants: what people approve from now on, and what covers an action that nobody was asked about."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from assent.domain.canonical import Json, canonical_json, digest_of
from assent.domain.errors import InvalidInput
from assent.domain.hostile_text import reveal

MAX_USES = 100_000
"""Uses of a grant, whatever a card allows."""

MAX_VALUES = 100
"""Values that one argument may be one of."""


class PatternKind(StrEnum):
    """What a grant asks of one argument."""

    IS = "is"
    ONE_OF = "one_of"
    RANGE = "range"
    PREFIX = "prefix"
    ANY = "any"


class Pattern(BaseModel):
    """What a grant asks of one argument.

    Attributes:
        kind: Which of the fields below counts.
        values: The exact value (``is``), or those it may be one of (``one_of``); JSON values, compared as such.
        min: The smallest number (``range``), itself included; ``None`` is without limit.
        max: The greatest number (``range``), itself included; ``None`` is without limit.
        prefix: What the text begins with (``prefix``). It is compared letter by letter, not as a path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: PatternKind
    values: list[Json] = Field(default_factory=list, max_length=MAX_VALUES)
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False)
    prefix: str = Field(default="", max_length=1_000)

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = {
            "values": bool(self.values),
            "min or max": self.min is not None or self.max is not None,
            "prefix": bool(self.prefix),
        }
        wanted = _FIELD_OF[self.kind]
        if wanted and not given[wanted]:
            raise ValueError(f"a pattern of the kind {self.kind.value} needs {wanted}")
        if extra := [name for name, there in given.items() if there and name != wanted]:
            raise ValueError(f"a pattern of the kind {self.kind.value} has no {extra[0]}")
        if self.kind is PatternKind.IS and len(self.values) != 1:
            raise ValueError("a pattern of the kind is has exactly one value; use one_of for several")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is greater than max")
        return self

    def covers(self, value: Json, *, present: bool = True) -> bool:
        """Whether an argument fits.

        Args:
            value: The argument.
            present: Whether the action has it at all; only ``any`` covers one that is missing.
        """
        if self.kind is PatternKind.ANY:
            return True
        if not present:
            return False
        if self.kind is PatternKind.RANGE:
            return (
                _number(value) and (self.min is None or value >= self.min) and (self.max is None or value <= self.max)
            )
        if self.kind is PatternKind.PREFIX:
            return isinstance(value, str) and value.startswith(self.prefix) and not _hides(value)
        return _among(value, self.values)

    def words(self, name: str) -> str:
        """What it asks, in words."""
        match self.kind:
            case PatternKind.IS:
                return f"{name} is {_written(self.values[0])}"
            case PatternKind.ONE_OF:
                return f"{name} is one of {', '.join(_written(value) for value in self.values)}"
            case PatternKind.PREFIX:
                return f"{name} begins with {_written(self.prefix)}"
            case PatternKind.ANY:
                return f"{name} may be anything, or missing"
        if self.min is None:
            return f"{name} is at most {_figure(self.max)}"
        if self.max is None:
            return f"{name} is at least {_figure(self.min)}"
        return f"{name} is from {_figure(self.min)} to {_figure(self.max)}"


_FIELD_OF = {
    PatternKind.IS: "values",
    PatternKind.ONE_OF: "values",
    PatternKind.RANGE: "min or max",
    PatternKind.PREFIX: "prefix",
    PatternKind.ANY: "",
}


class GrantTerms(BaseModel):
    """What a grant covers, how often and until when; a confirmation is bound to its digest.

    Attributes:
        agent: The one agent it is for.
        action_type: The one action type it is for.
        arguments: What it asks of each argument. An action with an argument that is not named here is not covered.
        condition: A further condition in CEL over ``args``, ``agent``, ``run`` and ``reason``; empty for none.
        uses: How many actions it covers. 1 to :data:`MAX_USES`.
        expires_at: When it ends.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: str = Field(min_length=1, max_length=60)
    action_type: str = Field(min_length=1, max_length=80)
    arguments: dict[str, Pattern] = Field(default_factory=dict, max_length=100)
    condition: str = Field(default="", max_length=1_000)
    uses: int = Field(ge=1, le=MAX_USES)
    expires_at: AwareDatetime

    @property
    def digest(self) -> str:
        """What a confirmation is bound to."""
        return digest_of(self.model_dump(mode="json"))

    @property
    def sentences(self) -> list[str]:
        """What it asks of the arguments, one sentence part each."""
        words = [pattern.words(name) for name, pattern in sorted(self.arguments.items())]
        return [*words, f"the condition holds: {self.condition}"] if self.condition else words


class GrantStatus(StrEnum):
    """Where a grant is in its life."""

    PENDING = "pending"
    """More people must confirm it; it covers nothing yet."""
    ACTIVE = "active"
    REVOKED = "revoked"
    SPENT = "spent"
    """All its uses were used; one that is given back makes it active again."""
    EXPIRED = "expired"


class CoverKind(StrEnum):
    """What let an action of tier approve run without a request."""

    GRANT = "grant"
    PLAN = "plan"


def standing(status: GrantStatus, *, used: int, uses: int, expires_at: datetime, now: datetime) -> GrantStatus:
    """What a grant is at this moment."""
    if status is GrantStatus.REVOKED:
        return status
    if expires_at <= now:
        return GrantStatus.EXPIRED
    if status is GrantStatus.ACTIVE and used >= uses:
        return GrantStatus.SPENT
    return status


def _number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hides(text: str) -> bool:
    """Whether a text has hidden or disguised characters, which a beginning of it says nothing about."""
    return any(segment.marked for segment in reveal(text))


def _among(value: Json, wanted: list[Json]) -> bool:
    """Whether a JSON value is one of several; what cannot be written exactly is never the same."""
    possible = [each for each in wanted if _alike(value, each)]
    try:
        return bool(possible) and canonical_json(value) in map(canonical_json, possible)
    except InvalidInput:
        return False


def _alike(one: Json, other: Json) -> bool:
    """Whether two values can be the same at a glance: long ones are written out only to compare them with such."""
    if isinstance(one, str | list | dict):
        return type(one) is type(other) and len(one) == len(other)
    return not isinstance(other, str | list | dict)


def _written(value: Json) -> str:
    try:
        return canonical_json(value).decode()
    except InvalidInput:
        return repr(value)


def _figure(value: float | None) -> str:
    return f"{value:,.15g}"
