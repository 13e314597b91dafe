"""``/assent pause``, ``resume`` and ``paused``: typed whole, or asked for in a dialog."""

from __future__ import annotations

import asyncio

from assent.domain.errors import InvalidInput
from assent.domain.pauses import Disposition, Scope, ScopeKind
from assent.domain.scopes import read_scope
from assent.store.queries import pauses
from assent_slack.blocks.pieces import Message
from assent_slack.blocks.stopping import paused_list
from assent_slack.listeners.commands.asked import Asked
from assent_slack.stopping import stop

_FLAGS = {f"--{each.value}": each for each in Disposition}

KINDS = "everything, or agent, version, type, connector, label, record or run and its name"


async def pause(asked: Asked) -> Message:
    """Stop what was typed."""
    scope, disposition, cause = read(asked)
    return await stop(asked.deps, asked.known, scope, disposition, cause)


async def paused(asked: Asked) -> Message:
    """What is paused."""

    def look() -> Message:
        with asked.deps.database.read() as session:
            held = pauses.active(session)
        return paused_list(held, len(held), asked.deps.links)

    return await asyncio.to_thread(look)


def read(asked: Asked) -> tuple[Scope, Disposition, str]:
    """What ``/assent pause`` is to stop, how, and why.

    Raises:
        InvalidInput: It is no scope.
    """
    flags = [word for word in asked.words if word.lower() in _FLAGS]
    words = [word for word in asked.words if word.lower() not in _FLAGS]
    kind = words[0].lower() if words else ""
    if kind not in list(ScopeKind):
        raise InvalidInput(f"Assent cannot pause {kind!r}.", where="command", todo=f"Say {KINDS}.")
    named = kind != ScopeKind.EVERYTHING
    if named and len(words) < 2:
        raise InvalidInput(f"Which {kind}?", where="command", todo=f"Say {KINDS}.")
    scope = read_scope(kind, words[1] if named else "")
    disposition = _FLAGS[flags[-1].lower()] if flags else Disposition.FREEZE
    return scope, disposition, " ".join(words[2 if named else 1 :])
