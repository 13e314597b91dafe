"""How one request is decided, as its card said when it was opened: who, by when, and what silence means."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from assent.domain.voting import Electorate


class Silence(StrEnum):
    """What happens to a request that nobody decides in time."""

    REJECT = "reject"
    HOLD = "hold"
    ESCALATE = "escalate"
    RUN = "run"
    """The veto window: nobody objected, so it runs."""


class WorkingHours(BaseModel):
    """Hours that count, in one time zone.

    Attributes:
        zone: An IANA name.
        days: Days of the week, Monday is 0.
        opens: Minutes after midnight at which work begins.
        closes: Minutes after midnight at which it ends, later than ``opens``, at most 1,440.
        words: The hours for people.
    """

    model_config = ConfigDict(frozen=True)

    zone: str
    days: tuple[int, ...]
    opens: int
    closes: int
    words: str = ""


class Who(BaseModel):
    """Somebody who can be asked: a token and what people call them."""

    model_config = ConfigDict(frozen=True)

    token: str
    words: str


class Escalation(BaseModel):
    """Who is asked as well, and how long after the request was opened."""

    model_config = ConfigDict(frozen=True)

    after: timedelta
    to: tuple[Who, ...]


class ApprovalRules(BaseModel):
    """Everything that the card says of one request; kept with it.

    Attributes:
        electorate: Who decides.
        within: How long people have: to decide, or to object.
        silence: What happens when nobody did.
        remind: When people are reminded, counted from the opening.
        escalate: Who is asked as well, and when.
        last_resort: Who is asked when time is up and silence escalates.
        hours: The hours that count; ``None`` if all do.
        edit: Approvers may change arguments.
        opened: It must be opened before it can be approved.
        because: Why it needs more than usual, one sentence each.
        silence_words: What silence means, one sentence.
        needs_words: Who must approve, one sentence.
    """

    model_config = ConfigDict(frozen=True)

    electorate: Electorate = Electorate()
    within: timedelta = timedelta(hours=24)
    silence: Silence = Silence.REJECT
    remind: tuple[timedelta, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    last_resort: tuple[Who, ...] = ()
    hours: WorkingHours | None = None
    edit: bool = True
    opened: bool = False
    because: tuple[str, ...] = ()
    silence_words: str = ""
    needs_words: str = ""


class StepKind(StrEnum):
    """What time brings to a request before its end."""

    REMIND = "remind"
    ESCALATE = "escalate"


class Step(BaseModel):
    """Something that is due at a time.

    Attributes:
        at: When.
        kind: What.
        to: Who is asked as well, when it escalates.
    """

    model_config = ConfigDict(frozen=True)

    at: datetime
    kind: StepKind
    to: tuple[Who, ...] = ()


class Agenda(BaseModel):
    """What time will bring to a request, soonest first."""

    model_config = ConfigDict(frozen=True)

    steps: tuple[Step, ...] = Field(default=())

    def due(self, at: datetime) -> tuple[Step, ...]:
        """The steps whose time has come."""
        return tuple(step for step in self.steps if step.at <= at)

    def after(self, at: datetime) -> Agenda:
        """What is left after a time."""
        return Agenda(steps=tuple(step for step in self.steps if step.at > at))

    def later(self, by: timedelta) -> Agenda:
        """The same, later: a pause gives time back."""
        return Agenda(steps=tuple(step.model_copy(update={"at": step.at + by}) for step in self.steps))

    def next_look(self, end: datetime) -> datetime:
        """When to look again: at the next step, or at the end."""
        return min([end, *(step.at for step in self.steps)])
