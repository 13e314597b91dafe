"""The ``checks`` block of a card: requests made up by its owner, to see whether those that should be refused are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from assent.domain.canonical import Json
from assent.policy.approval_block import Strict

MOST_VARIATIONS = 50
"""Variations of a card."""


class Variation(Strict):
    """How a real request becomes one that should be refused.

    Attributes:
        action: The action type whose past requests it is made from.
        because: Why it should be refused, one sentence; told to whoever decided it.
        set: Arguments replaced, by name.
        multiply: Numeric arguments multiplied, by name.
    """

    action: str = Field(min_length=1)
    because: str = Field(min_length=1, max_length=500)
    set: dict[str, Json] = Field(default_factory=dict)
    multiply: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.set and not self.multiply:
            raise ValueError(f"{self.action}: a variation needs `set` or `multiply`")
        return self

    def of(self, arguments: Mapping[str, Json]) -> dict[str, Json] | None:
        """The arguments changed; ``None`` where that changes nothing, or cannot be done."""
        changed: dict[str, Any] = {**arguments, **self.set}
        for name, factor in self.multiply.items():
            value = changed.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                return None
            product = round(value * factor, 2)
            changed[name] = int(product) if isinstance(value, int) and product == int(product) else product
        return changed if changed != dict(arguments) else None


class ChecksBlock(Strict):
    """Seeded checks of an agent.

    Attributes:
        one_in: One check for so many real requests at most, 20 to 100,000.
        a_day: Checks that one person is shown within 24 hours at most, 1 to 5.
        of: What they are made from.
    """

    one_in: int = Field(ge=20, le=100_000)
    a_day: int = Field(default=1, ge=1, le=5)
    of: list[Variation] = Field(min_length=1, max_length=MOST_VARIATIONS)
