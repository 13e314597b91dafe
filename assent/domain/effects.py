"""Effects: what an action did to the world, and how it is taken back."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from assent.domain.canonical import Json


class ResourceChange(BaseModel):
    """One record that an effect touches, with its content before and after.

    Attributes:
        resource: Stable name of the record, ``shop/orders/W123``.
        before: Content before; ``None`` if it did not exist or is not known.
        after: Content after; ``None`` if it no longer exists or is not known.
    """

    model_config = ConfigDict(frozen=True)

    resource: str
    before: Json = None
    after: Json = None


class Performed(BaseModel):
    """What a connector reports of a finished call.

    Attributes:
        result: The answer for the agent, JSON, at most 256 KiB when serialised.
        changes: Records touched.
        undo_data: What the connector needs to take it back; ``None`` if there is nothing to take back.
    """

    result: Json = None
    changes: list[ResourceChange] = Field(default_factory=list)
    undo_data: Json = None


class EffectStatus(StrEnum):
    """The life of an effect."""

    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class UndoStatus(StrEnum):
    """The life of an undo."""

    CLAIMED = "claimed"
    UNDONE = "undone"
    CONFLICT = "conflict"
    IMPOSSIBLE = "impossible"
    FAILED = "failed"
    UNKNOWN = "unknown"
