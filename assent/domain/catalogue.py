"""Action types: what a connector can do, declared before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from assent.domain import paths
from assent.domain.canonical import Json
from assent.domain.effects import ResourceChange
from assent.domain.tiers import Risk, Speed
from assent.domain.undo_kinds import CounterMessage, Runbook, UndoKind

SECRET = "••••••"
"""What stands for a secret value."""

_Each = TypeVar("_Each", bound=str)
Sorted = Annotated[frozenset[_Each], PlainSerializer(sorted, return_type=list[_Each], when_used="json")]
"""A set whose JSON is the same in every process, so that a declaration that did not change has one digest."""

SECRET_CHANGED = f"{SECRET} (changed)"
"""What stands for a secret value of a record that becomes another one."""


def without_secrets(arguments: Mapping[str, Json], secrets: Collection[str]) -> dict[str, Json]:
    """Arguments as people may see them.

    Args:
        arguments: The arguments.
        secrets: Paths of what they must not see, see :mod:`assent.domain.paths`.
    """
    if not secrets:
        return dict(arguments)
    shown = paths.replaced(dict(arguments), secrets, _dots)
    return shown if isinstance(shown, dict) else dict.fromkeys(arguments, SECRET)


def changes_without_secrets(changes: Sequence[ResourceChange], secrets: Collection[str]) -> list[ResourceChange]:
    """Records as people may see them; that a secret changes can still be seen, as :data:`SECRET_CHANGED`."""
    return [_change_without(change, secrets) for change in changes] if secrets else list(changes)


def as_kept(value: Json) -> Json:
    """A record's content with every mark of a changed secret as plain dots, for comparing what two effects kept."""
    if isinstance(value, Mapping):
        return {name: as_kept(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_kept(item) for item in value]
    return SECRET if value == SECRET_CHANGED else value


def _change_without(change: ResourceChange, secrets: Collection[str]) -> ResourceChange:
    before = paths.replaced(change.before, secrets, _dots)
    after = paths.replaced(change.after, secrets, _dots)
    if change.before is None or change.after is None or before is change.before or after is change.after:
        return change.model_copy(update={"before": before, "after": after})
    differing = [
        secret
        for secret in secrets
        if list(paths.found(change.before, secret)) != list(paths.found(change.after, secret))
    ]
    return change.model_copy(update={"before": before, "after": paths.replaced(after, differing, _other_dots)})


def _dots(_: Json) -> Json:
    return SECRET


def _other_dots(_: Json) -> Json:
    return SECRET_CHANGED


class UndoDeclaration(BaseModel):
    """What a connector promises about taking an effect back.

    Attributes:
        sentence: How it is undone, for people; may name arguments as ``{argument}``.
        precondition: What must still hold for the undo to run, for people.
        within: How long after the effect it can be undone; ``None`` is without limit.
        kind: How it is taken back.
        runbook: What a person does; a manual undo needs one, others may have one for where they fail.
        message: The mail of a counter-message; that kind needs one.
    """

    model_config = ConfigDict(frozen=True)

    sentence: str
    precondition: str = "The record still is as the action left it."
    within: timedelta | None = None
    kind: UndoKind = UndoKind.BEFORE_IMAGE
    runbook: Runbook | None = None
    message: CounterMessage | None = None

    @property
    def works(self) -> bool:
        """Whether Assent takes it back by itself; by hand does not count."""
        return self.kind.by_itself

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        if self.kind is UndoKind.MANUAL and self.runbook is None:
            raise ValueError("an undo by hand needs a runbook")
        if self.kind is UndoKind.COUNTER_MESSAGE and self.message is None:
            raise ValueError("an undo by a counter-message needs its message")
        return self


class TargetDeclaration(BaseModel):
    """Which record an action is about; both may name arguments as ``{argument}``.

    Attributes:
        words: The record as people call it, ``order {order_id}``.
        resource: Its stable name as effects report it, ``shop/orders/{order_id}``; empty if arguments cannot say it.
    """

    model_config = ConfigDict(frozen=True)

    words: str
    resource: str = ""


class BlastUnit(BaseModel):
    """Something that an action reaches, counted: recipients, rows, items.

    Attributes:
        unit: The noun for many of them.
        one: The noun for one; ``unit`` without its last letter if empty.
        argument: Path of the argument that says how many: a number is the number, a list counts its entries, anything
            else counts one; if the path names several values, they are added up. Empty: each action counts ``each``.
        each: What an action counts if no argument says it.
    """

    model_config = ConfigDict(frozen=True)

    unit: str = Field(min_length=1)
    one: str = ""
    argument: str = ""
    each: int = Field(default=1, ge=0)


class ActionType(BaseModel):
    """A verb on a resource, as a connector declares it.

    Attributes:
        name: Dotted lower-case name, ``shop.cancel_order``.
        title: Short name for people.
        sentence: What will happen; ``{argument}`` is replaced by the argument's value.
        arguments: JSON Schema (draft 2020-12) of the arguments, an object schema.
        speed: Quick or long.
        idempotent: Repeating it with the same key has no second effect.
        reads_only: Changes nothing anywhere; needs no undo and can always be repeated.
        risks: Flags of the decision guide.
        undo: How it is taken back; ``None`` if it cannot be.
        secrets: Paths (see :mod:`assent.domain.paths`) of values that people must not see, in the arguments and in the
            content of records; a plain name is a top-level one.
        amount: Name of the top-level numeric argument that is the money moved, if there is one.
        currency: Code of the currency of all its money (ISO 4217), or ``{argument}`` where an argument says it.
        money: Paths of further money, in the arguments and in the content of records.
        target: Which record it is about.
        blast: What it reaches, in units that can be counted beforehand.
        how_to_find_out: Where and how a person finds out whether it happened, if nobody knows; may name arguments as
            ``{argument}``. Empty if the connector says nothing.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=80)
    title: str
    sentence: str
    arguments: dict[str, Json]
    speed: Speed = Speed.QUICK
    idempotent: bool = False
    reads_only: bool = False
    risks: Sorted[Risk] = frozenset()
    undo: UndoDeclaration | None = None
    secrets: Sorted[str] = frozenset()
    amount: str | None = None
    currency: str = ""
    money: Sorted[str] = frozenset()
    target: TargetDeclaration | None = None
    blast: tuple[BlastUnit, ...] = ()
    how_to_find_out: str = Field(default="", max_length=2_000)

    @property
    def undoes_itself(self) -> bool:
        """Whether Assent can take it back without a person: it changes nothing, or declares an undo that works."""
        return self.reads_only or (self.undo is not None and self.undo.works)
