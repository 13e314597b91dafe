"""Other workspaces install the app: begun by administrators only, once, and undone when the app is removed there."""

from __future__ import annotations

import json
from datetime import timedelta

import aiohttp
import pytest
from yarl import URL

from assent.domain.approvals import ApprovalStatus
from assent.domain.people import Role
from assent.store import ledger, people, slack_workspaces
from assent.store.slack_tickets import Purpose, Ticket
from assent.store.tables import LedgerEventRow, SlackTicketRow, SlackWorkspaceRow
from assent_slack.buttons import APPROVE
from assent_slack.installing import LINK
from assent_slack.web import INSTALL_PATH, REDIRECT_PATH
from tests.slack.fake_requests import People
from tests.slack.fake_slack import FakeSlack
from tests.slack.office import AGENT, Office

# Slack's library still says who the app is in a way that aiohttp is about to take away.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


def link_of(office: Office, person_id: str = "") -> str:
    """An administrator's installation link, its code alone."""
    with office.database.write() as session:
        return office.tickets.make(session, Ticket(Purpose.INSTALL, person_id), at=office.now())


class Browser:
    """Somebody's browser, which keeps cookies."""

    def __init__(self, office: Office) -> None:
        self._base = URL(office.people.app_url).origin()
        self.cookie = ""

    async def get(self, path: str, **query: str) -> tuple[int, str]:
        """Open a page."""
        headers = {"Cookie": self.cookie} if self.cookie else {}
        url = self._base.with_path(path).with_query(query)
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
            for name, morsel in answer.cookies.items():
                self.cookie = f"{name}={morsel.value}"
            return answer.status, await answer.text()

    async def begin(self, link: str) -> tuple[int, str, str]:
        """Open an installation link; gives the state that leads on to Slack as well."""
        status, text = await self.get(INSTALL_PATH, **{LINK: link})
        state = text.partition("state=")[2].partition("&")[0].partition('"')[0]
        return status, text, state

    async def end(self, state: str, code: str) -> tuple[int, str]:
        """Come back from Slack."""
        return await self.get(REDIRECT_PATH, state=state, code=code)


async def install(office: Office, team_id: str = "T0OTHER", channel: bool = True) -> FakeSlack:
    """Install the app in another workspace, and say where requests go there."""
    other, browser = office.slack.workspace(team_id), Browser(office)
    _, _, state = await browser.begin(link_of(office))
    status, text = await browser.end(state, office.slack.new_code(other))
    assert (status, "Assent is installed in Other." in text) == (200, True)
    if channel:
        with office.database.write() as session:
            slack_workspaces.set_channel(
                session, team_id, channel_id=other.channel.id, channel_name="approvals", at=office.now(), by=AGENT
            )
        await office.workspaces.refresh()
    return other


async def test_an_administrators_link_installs_the_app_in_another_workspace(office: Office) -> None:
    office.person("Ada", Role.ADMIN)
    other, browser = office.slack.workspace("T0OTHER"), Browser(office)
    status, text, state = await browser.begin(link_of(office, "ada"))
    assert status == 200
    assert "https://slack.com/oauth/v2/authorize" in text
    assert "chat%3Awrite" in text or "chat:write" in text
    status, text = await browser.end(state, office.slack.new_code(other))
    assert (status, "Assent is installed in Other." in text) == (200, True)
    with office.database.read() as session:
        [row] = session.query(SlackWorkspaceRow)
        events = [event for event in session.query(LedgerEventRow) if event.kind == "slack.installed"]
    assert (row.team_id, row.name, row.installed_by) == ("T0OTHER", "Other", "ada")
    assert other.bot_token not in row.sealed_token
    assert [(json.loads(event.actor)["id"], json.loads(event.body)["team"]) for event in events] == [("ada", "T0OTHER")]
    assert other.bot_token not in str([event.body for event in events])
    assert "T0OTHER" in office.workspaces
    assert ledger.check_chain(office.database)[1] == []


async def test_requests_reach_and_are_decided_in_every_workspace(office: Office) -> None:
    other = await install(office)
    there = People(other, office.people.app_url)
    bea = other.user("Bea", email="bea@example.com")
    with office.database.write() as session:
        people.add(session, email="bea@example.com", name="Bea", roles=[Role.APPROVER], at=office.now())
    approval_id, message = await office.posted()
    [copy] = other.messages
    assert (await there.press(bea, copy, APPROVE)).in_time
    await office.settled()
    assert office.status(approval_id) is ApprovalStatus.APPROVED
    assert APPROVE not in str(copy["blocks"])
    assert APPROVE not in str(message["blocks"])


async def test_a_removed_app_is_listened_to_no_more(office: Office) -> None:
    other = await install(office)
    there = People(other, office.people.app_url)
    bea = other.user("Bea")
    assert (await there.command(bea, "help")).status == 200
    assert (await there.event("app_uninstalled")).status == 200
    await office.settled()
    refused = await there.command(bea, "help")
    assert (refused.status, "not installed in this workspace" in refused.body) == (403, True)
    await office.settled()
    assert "Assent is not installed in this workspace." in office.refusals()
    with office.database.read() as session:
        [row] = session.query(SlackWorkspaceRow)
    assert (row.sealed_token, row.removed_at is not None) == ("", True)
    approval_id = office.ask()
    await office.deliver()
    assert (office.status(approval_id), other.messages) == (ApprovalStatus.PENDING, [])


async def test_installing_again_keeps_the_channel(office: Office) -> None:
    other = await install(office)
    await People(other, office.people.app_url).event("tokens_revoked", tokens={"bot": ["U0BOT"]})
    await office.settled()
    assert "T0OTHER" not in office.workspaces
    browser = Browser(office)
    _, _, state = await browser.begin(link_of(office))
    assert (await browser.end(state, office.slack.new_code(other)))[0] == 200
    workspace = office.workspaces.get("T0OTHER")
    assert workspace is not None
    assert workspace.channel_id == other.channel.id


@pytest.mark.parametrize("link", ["", "AAAA-BBBB-CCCC", "used", "old", "typed"])
async def test_a_link_that_is_none_begins_nothing(office: Office, link: str) -> None:
    code = {"used": link_of(office), "old": link_of(office)}.get(link, link)
    if link == "typed":
        with office.database.write() as session:
            code = office.tickets.make(session, Ticket(Purpose.TYPED_IN_SLACK, "ann"), at=office.now())
    if link == "used":
        with office.database.write() as session:
            assert office.tickets.use_up(session, code, Purpose.INSTALL, at=office.now())
    if link == "old":
        office.slack.clock.advance(timedelta(minutes=16).total_seconds())
    status, text, state = await Browser(office).begin(code)
    assert (status, "unknown, was used or is too old" in text, state) == (403, True, "")


async def test_a_state_works_once_in_the_browser_that_began_and_for_minutes(office: Office) -> None:
    other, browser = office.slack.workspace("T0OTHER"), Browser(office)
    link = link_of(office)
    _, _, state = await browser.begin(link)
    stolen = Browser(office)
    status, text = await stolen.end(state, office.slack.new_code(other))
    assert (status, "another browser" in text) == (400, True)
    assert (await browser.end(state, "wrong"))[0] == 401
    status, text = await browser.end(state, office.slack.new_code(other))
    assert (status, "used before or is too old" in text) == (401, True)
    # The link went with its state.
    assert (await browser.begin(link))[0] == 403
    _, _, state = await browser.begin(link_of(office))
    office.slack.clock.advance(timedelta(minutes=16).total_seconds())
    assert (await browser.end(state, office.slack.new_code(other)))[0] == 401
    with office.database.read() as session:
        assert list(session.query(SlackWorkspaceRow)) == []


async def test_two_states_of_one_link_install_once(office: Office) -> None:
    other, first, second = office.slack.workspace("T0OTHER"), Browser(office), Browser(office)
    link = link_of(office)
    (_, _, one), (_, _, two) = await first.begin(link), await second.begin(link)
    assert (await first.end(one, office.slack.new_code(other)))[0] == 200
    assert (await second.end(two, office.slack.new_code(other)))[0] == 401


async def test_an_administrator_who_is_none_any_more_installs_nothing(office: Office) -> None:
    office.person("Ada", Role.ADMIN)
    office.person("Abe", Role.ADMIN)
    other, browser = office.slack.workspace("T0OTHER"), Browser(office)
    _, _, state = await browser.begin(link_of(office, "ada"))
    with office.database.write() as session:
        people.change(session, "ada", at=office.now(), by=AGENT, roles=[Role.APPROVER])
    status, text = await browser.end(state, office.slack.new_code(other))
    assert (status, "no administrator any more" in text) == (500, True)
    assert "T0OTHER" not in office.workspaces


async def test_what_slack_calls_off_is_said_and_its_text_is_no_markup(office: Office) -> None:
    status, text = await Browser(office).get(REDIRECT_PATH, error="access_denied")
    assert (status, "called off" in text) == (200, True)
    _, text = await Browser(office).get(REDIRECT_PATH, error="<script>alert(1)</script>")
    assert "<script>" not in text


async def test_nothing_of_a_ticket_or_token_is_readable_in_the_database(office: Office) -> None:
    link = link_of(office)
    await Browser(office).begin(link)
    with office.database.read() as session:
        rows = [row.model_dump_json() for row in session.query(SlackTicketRow)]
    assert len(rows) == 2
    assert not any(link in row or link.replace("-", "") in row for row in rows)


async def test_a_token_sealed_with_another_key_leaves_its_workspace_out(office: Office) -> None:
    await install(office)
    with office.database.write() as session:
        row = session.get(SlackWorkspaceRow, "T0OTHER")
        assert row is not None
        row.sealed_token = row.sealed_token[:-6] + "AAAAA="
    await office.workspaces.refresh()
    assert "T0OTHER" not in office.workspaces
    assert "T0ACME" in office.workspaces


async def test_a_channel_is_chosen_where_it_is(office: Office) -> None:
    other = await install(office, channel=False)
    ada = other.user("Ada", email="ada@example.com")
    with office.database.write() as session:
        people.add(session, email="ada@example.com", name="Ada", roles=[Role.ADMIN], at=office.now())
    there = People(other, office.people.app_url)
    await there.command(ada, "channel")
    await office.settled()
    assert "Requests are posted in #approvals from now on." in office.told(ada)
    office.ask()
    await office.deliver()
    assert len(other.messages) == 1
    ann = office.person("Ann", Role.ADMIN)
    await office.people.command(ann, "channel")
    await office.settled()
    assert "is set where Assent runs" in office.told(ann)
