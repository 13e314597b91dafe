"""What a form is: fields, each of which stands for a place in the arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from assent.domain.canonical import Json

OTHERS = "others:"
"""Begins the name of the field that holds, as a JSON object, what an object has beyond its declared parts."""

REMOVE = "remove:"
"""Begins the name under which a form says that a part is to be left out; any value but an empty one says so."""


class FieldKind(StrEnum):
    """How a field is edited."""

    TEXT = "text"
    LONG_TEXT = "long-text"
    INTEGER = "integer"
    NUMBER = "number"
    CHOICE = "choice"
    SECRET = "secret"
    """Never shown: left blank it stays as it is, filled it is replaced."""
    OBJECT = "object"
    LIST = "list"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a field may have.

    Attributes:
        text: What the form sends.
        label: What people read.
        value: The value itself; nothing for the blank choice.
    """

    text: str
    label: str
    value: Json = None


@dataclass(frozen=True, slots=True)
class Field:
    """One place that can be edited, or a group of them.

    Attributes:
        name: JSON pointer of the place, or :data:`OTHERS` and the pointer of the object.
        label: What people read.
        kind: How it is edited.
        help: What it is, from the schema.
        hint: Limits, in words.
        required: It cannot be left out.
        nullable: Blank is a value of its own, ``null``.
        present: The arguments have it now.
        null: It is ``null`` now.
        text: What an input holds to begin with. What comes back unchanged leaves the value exactly as it is.
        value: The value now, unless it is a secret or a group.
        choices: What it may be; with a blank one where it may be left out.
        minimum: Smallest number, if declared.
        maximum: Largest number, if declared.
        max_length: Longest text, if declared.
        parts: Fields of an object, or entries of a list.
        order: Names of an object's parts in the order they have now.
        blank: What an entry to be added looks like; its name has the first free place.
        secret_kind: What a secret is when it is replaced.
    """

    name: str
    label: str
    kind: FieldKind
    help: str = ""
    hint: str = ""
    required: bool = False
    nullable: bool = False
    present: bool = True
    null: bool = False
    text: str = ""
    value: Json = None
    choices: tuple[Choice, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    parts: tuple[Field, ...] = ()
    order: tuple[str, ...] = ()
    blank: Field | None = None
    secret_kind: FieldKind = FieldKind.TEXT

    @property
    def removable(self) -> bool:
        """Whether a form offers to leave it out with :data:`REMOVE`: groups and secrets; others are made blank."""
        groups = (FieldKind.OBJECT, FieldKind.LIST, FieldKind.SECRET)
        return self.present and not self.required and self.kind in groups


@dataclass(frozen=True, slots=True)
class Form:
    """A form for arguments.

    Attributes:
        root: The arguments as a whole.
    """

    root: Field

    @property
    def fields(self) -> tuple[Field, ...]:
        """The arguments, each a field."""
        return self.root.parts


ABSENT = object()
"""Stands for a value that is not there; ``None`` is JSON's ``null``."""


def pointer(path: Sequence[str | int]) -> str:
    """The JSON pointer of a place."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
