"""The scope of a pause as it is typed or sent: in a form, an address, a command or a body."""

from __future__ import annotations

from assent.domain.errors import InvalidInput
from assent.domain.pauses import Disposition, Scope, ScopeKind

MAX_NAME = 200
"""Characters of a scope's name."""


def read_scope(kind: str, name: str) -> Scope:
    """A scope of a kind and a name.

    Raises:
        InvalidInput: There is no such kind, or the name is missing, too long, or given where none is.
    """
    if kind not in list(ScopeKind):
        raise InvalidInput(
            f"There is no scope {kind!r}.",
            where="scope",
            todo=f"Say one of {', '.join(each.value for each in ScopeKind)}.",
        )
    wanted = name.strip()
    if (kind != ScopeKind.EVERYTHING) != bool(wanted):
        raise InvalidInput(
            "Everything has no name, and every other scope has one.", where="scope.name", todo="Say what is to stop."
        )
    if len(wanted) > MAX_NAME:
        raise InvalidInput(f"A scope's name has at most {MAX_NAME} characters.", where="scope.name")
    return Scope(kind=ScopeKind(kind), name=wanted)


def read_disposition(word: str) -> Disposition:
    """A disposition by its word; nothing said is *freeze*.

    Raises:
        InvalidInput: There is none of this word.
    """
    if not word:
        return Disposition.FREEZE
    if word not in list(Disposition):
        raise InvalidInput(
            f"There is no disposition {word!r}.", where="disposition", todo="Say freeze, drain or compensate."
        )
    return Disposition(word)
