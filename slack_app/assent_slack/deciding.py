"""From a click to a decision: who it is, what the gateway says, and what the person is told."""

from __future__ import annotations

import asyncio
import logging

from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.approvals import Verb
from assent.domain.errors import AssentError, Conflict
from assent.domain.people import Via
from assent.store.people import Person
from assent.store.queries import approvals
from assent.store.tables import DecisionRow
from assent_slack.blocks.notices import notice, refusal
from assent_slack.blocks.pieces import Message
from assent_slack.buttons import Deciding, decision_id
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.people import recognise
from assent_slack.telling import tell

LOOK_EVERY_SECONDS = 0.25

log = logging.getLogger(__name__)


async def decide(
    deps: Dependencies, client: AsyncWebClient, click: Click, deciding: Deciding, verb: Verb, reason: str = ""
) -> None:
    """Send a decision to the run and tell the person what came of it."""
    try:
        message = await _decide(deps, click, deciding, verb, reason)
    except AssentError as error:
        log.info("Refused a decision on %s by %s: %s", deciding.approval_id, click.user_id, error.code)
        message = _refused(error, reason, deps.links.request(deciding.approval_id))
    except Exception:
        log.exception("A decision on %s failed", deciding.approval_id)
        url = deps.links.request(deciding.approval_id)
        message = notice("✖ Something in Assent failed, and it is not certain that you decided. Look here:", url)
    await tell(client, click, message)


async def _decide(deps: Dependencies, click: Click, deciding: Deciding, verb: Verb, reason: str) -> Message:
    person = await asyncio.to_thread(_recognise, deps, click)
    decided = decision_id(deciding, verb, person.id)
    try:
        await deps.gateway.decide(
            deciding.approval_id,
            verb=verb,
            digest=deciding.digest,
            by=person.acting(Via.SLACK),
            reason=reason,
            decision_id=decided,
        )
    except Conflict:
        # The same click again, delivered or made twice: its first delivery has the answer.
        verdict = await asyncio.to_thread(_verdict, deps, decided)
        if verdict is None:
            raise
    else:
        verdict = await _wait_for_verdict(deps, decided)
    return await asyncio.to_thread(_result, deps, deciding, verb, verdict)


def _recognise(deps: Dependencies, click: Click) -> Person:
    with deps.database.read() as session:
        return recognise(session, click, deps.workspaces)


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
    if verb is Verb.APPROVE:
        return notice(f"✔ You approved: {_headline(deps, deciding)}", url)
    return notice(f"✔ You rejected: {_headline(deps, deciding)} · The agent gets your reason.", url)


def _headline(deps: Dependencies, deciding: Deciding) -> str:
    try:
        with deps.database.read() as session:
            return approvals.one(session, deciding.approval_id).headline
    except AssentError:
        return deciding.approval_id


def _refused(error: AssentError, reason: str, url: str) -> Message:
    message = refusal(error, "You decided nothing.", url)
    if reason:
        message.blocks.extend(notice(f"Your reason was: {reason}", url).blocks)
    return message
