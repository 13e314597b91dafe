"""How effects are taken back: the kinds of undo that a connector may declare."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class UndoKind(StrEnum):
    """How an effect is taken back."""

    BEFORE_IMAGE = "before_image"
    """What was there before is put back, if nobody has touched it since."""
    INVERSE = "inverse"
    """Another operation balances it: a refund is charged again."""
    COUNTER_MESSAGE = "counter_message"
    """It cannot be taken back, so whoever was reached is told: a mail from a template."""
    REVOKE = "revoke"
    """What it handed out is made void: a key, an access, a voucher."""
    MANUAL = "manual"
    """A person does it by hand, by a runbook."""

    @property
    def words(self) -> str:
        """The kind as people read it."""
        return _WORDS[self]

    @property
    def by_itself(self) -> bool:
        """Whether Assent can do it; otherwise it is a task for a person."""
        return self is not UndoKind.MANUAL


_WORDS = {
    UndoKind.BEFORE_IMAGE: "what was there before is put back",
    UndoKind.INVERSE: "another operation balances it",
    UndoKind.COUNTER_MESSAGE: "whoever was reached is told by mail",
    UndoKind.REVOKE: "what it handed out is made void",
    UndoKind.MANUAL: "a person does it by hand",
}


class Runbook(BaseModel):
    """How a person takes an effect back by hand.

    Attributes:
        text: What to do, step by step; may name arguments as ``{argument}``. At most 4,000 characters.
        link: Where more is written, an address with ``https://`` or ``http://``; empty if nowhere.
    """

    model_config = ConfigDict(frozen=True)

    text: str = Field(min_length=1, max_length=4_000)
    link: str = Field(default="", max_length=500, pattern=r"^(https?://\S+)?$")


class CounterMessage(BaseModel):
    """The mail that takes a message back as far as that goes; each part may name arguments as ``{argument}``.

    Attributes:
        subject: Its subject, one line of at most 200 characters.
        text: What it says, plain text of at most 10,000 characters.
    """

    model_config = ConfigDict(frozen=True)

    subject: str = Field(min_length=1, max_length=200, pattern=r"^[^\r\n]*$")
    text: str = Field(min_length=1, max_length=10_000)
