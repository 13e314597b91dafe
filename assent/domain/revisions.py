"""Revisions of a request: what an approver changed before anybody decided, and what a new proposal replaces."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from pydantic import BaseModel, Field

from assent.domain.canonical import Json, stable_text
from assent.domain.catalogue import SECRET
from assent.domain.differences import Change, differences
from assent.domain.errors import InvalidInput
from assent.domain.paths import found, matches, replaced
from assent.domain.people import MAX_REASON, Actor


class Edit(BaseModel):
    """A person's change of a pending request's arguments; a Signal of the run.

    Attributes:
        id: Unique id of this edit; a repeated one is ignored.
        approval_id: The request it changes.
        action_id: The action behind it.
        digest: Digest of what the person was shown.
        arguments: The new arguments, whole; :data:`~assent.domain.catalogue.SECRET` stands for a declared secret that
            stays as it is.
        reason: Why; shown to everybody and to the agent. At most 4,000 characters.
        by: The person.
        at: When the gateway accepted it.
    """

    id: str
    approval_id: str
    action_id: str
    digest: str
    arguments: dict[str, Json]
    reason: str = Field(default="", max_length=MAX_REASON)
    by: Actor
    at: datetime


class ArgumentChange(BaseModel):
    """One part of the arguments that differs.

    Attributes:
        path: Names and one-based positions that lead to it.
        change: Whether it was changed, added or removed.
        before: The old value; ``None`` where there was none, dots for a declared secret.
        after: The new value, likewise.
    """

    path: list[str]
    change: Change
    before: Json = None
    after: Json = None


class Revised(BaseModel):
    """Why a request is not as the agent proposed it.

    Attributes:
        by: Who edited the arguments.
        reason: Why, in their words.
        changes: What differs from the revision before.
    """

    by: Actor
    reason: str = ""
    changes: list[ArgumentChange] = Field(default_factory=list)


class Predecessor(BaseModel):
    """What an action is proposed instead of.

    Attributes:
        key: Its key within the run.
        action_id: Its id.
        sentence: What it would have done, in words.
        status: What became of it: refused, rejected, expired, …
        message: Why.
        changes: What differs between its arguments and the new ones; empty for another action type.
        approval_id: The request that people decided, if there was one.
    """

    key: str
    action_id: str
    sentence: str
    status: str
    message: str = ""
    changes: list[ArgumentChange] = Field(default_factory=list)
    approval_id: str | None = None


def argument_changes(
    before: Mapping[str, Json], after: Mapping[str, Json], secrets: Collection[str] = ()
) -> list[ArgumentChange]:
    """What differs between two sets of arguments, without a secret's value on either side.

    Args:
        before: The old arguments, secrets included.
        after: The new ones.
        secrets: Paths of declared secrets.
    """
    changes: dict[tuple[str, ...], ArgumentChange] = {}
    for part in differences(dict(before), dict(after)):
        if part.change is Change.SAME:
            continue
        hidden = _secret_part(part.path, secrets)
        if hidden is None:
            old, new = (_shown(part.path, value, secrets) for value in (part.before, part.after))
            changes[part.path] = ArgumentChange(path=list(part.path), change=part.change, before=old, after=new)
        else:
            changes[hidden] = _hidden(hidden, before, after)
    return list(changes.values())


def with_kept_secrets(
    arguments: Mapping[str, Json], former: Mapping[str, Json], secrets: Collection[str]
) -> dict[str, Json]:
    """New arguments, in which the dots of a secret that there was before are its value again.

    Raises:
        InvalidInput: Dots stand where there was no secret before, so that nobody knows what they mean.
    """
    kept: dict[str, Json] = _kept(dict(arguments), former, secrets, ()) if secrets else dict(arguments)
    for pattern in secrets:
        if any(value == SECRET for value in found(kept, pattern)):
            raise InvalidInput(
                "The dots stand for a secret that was not there before.",
                where=f"arguments.{pattern}",
                todo="Write the secret itself, or leave the argument out.",
            )
    return kept


def same_arguments(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether two sets of arguments are written the same; 1 and 1.0 are not."""
    return stable_text(dict(one)) == stable_text(dict(other))


def _secret_part(path: tuple[str, ...], secrets: Collection[str]) -> tuple[str, ...] | None:
    """The declared secret that a place belongs to."""
    parts = (path[:length] for length in range(1, len(path) + 1))
    return next((part for part in parts if matches(part, secrets)), None)


def _shown(path: tuple[str, ...], value: Json, secrets: Collection[str]) -> Json:
    """A value without the secrets within it."""
    if not isinstance(value, dict | list):
        return value
    nested = value
    for name in reversed(path):
        nested = {name: nested}
    shown = replaced(nested, secrets, lambda _: SECRET)
    for name in path:
        shown = shown[name]
    return shown


def _hidden(path: tuple[str, ...], before: Json, after: Json) -> ArgumentChange:
    was, stays = _there(before, path), _there(after, path)
    change = Change.CHANGED if was and stays else Change.ADDED if stays else Change.REMOVED
    return ArgumentChange(
        path=list(path), change=change, before=SECRET if was else None, after=SECRET if stays else None
    )


def _there(value: Json, path: tuple[str, ...]) -> bool:
    for name in path:
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) <= len(value):
            value = value[int(name) - 1]
        else:
            return False
    return True


def _kept(new: Json, old: Json, secrets: Collection[str], path: tuple[str, ...]) -> Json:
    if path and matches(path, secrets):
        return old if new == SECRET else new
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return {
            name: _kept(value, old[name], secrets, (*path, name)) if name in old else value
            for name, value in new.items()
        }
    if isinstance(new, list) and isinstance(old, list):
        return [
            value if place is None else _kept(value, old[place], secrets, (*path, str(place + 1)))
            for value, place in zip(new, _places(new, old, secrets, path), strict=True)
        ]
    return new


def _places(new: list[Json], old: list[Json], secrets: Collection[str], path: tuple[str, ...]) -> list[int | None]:
    """Which former entry each new one is: one that reads the same, else, in a list as long as before, the same place.

    Where that is not certain there is none, so that no entry gets the secret of another.
    """
    shown = [stable_text(_shown((*path, str(place)), value, secrets)) for place, value in enumerate(old, 1)]
    alike: dict[str, list[int]] = {}
    for place, text in enumerate(shown):
        alike.setdefault(text, []).append(place)
    places: list[int | None] = []
    for place, text in enumerate(map(stable_text, new)):
        others = alike.get(text, [])
        if (place < len(shown) and shown[place] == text) or (not others and len(new) == len(old)):
            places.append(place)
        else:
            places.append(others[0] if len(others) == 1 else None)
    return places
