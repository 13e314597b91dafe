"""``/assent``: what waits, what a run does, stop and go on, who one is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import InvalidInput
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Role
from assent.domain.rollbacks import RollbackScopeKind
from assent.store import electorate, slack_workspaces
from assent.store.queries import inbox, pauses, runs
from assent.store.queries.inbox import Wanted
from assent.store.queries.paging import PageRequest
from assent_slack.blocks.lists import SHOWN, pending_list, run_summary
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message
from assent_slack.channels import find_channel
from assent_slack.clicks import Click
from assent_slack.deciding import answer
from assent_slack.dependencies import Dependencies
from assent_slack.listeners.actions.direct import want_direct
from assent_slack.listeners.commands.asked import Asked
from assent_slack.listeners.commands.linking import link
from assent_slack.people import Known, require
from assent_slack.workspaces import client_of

COMMAND = "/assent"

USAGE = """What Assent understands:
/assent pending – the requests that wait for you
/assent run ID – what a run does
/assent undo RUN, or RUN:ACTION – opens the preview of what would be undone
/assent pause everything, or agent NAME, or run ID, then why – no effect in it begins from that moment
/assent resume ID, then what was changed – end a pause
/assent paused – what is paused now
/assent link – say who you are in Assent; /assent link CODE with a code from there
/assent direct off, or on – direct messages
/assent channel – post requests in this channel from now on"""


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the command."""

    @app.command(COMMAND)
    async def assent(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        text, click = str(body.get("text", "")), Click.by_command(body)
        words = text.split()
        if words and words[0].lower() == "link":
            deps.work.start(link(deps, client, click, "".join(words[1:])))
        else:
            deps.work.start(_answer(deps, client, click, text))


async def _answer(deps: Dependencies, client: AsyncWebClient, click: Click, text: str) -> None:
    words = text.split()
    verb = words[0].lower() if words else "help"

    async def doing(known: Known) -> Message:
        return await _VERBS.get(verb, _help)(Asked(deps, known, click, words[1:]))

    await answer(deps, client, click, doing, lead="Nothing was done.", url=deps.links.inbox())


async def _help(asked: Asked) -> Message:
    return notice(USAGE, asked.deps.links.inbox())


async def _pending(asked: Asked) -> Message:
    def read() -> Message:
        with asked.deps.database.read() as session:
            tokens = electorate.tokens_of(session, asked.person.id, asked.deps.clock())
            wanted = Wanted(tokens=tuple(sorted(tokens)))
            page = inbox.page(session, wanted, request=PageRequest(limit=SHOWN)).items if tokens else ()
            total = inbox.count(session, wanted) if tokens else 0
            return pending_list(page, max(total, len(page)), asked.deps.links)

    return await asyncio.to_thread(read)


async def _run(asked: Asked) -> Message:
    run_id = asked.word(0, "the id of a run")

    def read() -> Message:
        with asked.deps.database.read() as session:
            return run_summary(runs.one(session, run_id), asked.deps.links)

    return await asyncio.to_thread(read)


async def _undo(asked: Asked) -> Message:
    require(asked.person, Role.OPERATOR, "undo")
    wanted = asked.word(0, "the id of a run, or of an action as RUN:KEY")
    scope = RollbackScopeKind.ACTION if ":" in wanted else RollbackScopeKind.RUN

    def exists() -> None:
        with asked.deps.database.read() as session:
            _ = runs.action(session, wanted) if scope is RollbackScopeKind.ACTION else runs.one(session, wanted)

    await asyncio.to_thread(exists)
    text = f"↩ What would be undone of {scope.value} {wanted}, and what cannot be, is shown before anything happens:"
    return notice(text, asked.deps.links.undo(scope.value, wanted), "open the preview")


async def _pause(asked: Asked) -> Message:
    require(asked.person, Role.OPERATOR, "pause or resume")
    scope, cause = _scope(asked)
    pause_id = await asked.deps.gateway.pause(scope, by=asked.acting, cause=cause)
    text = (
        f"❚❚ Paused: {scope.sentence}. No effect in it begins from now on. To go on: /assent resume {pause_id} REASON"
    )
    return notice(text, asked.deps.links.stop())


async def _resume(asked: Asked) -> Message:
    require(asked.person, Role.OPERATOR, "pause or resume")
    pause_id = asked.word(0, "the id of a pause")
    await asked.deps.gateway.resume(pause_id, by=asked.acting, note=asked.rest(1))
    return notice(f"▶ Resumed: {pause_id} is over.", asked.deps.links.stop())


async def _paused(asked: Asked) -> Message:
    def read() -> str:
        with asked.deps.database.read() as session:
            return "\n".join(
                f"❚❚ {pause.scope.sentence} · {pause.id} · by {pause.requested_by.name}"
                for pause in pauses.active(session, limit=SHOWN)
            )

    return notice(await asyncio.to_thread(read) or "Nothing is paused.", asked.deps.links.stop())


async def _direct(asked: Asked) -> Message:
    wanted = asked.word(0, "on or off").lower()
    if wanted not in {"on", "off"}:
        raise InvalidInput(f"Direct messages cannot be {wanted!r}.", where="command", todo="Say on or off.")
    return await want_direct(asked.deps, asked.known, wanted == "on")


async def _channel(asked: Asked) -> Message:
    require(asked.person, Role.ADMIN, "say where requests are posted")
    workspace = asked.deps.workspaces.get(asked.click.workspace_id)
    if workspace is None or workspace.configured:
        raise InvalidInput(
            "The channel of this workspace is set where Assent runs.",
            where="ASSENT_SLACK_CHANNEL",
            todo="Set it there.",
        )
    channel = await find_channel(client_of(asked.deps.posting.base, workspace), asked.click.channel_id)
    if not channel.get("is_member"):
        raise InvalidInput("The app is not in this channel.", where="channel", todo="Invite it: /invite @Assent.")

    def keep() -> str:
        with asked.deps.database.write() as session:
            kept = slack_workspaces.set_channel(
                session,
                workspace.team_id,
                channel_id=str(channel["id"]),
                channel_name=str(channel.get("name", "")),
                at=asked.deps.clock(),
                by=asked.acting,
            )
        return kept.channel_name

    name = await asyncio.to_thread(keep)
    await asked.deps.workspaces.refresh()
    return notice(f"✔ Requests are posted in #{name} from now on.", asked.deps.links.inbox())


def _scope(asked: Asked) -> tuple[Scope, str]:
    kind = asked.word(0, "what to pause: everything, agent NAME or run ID").lower()
    if kind == ScopeKind.EVERYTHING.value:
        return Scope(kind=ScopeKind.EVERYTHING), asked.rest(1)
    if kind not in {ScopeKind.AGENT.value, ScopeKind.RUN.value}:
        raise InvalidInput(
            f"Assent cannot pause {kind!r}.", where="command", todo="Say everything, agent NAME or run ID."
        )
    return Scope(kind=ScopeKind(kind), name=asked.word(1, f"which {kind}")[:200]), asked.rest(2)


_VERBS: Mapping[str, Callable[[Asked], Awaitable[Message]]] = {
    "pending": _pending,
    "run": _run,
    "undo": _undo,
    "pause": _pause,
    "resume": _resume,
    "paused": _paused,
    "direct": _direct,
    "channel": _channel,
}
