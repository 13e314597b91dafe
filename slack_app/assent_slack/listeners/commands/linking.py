"""``/assent link``: say which person a Slack user is, by a code that works once."""

from __future__ import annotations

import asyncio

from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError, Forbidden
from assent.domain.people import Via
from assent.store import people, slack_people
from assent.store.people import Person
from assent.store.slack_people import How
from assent.store.slack_tickets import Purpose, Ticket
from assent_slack.accounts import Account
from assent_slack.blocks.notices import notice
from assent_slack.blocks.pieces import Message
from assent_slack.clicks import Click
from assent_slack.deciding import refused
from assent_slack.dependencies import Dependencies
from assent_slack.telling import tell


async def link(deps: Dependencies, client: AsyncWebClient, click: Click, code: str) -> None:
    """Link whoever typed it: by a code of theirs from Assent, or by a page of Assent that they open signed in."""
    try:
        account = await deps.people.account(click)
        message = await _by_code(deps, account, code) if code else await _by_page(deps, account)
    except AssentError as error:
        if isinstance(error, Forbidden):
            deps.refused(error.what, where=f"{click.team_id}/{click.user_id} at link")
        message = refused(error, "You were not linked.", deps.links.inbox())
    await tell(client, click, message)


async def _by_code(deps: Dependencies, account: Account, code: str) -> Message:
    person = await asyncio.to_thread(_use, deps, account, code)
    return notice(f"✔ Your Slack account is {person.name} ({person.email}) in Assent from now on.", deps.links.inbox())


def _use(deps: Dependencies, account: Account, code: str) -> Person:
    at = deps.clock()
    with deps.database.write() as session:
        ticket = deps.tickets.use_up(session, code, Purpose.TYPED_IN_SLACK, at=at)
        person = people.one(session, ticket.person_id) if ticket is not None else None
        if person is None or person.disabled:
            raise Forbidden(
                "This code is unknown, was used or is too old.",
                where="code",
                todo="Get a new one in Assent (System, Slack), or type /assent link without a code.",
            )
        slack_people.link(
            session,
            person,
            team_id=account.team_id,
            user_id=account.user_id,
            how=How.CODE,
            at=at,
            by=person.acting(Via.SLACK),
            home=deps.workspaces.home,
        )
        return person


async def _by_page(deps: Dependencies, account: Account) -> Message:
    def make() -> str:
        ticket = Ticket(Purpose.OPENED_ON_THE_WEB, "", account.team_id, account.user_id, account.name)
        with deps.database.write() as session:
            return deps.tickets.make(session, ticket, at=deps.clock())

    code = await asyncio.to_thread(make)
    text = (
        f"Open this page within 15 minutes, signed in to Assent as yourself, and confirm that {account.name} is you. "
        "Give it to nobody: whoever opens it links your Slack account to themselves."
    )
    return notice(text, deps.links.link_slack(code), "Confirm in Assent")
