"""Action types: what a connector can do, declared before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from assent.domain.canonical import Json
from assent.domain.tiers import Risk, Speed

SECRET = "••••••"
"""What stands for a secret argument."""


def without_secrets(arguments: Mapping[str, Json], secrets: Collection[str]) -> dict[str, Json]:
    """Arguments as people may see them."""
    return {name: SECRET if name in secrets else value for name, value in arguments.items()}


class UndoDeclaration(BaseModel):
    """What a connector promises about taking an effect back.

    Attributes:
        sentence: How it is undone, for people; may name arguments as ``{argument}``.
        precondition: What must still hold for the undo to run, for people.
        within: How long after the effect it can be undone; ``None`` is without limit.
    """

    model_config = ConfigDict(frozen=True)

    sentence: str
    precondition: str = "The record still is as the action left it."
    within: timedelta | None = None


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
        secrets: Names of top-level arguments that people must not see.
        amount: Name of the top-level numeric argument that is money, if there is one.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=80)
    title: str
    sentence: str
    arguments: dict[str, Json]
    speed: Speed = Speed.QUICK
    idempotent: bool = False
    reads_only: bool = False
    risks: frozenset[Risk] = frozenset()
    undo: UndoDeclaration | None = None
    secrets: frozenset[str] = frozenset()
    amount: str | None = None
