"""The commands that set Slack up: manifest, check, link, unlink and queue."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.oauth.installation_store import Installation

from assent.cli import run
from assent.commands.slack import app
from assent.domain.people import Role
from assent.runtime.settings import Settings
from assent.store import ledger, outbox, people
from assent.store.database import Database
from assent.store.sealing import Sealer
from assent.store.tables import LedgerEventRow, SlackTicketRow
from assent_slack.installations import SEALED_FOR, InstallationStore
from assent_slack.manifest import SCOPES, manifest, written
from tests.slack.fake_slack import FakeSlack
from tests.slack.fake_state import Channel, Failure, User
from tests.slack.office import KEY

Command = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def command(
    slack: FakeSlack,
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Run ``assent slack …`` against the fake Slack; gives exit code and everything that was written."""
    given = {
        "DATABASE_URL": str(database.url),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_CHANNEL": "approvals",
        "SLACK_BASE_URL": slack.api_url,
    }
    for name, value in given.items():
        monkeypatch.setenv(f"ASSENT_{name}", value)

    async def command(*arguments: str) -> tuple[int, str]:
        code = await asyncio.to_thread(run, ["slack", *arguments])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return command


@pytest.fixture
def ann(slack: FakeSlack, database: Database) -> User:
    """Somebody in Slack and somebody in Assent, not linked."""
    with database.write() as session:
        for email in ("ann@example.com", "bea@example.com"):
            people.add(session, email=email, roles=[Role.APPROVER], at=datetime.now(UTC))
    return slack.user("Ann", email="ann@example.com")


def slack_user(database: Database, email: str) -> str | None:
    """Who somebody is in Slack."""
    with database.read() as session:
        return people.named(session, email).slack_user


async def test_the_committed_manifest_is_the_printed_one(command: Command) -> None:
    committed = files("assent_slack").joinpath("manifest.json").read_text(encoding="utf-8")
    assert committed == written() + "\n"
    code, printed = await command("manifest")
    assert (code, json.loads(printed)) == (0, manifest())
    assert manifest()["settings"]["socket_mode_enabled"] is True


async def test_the_manifest_of_http_mode_names_its_address(command: Command) -> None:
    code, printed = await command("manifest", "--http", "https://assent.example.com/")
    made = json.loads(printed)
    assert code == 0
    url = "https://assent.example.com/slack/events"
    assert made["settings"]["interactivity"]["request_url"] == url
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert made["features"]["slash_commands"][0]["url"] == url
    assert made["settings"]["socket_mode_enabled"] is False
    assert (await command("manifest", "--http", "http://plain.example.com"))[0] == 2


def test_slack_takes_the_manifest() -> None:
    made = manifest()
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
    assert len(made["features"]["slash_commands"][0]["description"]) <= 100
    assert made["oauth_config"]["scopes"]["bot"] == list(SCOPES)


def test_the_page_about_slack_names_every_scope_and_command() -> None:
    page = (Path(__file__).parents[2] / "docs" / "slack.md").read_text(encoding="utf-8")
    for scope in SCOPES:
        assert f"`{scope}`" in page
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"`assent slack {command.name or command.callback.__name__}`" in page


async def test_check_says_that_all_is_well(command: Command) -> None:
    code, said = await command("check")
    assert code == 0
    assert said.count("✓ ok") == 4
    assert "Requests go to #approvals (C0APPROVE)." in said
    code, said = await command("check", "--json")
    assert [finding["part"] for finding in json.loads(said)] == ["token", "scopes", "channel", "clicks"]


def _bot_token_revoked(slack: FakeSlack) -> None:
    slack.fail("auth.test", Failure(error="token_revoked"))


def _no_scope(slack: FakeSlack) -> None:
    slack.scopes.remove("channels:history")


def _app_token_refused(slack: FakeSlack) -> None:
    slack.app_token = "xapp-another"


def _not_a_member(slack: FakeSlack) -> None:
    slack.channel.is_member = False


def _archived(slack: FakeSlack) -> None:
    slack.channel.is_archived = True


def _renamed(slack: FakeSlack) -> None:
    slack.channel.name = "other"


def _away(slack: FakeSlack) -> None:
    slack.fail("auth.test", Failure(cut=True, times=5))


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (_bot_token_revoked, "Slack does not accept the bot token: token_revoked."),
        (_no_scope, "channels:history (see whether a request was already posted"),
        (_app_token_refused, "Slack does not accept the app-level token: invalid_auth."),
        (_not_a_member, "Invite it: /invite @Assent."),
        (_archived, "The Slack channel approvals is archived."),
        (_renamed, "There is no Slack channel approvals"),
        (_away, "Slack does not accept the bot token: ServerDisconnectedError"),
    ],
)
async def test_check_says_what_is_wrong(
    command: Command, slack: FakeSlack, breaks: Callable[[FakeSlack], None], said: str
) -> None:
    breaks(slack)
    code, text = await command("check")
    assert code == 1
    assert said in text
    assert "→" in text


async def test_check_needs_a_way_in_and_a_channel(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSENT_SLACK_APP_TOKEN")
    monkeypatch.delenv("ASSENT_SLACK_CHANNEL")
    code, text = await command("check")
    assert code == 1
    assert "There is no way in for them." in text
    assert "No channel is set." in text
    monkeypatch.setenv("ASSENT_SLACK_SIGNING_SECRET", "s")
    assert "They come in by HTTP, signed" in (await command("check"))[1]
    monkeypatch.delenv("ASSENT_SLACK_BOT_TOKEN")
    code, text = await command("check")
    assert (code, "Slack is not set up." in text) == (2, True)


async def test_a_channel_is_found_on_any_page_and_by_its_id(
    command: Command, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        slack.channels[f"C{number}"] = Channel(f"C{number}", f"other{number}")
    slack.channels["C0LAST"] = Channel("C0LAST", "last")
    for configured in ("#last", "last", "C0LAST"):
        monkeypatch.setenv("ASSENT_SLACK_CHANNEL", configured)
        assert "Requests go to #last (C0LAST)." in (await command("check"))[1]


async def test_link_by_id_and_by_address(command: Command, slack: FakeSlack, database: Database, ann: User) -> None:
    code, said = await command("link", "ANN@example.com")
    assert (code, said) == (0, f"ann (ann@example.com) is now Ann (T0ACME/{ann.id}) in Slack.\n")
    assert slack_user(database, "ann@example.com") == f"T0ACME/{ann.id}"
    code, said = await command("link", "bea@example.com", ann.id)
    assert code == 5
    assert "That Slack user is already ann (ann@example.com)." in said
    code, said = await command("unlink", "ann@example.com", "--json")
    assert (code, json.loads(said)["slack_user"]) == (0, None)
    code, said = await command("link", "bea@example.com", f"T0ACME/{ann.id}", "--json")
    assert (code, json.loads(said)["slack_user"]) == (0, f"T0ACME/{ann.id}")
    with database.read() as session:
        kinds = [event.kind for event in session.query(LedgerEventRow) if "slack" in event.kind]
    assert kinds == ["person.slack_linked", "person.slack_unlinked", "person.slack_linked"]
    assert ledger.check_chain(database)[1] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nobody@example.com", "U1"], 3, "There is no person with the address"),
        (["bea@example.com"], 3, "Slack knows no user bea@example.com."),
        (["bea@example.com", "U404"], 3, "Slack knows no user U404."),
        (["bea@example.com", "@bea"], 2, "is no Slack user id"),
        (["bea@example.com", "U0BOT"], 4, "A bot can decide nothing."),
    ],
)
async def test_link_refuses_what_cannot_be(
    command: Command, database: Database, ann: User, arguments: list[str], code: int, said: str
) -> None:
    got, text = await command("link", *arguments)
    assert (got, said in text) == (code, True)
    assert slack_user(database, "bea@example.com") is None


async def test_link_while_slack_is_away_changes_nothing(
    command: Command, slack: FakeSlack, database: Database, ann: User
) -> None:
    slack.fail("auth.test", Failure(cut=True, times=5))
    code, text = await command("link", "ann@example.com", ann.id)
    assert (code, "Slack does not answer" in text) == (6, True)
    assert slack_user(database, "ann@example.com") is None


async def test_a_manifest_for_both_ways_names_where_it_is_installed(command: Command) -> None:
    _, printed = await command("manifest", "--http", "https://assent.example.com")
    redirect = ["https://assent.example.com/slack/oauth_redirect"]
    assert json.loads(printed)["oauth_config"]["redirect_urls"] == redirect
    _, printed = await command("manifest", "--http", "https://assent.example.com", "--socket")
    made = json.loads(printed)
    assert made["oauth_config"]["redirect_urls"] == redirect
    assert made["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in made["settings"]["interactivity"]


async def test_a_code_is_made_for_somebody_to_type(command: Command, database: Database, ann: User) -> None:
    code, said = await command("link", "ann@example.com", "--code")
    assert (code, "/assent link " in said) == (0, True)
    with database.read() as session:
        [row] = session.query(SlackTicketRow)
    assert row.person_id == people_id(database, "ann@example.com")
    assert (await command("link", "nobody@example.com", "--code"))[0] == 3


def people_id(database: Database, email: str) -> str:
    """The id of a person."""
    with database.read() as session:
        return people.named(session, email).id


async def test_installing_is_begun_by_a_link_once_it_is_set_up(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = await command("install-link")
    assert (code, "Other workspaces cannot install the app." in said) == (2, True)
    for name in ("CLIENT_ID", "CLIENT_SECRET", "SIGNING_SECRET"):
        monkeypatch.setenv(f"ASSENT_SLACK_{name}", "x")
    monkeypatch.setenv("ASSENT_SLACK_HTTP_URL", "https://slack.example.com/")
    code, said = await command("install-link")
    assert code == 0
    assert said.startswith("https://slack.example.com/slack/install?link=")
    assert "No workspace installed the app" in (await command("workspaces"))[1]


async def test_installed_workspaces_are_listed_checked_set_and_removed(
    command: Command, slack: FakeSlack, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLIENT_ID", "CLIENT_SECRET", "SIGNING_SECRET"):
        monkeypatch.setenv(f"ASSENT_SLACK_{name}", "x")
    monkeypatch.setenv("ASSENT_SECRET_KEY", KEY)
    other = slack.workspace("T0OTHER")
    store = InstallationStore(database, Sealer(KEY, SEALED_FOR), lambda: datetime.now(UTC))
    installation = Installation(
        team_id="T0OTHER",
        team_name="Other",
        bot_token=other.bot_token,
        bot_id=other.bot_id,
        bot_user_id=other.bot.id,
        bot_scopes=["chat:write"],
        user_id="",
    )
    await store.async_save(installation)
    found = await store.async_find_installation(enterprise_id=None, team_id="T0OTHER")
    assert found is not None
    assert found.bot_token == other.bot_token
    assert "T0OTHER  Other  no channel yet" in (await command("workspaces"))[1]
    code, said = await command("check")
    assert (code, "assent slack channel T0OTHER CHANNEL" in said) == (1, True)
    assert (await command("channel", "T0OTHER", "#nowhere"))[0] == 3
    assert (await command("channel", "T0NONE", "#approvals"))[0] == 3
    code, said = await command("channel", "T0OTHER", "#approvals")
    assert (code, said) == (0, "Requests go to #approvals (C0OTHER) in Other from now on.\n")
    assert (await command("check"))[0] == 0
    listed = json.loads((await command("workspaces", "--json"))[1])
    assert [one["channel_id"] for one in listed] == ["C0OTHER"]
    assert other.bot_token not in str(listed)
    bea = other.user("Bea", email="bea@example.com")
    with database.write() as session:
        people.add(session, email="bea@example.com", at=datetime.now(UTC))
    assert f"T0OTHER/{bea.id}" in (await command("link", "bea@example.com"))[1]
    assert (await command("remove", "T0OTHER"))[0] == 0
    assert (await command("remove", "T0OTHER"))[0] == 3
    assert await store.async_find_bot(enterprise_id=None, team_id="T0OTHER") is None


async def test_the_queue_shows_what_waits_and_why(command: Command, database: Database) -> None:
    assert await command("queue") == (0, "Nothing waits to be posted or updated.\n")
    now = datetime.now(UTC)
    with database.write() as session:
        outbox.enqueue(session, "slack", "approval.requested", "ap-1", now)
    [claimed] = outbox.claim_due(database, "slack", at=now, lease=now - now)
    with database.write() as session:
        outbox.mark_failed(session, claimed, retry_at=datetime(2100, 1, 1, tzinfo=UTC), error="channel_not_found")
    code, text = await command("queue")
    assert code == 0
    assert "ap-1  approval.requested  since" in text
    assert "failed 1 time: channel_not_found" in text
    assert "1 waiting, 1 failing, the oldest since" in text
    _, text = await command("queue", "--retry", "--json")
    shown: dict[str, Any] = json.loads(text)
    assert (shown["hurried"], shown["waiting"][0]["error"]) == (1, "channel_not_found")
    assert outbox.claim_due(database, "slack", at=datetime.now(UTC), lease=now - now)
