"""What the API says of people, groups, keys and one's own account."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from assent.domain.assurance import Proof
from assent.domain.people import Role
from assent.store.keys import KeyScope


class Strict(BaseModel):
    """A body: unknown fields are refused, so that a mistyped one is noticed."""

    model_config = ConfigDict(extra="forbid")


class View(BaseModel):
    """What is shown, read from the store's views."""

    model_config = ConfigDict(from_attributes=True)


class PersonOut(View):
    """A person."""

    id: str
    email: str
    name: str
    roles: list[Role]
    slack_user: str | None
    disabled: bool
    created_at: AwareDatetime


class PersonInFull(PersonOut):
    """A person, with their groups."""

    groups: list[str]


class PersonIn(Strict):
    """Somebody to add."""

    email: str = Field(max_length=254)
    name: str = Field(default="", max_length=200)
    roles: list[Role] = Field(default_factory=list, max_length=20)


class PersonChange(Strict):
    """What to change of a person; what is left out stays."""

    name: str | None = Field(default=None, max_length=200)
    roles: list[Role] | None = Field(default=None, max_length=20)
    disabled: bool | None = None


class GroupOut(View):
    """A group."""

    name: str
    title: str
    created_at: AwareDatetime
    size: int


class GroupInFull(GroupOut):
    """A group, with everybody in it."""

    members: list[PersonOut]


class GroupIn(Strict):
    """A group to make."""

    name: str = Field(max_length=60, examples=["finance-leads"])
    title: str = Field(default="", max_length=100)


class SessionOut(View):
    """An open session of one's own.

    Attributes:
        current: It is the one that asks.
    """

    id: str
    how: Proof
    user_agent: str
    address: str
    created_at: AwareDatetime
    seen_at: AwareDatetime
    expires_at: AwareDatetime
    current: bool = False


class PasskeyOut(View):
    """A passkey of one's own."""

    id: str
    name: str
    synced: bool
    created_at: AwareDatetime
    used_at: AwareDatetime | None


class AccountOut(BaseModel):
    """How one signs in.

    Attributes:
        fresh_until: Until when the last proof counts as fresh; past or null if it does not.
    """

    password_set_at: AwareDatetime | None
    passkeys: list[PasskeyOut]
    groups: list[str]
    fresh_until: datetime | None


class PasswordIn(Strict):
    """A password: at least 12 characters, of any kind."""

    password: str = Field(max_length=1_000)


class PasskeyName(Strict):
    """A passkey's name."""

    name: str = Field(max_length=60)


class KeyOut(View):
    """An agent's key, without the key."""

    id: str
    agent: str
    name: str
    scopes: list[str]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class KeyIn(Strict):
    """A key to make.

    Attributes:
        days: Days it works; 0 is until it is revoked.
    """

    name: str = Field(default="", max_length=100)
    scopes: list[KeyScope] = Field(default_factory=lambda: list(KeyScope), max_length=10)
    days: int = Field(default=90, ge=0, le=3650)


class KeyMade(BaseModel):
    """A key just made; `key` is shown this once."""

    id: str
    agent: str
    key: str
    scopes: list[KeyScope]
    expires_at: AwareDatetime | None


class CardIn(Strict):
    """A card to publish.

    Attributes:
        source: The card, YAML.
        instead_of: The version in force that it was written for; null for a new agent's first card.
    """

    source: str = Field(max_length=262_144)
    instead_of: int | None = Field(default=None, ge=1)


class CardOut(BaseModel):
    """A card in force."""

    agent: str
    version: int
    new: bool
