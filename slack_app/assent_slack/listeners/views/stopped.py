"""The dialog Stop: it stops, or says in itself what is wrong."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import InvalidInput
from assent.domain.pauses import Scope
from assent.domain.scopes import read_disposition, read_scope
from assent_slack.blocks.pieces import Message
from assent_slack.blocks.stopping import offered_scopes
from assent_slack.buttons import CAUSE_BLOCK, DISPOSITION_BLOCK, NAME_BLOCK, SCOPE_BLOCK, STOP_VIEW
from assent_slack.dependencies import Dependencies
from assent_slack.people import Known
from assent_slack.stopping import NOT_STOPPED, Sent, sent_of, stop, take


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the dialog."""

    @app.view(STOP_VIEW)
    async def stopped(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        sent = sent_of(body, view)

        async def doing(known: Known) -> Message:
            disposition = read_disposition(sent.choice(DISPOSITION_BLOCK))
            return await stop(deps, known, _scope(sent), disposition, sent.text(CAUSE_BLOCK) or _cause(sent))

        typed = len(offered_scopes(sent.opened.beside)) == 1
        place = NAME_BLOCK if typed else SCOPE_BLOCK
        fields = dict.fromkeys(("scope", "scope.name", "agent", "run", "record", "label", "type"), place)
        await take(deps, client, ack, sent, doing, lead=NOT_STOPPED, fields=fields)


def _scope(sent: Sent) -> Scope:
    kind, offered = sent.choice(SCOPE_BLOCK), offered_scopes(sent.opened.beside)
    if len(offered) == 1:
        return read_scope(kind, sent.text(NAME_BLOCK))
    chosen = next((scope for scope in offered if scope.kind.value == kind), None)
    if chosen is None:
        raise InvalidInput("That is not offered here.", where="scope", todo="Choose one of the scopes.")
    return chosen


def _cause(sent: Sent) -> str:
    beside = sent.opened.beside.approval_id
    return f"From the request {beside} in Slack." if beside else ""
