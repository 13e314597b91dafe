"""What a rollback is of: an action, a run, an agent or type over a time, a record, an incident."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, Field, model_validator

from assent.domain.errors import InvalidInput


class RollbackScopeKind(StrEnum):
    """What is rolled back, the narrowest first."""

    ACTION = "action"
    RUN = "run"
    RECORD = "record"
    VERSION = "version"
    AGENT = "agent"
    TYPE = "type"
    INCIDENT = "incident"

    @property
    def needs_since(self) -> bool:
        """Whether it says from when on: without it everything that an agent ever did would be meant."""
        return self in (RollbackScopeKind.VERSION, RollbackScopeKind.AGENT, RollbackScopeKind.TYPE)

    @property
    def takes_times(self) -> bool:
        """Whether a period makes sense for it."""
        return self.needs_since or self in (RollbackScopeKind.RECORD, RollbackScopeKind.INCIDENT)


class RollbackScope(BaseModel):
    """A scope, and the period in which its effects were finished.

    Attributes:
        kind: What kind.
        id: Id of the action, run or incident; name of the agent, of the version (``refunds@3``), of the action type,
            or stable name of the record (``shop/orders/W1``).
        since: From then on; needed for an agent, a version and a type. Without it a record is taken over all its time,
            an incident from when it began.
        until: Before then; ``None`` is until now.
        with_later: Take back later work of agents on the same records too, first, where an effect in scope cannot be
            taken back without.
    """

    kind: RollbackScopeKind
    id: str = Field(min_length=1, max_length=200)
    since: datetime | None = None
    until: datetime | None = None
    with_later: bool = False

    @model_validator(mode="after")
    def _times_have_a_zone(self) -> Self:
        for name in ("since", "until"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{name} needs its time zone, 2026-01-31T14:00:00+01:00 say")
        return self

    @property
    def sentence(self) -> str:
        """The scope in words."""
        match self.kind:
            case RollbackScopeKind.VERSION:
                what = f"agent version {self.id}"
            case RollbackScopeKind.TYPE:
                what = f"action type {self.id}"
            case _:
                what = f"{self.kind.value} {self.id}"
        since = f" since {written(self.since)}" if self.since else ""
        until = f" until {written(self.until)}" if self.until else ""
        later = ", with later work on the same records" if self.with_later else ""
        return f"{what}{since}{until}{later}"

    @property
    def run_id(self) -> str:
        """The one run that it is about; empty if it may be about several."""
        match self.kind:
            case RollbackScopeKind.RUN:
                return self.id
            case RollbackScopeKind.ACTION:
                return self.id.rsplit(":", 1)[0]
            case _:
                return ""

    @property
    def agent(self) -> str:
        """The one agent that it is about by its name; empty otherwise."""
        match self.kind:
            case RollbackScopeKind.AGENT:
                return self.id
            case RollbackScopeKind.VERSION:
                return self.id.rpartition("@")[0]
            case _:
                return ""


def written(moment: datetime) -> str:
    """A moment as scopes write it, to the second."""
    return moment.isoformat(sep=" ", timespec="seconds")


def check_period(scope: RollbackScope, now: datetime) -> None:
    """Refuse a period that cannot be meant.

    Raises:
        InvalidInput: It is missing where it is needed, given where it means nothing, lies in the future, or ends
            before it begins.
    """
    if scope.kind.needs_since and scope.since is None:
        raise InvalidInput(
            f"A rollback of an {scope.kind.value} says since when."
            if scope.kind is RollbackScopeKind.AGENT
            else f"A rollback of a {scope.kind.value} says since when.",
            where="since",
            todo="Give the time from which on effects are to be taken back.",
        )
    if not scope.kind.takes_times and (scope.since or scope.until):
        raise InvalidInput(
            f"A rollback of one {scope.kind.value} has no period.", where="since", todo="Leave since and until out."
        )
    if scope.since is not None and scope.since > now:
        raise InvalidInput(
            f"{written(scope.since)} is in the future.", where="since", todo="Nothing was done then yet."
        )
    if scope.until is not None and scope.until > now:
        raise InvalidInput(
            f"{written(scope.until)} is in the future.", where="until", todo="Leave it out to mean until now."
        )
    if scope.since is not None and scope.until is not None and scope.since >= scope.until:
        raise InvalidInput(
            f"The period ends before it begins: since {written(scope.since)}, until {written(scope.until)}.",
            where="until",
            todo="Exchange the two.",
        )
