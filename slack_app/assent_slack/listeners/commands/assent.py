"""``/assent``: what waits, what a run does, stop and go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError, InvalidInput
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Role, Via
from assent.domain.rollbacks import RollbackScopeKind
from assent.store.people import Person
from assent.store.queries import approvals, pauses, runs
from assent.store.queries.paging import PageRequest
from assent_slack.blocks.lists import SHOWN, pending_list, run_summary
from assent_slack.blocks.notices import notice, refusal
from assent_slack.blocks.pieces import Message
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.people import recognise, require
from assent_slack.telling import tell

COMMAND = "/assent"

USAGE = """What Assent understands:
/assent pending – the requests that wait for a person
/assent run ID – what a run does
/assent undo RUN, or RUN:ACTION – opens the preview of what would be undone
/assent pause everything, or agent NAME, or run ID, then why – no effect in it begins from that moment
/assent resume ID, then what was changed – end a pause
/assent paused – what is paused now"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command as it was typed, and who typed it."""

    deps: Dependencies
    person: Person
    words: list[str]

    def word(self, place: int, what: str) -> str:
        """One word of it.

        Raises:
            InvalidInput: It is missing.
        """
        if len(self.words) <= place:
            raise InvalidInput(f"This needs {what}.", where="command", todo="`/assent help` shows what is understood.")
        return self.words[place]

    def rest(self, place: int) -> str:
        """Everything from a word on."""
        return " ".join(self.words[place:])


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the command."""

    @app.command(COMMAND)
    async def assent(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        deps.work.start(_answer(deps, client, Click.by_command(body), str(body.get("text", ""))))


async def _answer(deps: Dependencies, client: AsyncWebClient, click: Click, text: str) -> None:
    try:
        words = text.split()
        person = await asyncio.to_thread(_recognise, deps, click)
        verb = words[0].lower() if words else "help"
        message = await _VERBS.get(verb, _help)(_Asked(deps, person, words[1:]))
    except AssentError as error:
        message = refusal(error, "Nothing was done.", deps.links.inbox())
    except Exception:
        log.exception("The command %r failed", text)
        message = notice("✖ Something in Assent failed. Look here whether it was done:", deps.links.inbox())
    await tell(client, click, message)


def _recognise(deps: Dependencies, click: Click) -> Person:
    with deps.database.read() as session:
        return recognise(session, click, deps.workspaces)


async def _help(asked: _Asked) -> Message:
    return notice(USAGE, asked.deps.links.inbox())


async def _pending(asked: _Asked) -> Message:
    def read() -> Message:
        with asked.deps.database.read() as session:
            page = approvals.pending(session, request=PageRequest(limit=SHOWN))
            return pending_list(page.items, approvals.count_pending(session), asked.deps.links)

    return await asyncio.to_thread(read)


async def _run(asked: _Asked) -> Message:
    run_id = asked.word(0, "the id of a run")

    def read() -> Message:
        with asked.deps.database.read() as session:
            return run_summary(runs.one(session, run_id), asked.deps.links)

    return await asyncio.to_thread(read)


async def _undo(asked: _Asked) -> Message:
    require(asked.person, Role.OPERATOR, "undo")
    wanted = asked.word(0, "the id of a run, or of an action as RUN:KEY")
    scope = RollbackScopeKind.ACTION if ":" in wanted else RollbackScopeKind.RUN

    def exists() -> None:
        with asked.deps.database.read() as session:
            _ = runs.action(session, wanted) if scope is RollbackScopeKind.ACTION else runs.one(session, wanted)

    await asyncio.to_thread(exists)
    text = f"↩ What would be undone of {scope.value} {wanted}, and what cannot be, is shown before anything happens:"
    return notice(text, asked.deps.links.undo(scope.value, wanted), "open the preview")


async def _pause(asked: _Asked) -> Message:
    require(asked.person, Role.OPERATOR, "pause or resume")
    scope, cause = _scope(asked)
    pause_id = await asked.deps.gateway.pause(scope, by=asked.person.acting(Via.SLACK), cause=cause)
    text = (
        f"❚❚ Paused: {scope.sentence}. No effect in it begins from now on. To go on: /assent resume {pause_id} REASON"
    )
    return notice(text, asked.deps.links.stop())


async def _resume(asked: _Asked) -> Message:
    require(asked.person, Role.OPERATOR, "pause or resume")
    pause_id = asked.word(0, "the id of a pause")
    await asked.deps.gateway.resume(pause_id, by=asked.person.acting(Via.SLACK), note=asked.rest(1))
    return notice(f"▶ Resumed: {pause_id} is over.", asked.deps.links.stop())


async def _paused(asked: _Asked) -> Message:
    def read() -> str:
        with asked.deps.database.read() as session:
            return "\n".join(
                f"❚❚ {pause.scope.sentence} · {pause.id} · by {pause.requested_by.name}"
                for pause in pauses.active(session, limit=SHOWN)
            )

    return notice(await asyncio.to_thread(read) or "Nothing is paused.", asked.deps.links.stop())


def _scope(asked: _Asked) -> tuple[Scope, str]:
    kind = asked.word(0, "what to pause: everything, agent NAME or run ID").lower()
    if kind == ScopeKind.EVERYTHING.value:
        return Scope(kind=ScopeKind.EVERYTHING), asked.rest(1)
    if kind not in {ScopeKind.AGENT.value, ScopeKind.RUN.value}:
        raise InvalidInput(
            f"Assent cannot pause {kind!r}.", where="command", todo="Say everything, agent NAME or run ID."
        )
    return Scope(kind=ScopeKind(kind), name=asked.word(1, f"which {kind}")[:200]), asked.rest(2)


_VERBS: Mapping[str, Callable[[_Asked], Awaitable[Message]]] = {
    "pending": _pending,
    "run": _run,
    "undo": _undo,
    "pause": _pause,
    "resume": _resume,
    "paused": _paused,
}
