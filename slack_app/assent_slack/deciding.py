"""From a click to a decision: who it is, what the gateway says, and what the person is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.approvals import Verb
from assent.domain.errors import AssentError, Conflict, Forbidden, NeedsProof, NotFound
from assent.domain.people import Via
from assent.store.queries import approvals
from assent.store.tables import DecisionRow
from assent_slack import checking
from assent_slack.blocks.notices import notice, refusal
from assent_slack.blocks.pieces import Message
from assent_slack.buttons import Deciding, decision_id
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.people import Known
from assent_slack.standing import times_taken_back
from assent_slack.telling import tell

LOOK_EVERY_SECONDS = 0.25

log = logging.getLogger(__name__)

_DONE = {
    Verb.APPROVE: "✔ You approved: ",
    Verb.REJECT: "✔ You rejected: ",
    Verb.WITHDRAW: "✔ You took your approval back: ",
}


async def decide(
    deps: Dependencies, client: AsyncWebClient, click: Click, deciding: Deciding, verb: Verb, reason: str = ""
) -> None:
    """Send a decision to the run and tell the person what came of it."""
    url = deps.links.request(deciding.approval_id)

    async def doing(known: Known) -> Message:
        return await _decide(deps, known, deciding, verb, reason)

    await answer(deps, client, click, doing, lead="You decided nothing.", url=url, typed=reason)


async def answer(
    deps: Dependencies,
    client: AsyncWebClient,
    click: Click,
    doing: Callable[[Known], Awaitable[Message]],
    *,
    lead: str,
    url: str,
    typed: str = "",
) -> None:
    """Do something for whoever clicked, if they are somebody, and tell them privately what came of it.

    Args:
        deps: What listeners work with.
        client: With the workspace's token.
        click: Theirs.
        doing: What is to be done; its message is told. May raise ``AssentError``.
        lead: What a refusal begins with.
        url: The page that helps.
        typed: What they typed, which a refusal gives back.
    """
    try:
        known = await deps.people.recognise(click)
        if known.new:
            await tell(client, click, _linked_just_now(known, url))
        message = await doing(known)
    except AssentError as error:
        log.info("Refused %s of %s: %s", url, click.user_id, error.code)
        if isinstance(error, Forbidden):
            deps.refused(error.what, where=f"{click.team_id}/{click.user_id} at {url.rpartition('/')[2]}")
        message = refused(error, lead, url, typed)
    except Exception:
        log.exception("A click on %s failed", url)
        message = notice("✖ Something in Assent failed, and it is not certain whether it was done. Look here:", url)
    await tell(client, click, message)


def refused(error: AssentError, lead: str, url: str, typed: str = "") -> Message:
    """What was not done, why, where to do it, and what was typed in vain."""
    message = refusal(error, lead, url, "Decide on the web" if isinstance(error, NeedsProof) else "Open in Assent")
    if typed:
        message.blocks.extend(notice(f"You wrote: {typed}", url).blocks)
    return message


def _linked_just_now(known: Known, url: str) -> Message:
    return notice(
        f"Your Slack account is linked to {known.person.name} ({known.person.email}) in Assent from now on, "
        "because the confirmed address of both is the same.",
        url,
    )


async def _decide(deps: Dependencies, known: Known, deciding: Deciding, verb: Verb, reason: str) -> Message:
    person = known.person
    before = await asyncio.to_thread(_taken_back, deps, deciding, person.id)
    decided = decision_id(deciding, verb, person.id, before)
    try:
        await deps.gateway.decide(
            deciding.approval_id,
            verb=verb,
            digest=deciding.digest,
            by=person.acting(Via.SLACK),
            reason=reason,
            decision_id=decided,
        )
    except NotFound:
        if (told := await checking.decided(deps, person, deciding, verb, reason)) is None:
            raise
        return told
    except Conflict:
        # The same click again, delivered or made twice: its first delivery has the answer.
        verdict = await asyncio.to_thread(_verdict, deps, decided)
        if verdict is None:
            raise
    else:
        verdict = await _wait_for_verdict(deps, decided)
    return await asyncio.to_thread(_result, deps, deciding, verb, verdict)


def _taken_back(deps: Dependencies, deciding: Deciding, person_id: str) -> int:
    with deps.database.read() as session:
        return times_taken_back(session, deciding.approval_id, person_id)


async def _wait_for_verdict(deps: Dependencies, decided: str) -> DecisionRow | None:
    """What the run made of a decision; ``None`` if that cannot be told yet, for the decision itself is sent."""
    loop = asyncio.get_running_loop()
    until = loop.time() + deps.verdict_patience_seconds
    while True:
        try:
            verdict = await asyncio.to_thread(_verdict, deps, decided)
        except AssentError:
            verdict = None
        if verdict is not None or loop.time() >= until:
            return verdict
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def _verdict(deps: Dependencies, decided: str) -> DecisionRow | None:
    with deps.database.read() as session:
        return session.get(DecisionRow, decided)


def _result(deps: Dependencies, deciding: Deciding, verb: Verb, verdict: DecisionRow | None) -> Message:
    url = deps.links.request(deciding.approval_id)
    if verdict is None:
        return notice("◌ Your decision is with the run. The message changes as soon as the run has taken it.", url)
    if not verdict.counted:
        return notice(f"✖ Your decision came too late and changed nothing. {verdict.why_not}", url)
    after = " · The agent gets your reason." if verb is Verb.REJECT else ""
    return notice(f"{_DONE[verb]}{_headline(deps, deciding)}{after}", url)


def _headline(deps: Dependencies, deciding: Deciding) -> str:
    try:
        with deps.database.read() as session:
            return approvals.one(session, deciding.approval_id).headline
    except AssentError:
        return deciding.approval_id
