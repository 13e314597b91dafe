"""``/assent``: what waits, what a run does, stop and go on, who one is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import InvalidInput
from assent.domain.people import Role
from assent.domain.rollback_scopes import RollbackScopeKind
from assent.store import electorate, slack_workspaces
from assent.store.queries import checks_shown, inbox, runs
from assent.store.queries.inbox import Wanted
from assent.store.queries.paging import PageRequest
from assent_slack.blocks.lists import SHOWN, pending_list, run_summary
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message
from assent_slack.blocks.stopping import stop_dialog
from assent_slack.buttons import Opened
from assent_slack.channels import find_channel
from assent_slack.clicks import Click
from assent_slack.deciding import answer
from assent_slack.dependencies import Dependencies
from assent_slack.listeners.actions.direct import want_direct
from assent_slack.listeners.commands import incidents, pausing
from assent_slack.listeners.commands.asked import Asked
from assent_slack.listeners.commands.linking import link
from assent_slack.people import Known, require
from assent_slack.resuming import open_resume
from assent_slack.stopping import open_view
from assent_slack.workspaces import client_of

COMMAND = "/assent"

USAGE = """What Assent understands:
/assent pending – the requests that wait for you
/assent run ID – what a run does
/assent undo RUN, or RUN:ACTION – opens the preview of what would be undone
/assent pause – asks what to stop, how and why; or say it at once: everything, agent NAME, version NAME@3, type TYPE,
connector NAME, label LABEL, record NAME or run ID, then why, with --drain or --compensate – no effect in it begins from
that moment
/assent resume, or resume ID – asks what was changed, then lets it go on
/assent paused – what is paused now
/assent incident, or incident TITLE – what is wrong now, or open an incident
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
        verb = words[0].lower() if words else ""
        trigger = str(body.get("trigger_id", ""))
        if verb == "link":
            deps.work.start(link(deps, client, click, "".join(words[1:])))
        elif verb == "resume":
            pause_id, changed = (words[1] if len(words) > 1 else ""), " ".join(words[2:])
            deps.work.start(open_resume(deps, client, click, trigger, pause_id, changed))
        elif verb == "pause" and len(words) == 1:
            deps.work.start(_open_stop(deps, client, click, trigger))
        else:
            deps.work.start(_answer(deps, client, click, text))


async def _open_stop(deps: Dependencies, client: AsyncWebClient, click: Click, trigger: str) -> None:
    opened = Opened(channel=click.channel_id, response_url=click.response_url)
    await open_view(deps, client, click, trigger, stop_dialog(opened))


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
        now = asked.deps.clock()
        with asked.deps.database.read() as session:
            tokens = electorate.tokens_of(session, asked.person.id, now)
            if not tokens:
                return pending_list((), 0, asked.deps.links)
            wanted = Wanted(tokens=tuple(sorted(tokens)))
            page = inbox.page(session, wanted, request=PageRequest(limit=SHOWN))
            mine = checks_shown.rows_for(session, asked.person.id, wanted, "", now)
            rows = checks_shown.among(page.items, mine, wanted.sort, last=page.next_cursor is None)
            total = inbox.count(session, wanted) + len(mine)
            return pending_list(rows, max(total, len(rows)), asked.deps.links)

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


_VERBS: Mapping[str, Callable[[Asked], Awaitable[Message]]] = {
    "pending": _pending,
    "run": _run,
    "undo": _undo,
    "pause": pausing.pause,
    "paused": pausing.paused,
    "incident": incidents.incident,
    "direct": _direct,
    "channel": _channel,
}
