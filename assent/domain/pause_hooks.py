"""Hooks by which monitoring systems pause: what one stops and why is fixed when it is made."""

from __future__ import annotations

import json
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from assent.domain.canonical import Json
from assent.domain.errors import InvalidInput
from assent.domain.pauses import Disposition, Scope, cause_kept
from assent.domain.scopes import read_disposition, read_scope

MAX_BODY = 256 * 1024
"""Bytes of a call's body at most."""

MAX_CAUSE = 1_000
"""Characters of a cause; a longer one is cut and says so."""

NOT_GIVEN = "(not given)"
"""What stands in a cause for a field that a call does not have."""

_VALUE = 200
"""Characters that one field of a call gives to a cause."""

_FIELD = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){0,9}"
_PLACE = re.compile(rf"\{{({_FIELD})\}}")

HookName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$")]
"""A hook's name, a part of its address: small letters, digits and hyphens."""


class OnlyWhen(BaseModel):
    """Which calls of a hook pause, by one field of their body: others are taken and do nothing.

    Monitoring systems tell of an alarm's end at the same address as of its beginning.
    """

    model_config = ConfigDict(frozen=True)

    field: str = Field(pattern=rf"^{_FIELD}$", max_length=200)
    """Path of the field in the body, its parts joined by dots: ``alerts.0.status``."""
    value: str = Field(min_length=1, max_length=200)
    """What it must say."""

    @property
    def written(self) -> str:
        """As it is typed, ``status=firing``."""
        return f"{self.field}={self.value}"


class PauseHookTerms(BaseModel):
    """What a hook may do, fixed when it is made.

    Attributes:
        name: What it is called in its address.
        scope: What it pauses.
        cause: Why, with ``{path.of.a.field}`` for what a call's body says there.
        disposition: What the pause does with work in its scope.
        only_when: Which calls pause; ``None`` for all.
    """

    model_config = ConfigDict(frozen=True)

    name: HookName
    scope: Scope
    cause: str = Field(min_length=1, max_length=MAX_CAUSE)
    disposition: Disposition = Disposition.FREEZE
    only_when: OnlyWhen | None = None

    @property
    def needs_json(self) -> bool:
        """Whether something of a call's body is looked at."""
        return self.only_when is not None or _PLACE.search(self.cause) is not None


def terms_of(*, name: str, kind: str, scope_name: str, cause: str, disposition: str, when: str) -> PauseHookTerms:
    """Terms as somebody typed them.

    Raises:
        InvalidInput: Something of them cannot be.
    """
    try:
        return PauseHookTerms(
            name=name.strip(),
            scope=read_scope(kind, scope_name),
            cause=cause.strip(),
            disposition=read_disposition(disposition),
            only_when=only_when(when),
        )
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        todo = {
            "name": "Small letters, digits and hyphens, 60 at most.",
            "cause": f"Say why it pauses, in at most {MAX_CAUSE:,} characters.",
        }.get(where, "")
        raise InvalidInput("This is no hook that can be made.", where=where, todo=todo) from error


def read_body(terms: PauseHookTerms, body: bytes) -> Json:
    """What a call says; nothing if the hook does not look at it.

    Raises:
        InvalidInput: The hook looks at it, and it is no JSON.
    """
    if not terms.needs_json:
        return None
    try:
        said: Json = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"The hook {terms.name} reads its call's body, and this one is no JSON.",
            where="body",
            todo="Send JSON in UTF-8; nothing was paused.",
        ) from error
    return said


def wanted(terms: PauseHookTerms, said: Json) -> bool:
    """Whether a call is one of those that pause."""
    if terms.only_when is None:
        return True
    found = field_of(said, terms.only_when.field)
    return found is not None and found == terms.only_when.value


def cause_of(terms: PauseHookTerms, said: Json) -> str:
    """The cause of the pause that a call asks for, at most :data:`MAX_CAUSE` characters."""

    def filled(place: re.Match[str]) -> str:
        found = field_of(said, place[1])
        return NOT_GIVEN if found is None else cause_kept(" ".join(found.split()) or '""', _VALUE)

    return cause_kept(_PLACE.sub(filled, terms.cause), MAX_CAUSE)


def field_of(said: Json, path: str) -> str | None:
    """One field of a body as text, by its path; ``None`` if it is not there, or nested too deeply to be text."""
    at = said
    for part in path.split("."):
        if isinstance(at, dict) and part in at:
            at = at[part]
        elif isinstance(at, list) and part.isascii() and part.isdecimal() and int(part[:6]) < len(at):
            at = at[int(part[:6])]
        else:
            return None
    try:
        return at if isinstance(at, str) else json.dumps(at, ensure_ascii=False)
    except RecursionError:
        return None


def only_when(text: str) -> OnlyWhen | None:
    """Read ``status=firing`` as it is typed; nothing if nothing is.

    Raises:
        InvalidInput: It does not look like that.
    """
    if not text.strip():
        return None
    field, _, value = text.strip().partition("=")
    field, value = field.strip(), value.strip()
    if not re.fullmatch(_FIELD, field) or len(field) > 200 or not 0 < len(value) <= 200:
        raise InvalidInput(
            f"{text.strip()[:100]!r} does not say which calls pause.",
            where="only_when",
            todo="It looks like status=firing: a field of the body, and what it must say.",
        )
    return OnlyWhen(field=field, value=value)
