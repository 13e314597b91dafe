"""``assent slack`` as a process of its own, with a real Temporal server, a worker and a fake Slack."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import pytest
import pytest_asyncio

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.people import Actor, Role, Via
from assent.runtime import processes
from assent.runtime.settings import Settings
from assent.store import pause_rows, people, slack_people
from assent.store.database import Database
from assent.store.migrate import migrate
from assent.store.slack_people import How
from assent_slack.buttons import APPROVE, EDIT, REJECT, TALK
from tests.slack.fake_blocks import buttons, reading
from tests.slack.fake_requests import People
from tests.slack.fake_slack import FakeSlack
from tests.slack.fake_state import Failure, Message, User
from tests.slack.waiting import until
from tests.world import ANN, World, action, make_world

pytestmark = pytest.mark.workflow

CLI = Actor(id="assent", name="the command line", via=Via.CLI)


@dataclass
class Running:
    """A process, what people do through it, and what it wrote so far."""

    process: asyncio.subprocess.Process
    people: People
    written: list[str]

    async def says(self, words: str) -> None:
        """Wait until it has written something."""
        await until(lambda: self.process.returncode is not None or any(words in line for line in self.written))
        assert any(words in line for line in self.written), "".join(self.written)

    async def ends(self) -> int:
        """Ask it to end; gives its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@pytest.fixture
def configured(slack: FakeSlack, settings: Settings) -> Settings:
    """Settings for the fake Slack, HTTP and Socket Mode both."""
    return Settings.load(
        data_dir=settings.data_dir,
        slack_bot_token=slack.bot_token,
        slack_app_token=slack.app_token,
        slack_signing_secret=slack.signing_secret,
        slack_channel="#approvals",
        slack_base_url=slack.api_url,
        public_url="https://assent.example.com",
    )


@pytest_asyncio.fixture
async def world(temporal_server: str, configured: Settings) -> AsyncIterator[World]:
    """Everything but Slack."""
    made = await make_world(temporal_server, configured.database_url, configured)
    async with made.working(channels=("slack",)):
        yield made
    made.database.close()


@asynccontextmanager
async def process(slack: FakeSlack, settings: Settings, *options: str) -> AsyncIterator[Running]:
    """Run ``assent slack`` while the block runs."""
    changes: dict[str, str | None] = dict(settings.environment())
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "assent",
        "slack",
        *options,
        env=processes.environment(changes),
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    running = Running(started, People(slack), [])
    if "--http" in options:
        running.people.app_url = f"http://127.0.0.1:{options[-1]}/slack/events"
    assert started.stderr is not None

    async def read(stream: asyncio.StreamReader) -> None:
        async for line in stream:
            running.written.append(line.decode())

    reading_on = asyncio.create_task(read(started.stderr))
    try:
        yield running
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()
        await reading_on


def link(database: Database, slack: FakeSlack) -> User:
    """Ann in Slack."""
    ann = slack.user("Ann")
    with database.write() as session:
        slack_people.link(
            session,
            people.named(session, "ann@example.com"),
            team_id=slack.team_id,
            user_id=ann.id,
            how=How.COMMAND,
            at=datetime.now(UTC),
            by=CLI,
        )
    return ann


async def message_about(slack: FakeSlack, words: str) -> Message:
    """Wait until a request is in the channel."""

    def found() -> list[Message]:
        return [message for message in slack.messages if words in reading(message["blocks"])]

    await until(found)
    return found()[0]


async def until_it_says(message: Message, words: str) -> None:
    """Wait until a copy was updated."""
    await until(lambda: words in reading(message["blocks"]))


@pytest.mark.parametrize("way", ["http", "socket"])
async def test_from_proposal_to_effect_through_slack(
    world: World, slack: FakeSlack, configured: Settings, way: str
) -> None:
    ann = link(world.database, slack)
    options = ("--http", str(processes.free_port())) if way == "http" else ()
    unused = "slack_app_token" if way == "http" else "slack_signing_secret"
    async with process(slack, world.settings.model_copy(update={unused: None}), *options) as running:
        await running.says("Slack is ready.")
        run_id = await world.start(
            action("a", "desk.pay", to="bob", amount=5), action("b", "desk.pay", to="al", amount=6)
        )

        first = await message_about(slack, "Pay 5 to bob")
        assert "It moves money." in reading(first["blocks"])
        assert (await running.people.press(ann, first, APPROVE)).in_time
        await world.outcome(run_id, "a", ActionStatus.DONE)
        await until_it_says(first, "✔ Approved by Ann Approver (slack)")
        assert world.desk.balances == {"bob": 5}

        second = await message_about(slack, "Pay 6 to al")
        assert (await running.people.press(ann, second, REJECT)).in_time
        await until(lambda: slack.dialogs)
        [dialog] = slack.dialogs.values()
        assert (await running.people.submit(ann, dialog, "Al was paid yesterday")).in_time
        outcome = await world.outcome(run_id, "b", ActionStatus.REJECTED)
        assert outcome.message == "Al was paid yesterday"
        await until_it_says(second, "Al was paid yesterday")

        assert world.desk.balances == {"bob": 5}
        assert buttons(first).keys() == buttons(second).keys() == {"assent.open", "assent.stop"}
        assert len(slack.messages) == 2
        assert slack.refused == []
        assert await running.ends() == 0
    assert not [line for line in running.written if "Traceback" in line]


async def test_an_edit_and_a_question_through_slack_reach_the_run_and_the_agent(
    world: World, slack: FakeSlack, configured: Settings
) -> None:
    ann = link(world.database, slack)
    async with process(slack, world.settings) as running:
        await running.says("Slack is ready.")
        run_id = await world.start(action("a", "desk.pay", to="bob", amount=5))
        await message_about(slack, "Pay 5 to bob")
        await until(lambda: slack.direct(ann))
        [message] = slack.direct(ann)

        assert (await running.people.press(ann, message, TALK)).in_time
        await until(lambda: slack.dialogs)
        [dialog] = slack.dialogs.values()
        await running.people.submit(ann, dialog, "Why so much?", fields={"kind": "question"})
        await until(lambda: slack.thread(message))
        assert [question.text for question in await world.gateway.questions(run_id)] == ["Why so much?"]

        assert (await running.people.press(ann, message, EDIT)).in_time
        await until(lambda: any("f:/amount" in str(dialog["blocks"]) for dialog in slack.dialogs.values()))
        dialog = list(slack.dialogs.values())[-1]
        refused = await running.people.submit(ann, dialog, fields={"f:/amount": "-1"})
        assert "f:/amount" in refused.body
        assert (await running.people.submit(ann, dialog, "Less", fields={"f:/amount": "4"})).body == ""
        await until_it_says(message, "Pay 4 to bob")
        assert (await running.people.press(ann, message, APPROVE)).in_time
        await world.outcome(run_id, "a", ActionStatus.DONE)
        await until_it_says(message, "✔ Approved by Ann Approver (slack)")
        assert world.desk.balances == {"bob": 4}
        assert slack.refused == []
        assert await running.ends() == 0
    assert not [line for line in running.written if "Traceback" in line]


async def test_a_request_decided_elsewhere_is_updated_and_a_late_click_told_so(
    world: World, slack: FakeSlack, configured: Settings
) -> None:
    ann = link(world.database, slack)
    async with process(slack, world.settings) as running:
        await running.says("Slack is ready.")
        run_id = await world.start(action("a", "desk.pay", to="bob", amount=5))
        message = await message_about(slack, "Pay 5 to bob")
        click = running.people.press_payload(ann, message, APPROVE)
        await world.decide(await world.outcome(run_id, "a", ActionStatus.AWAITING), Verb.REJECT, by=ANN, reason="No")
        await until_it_says(message, "✖ Rejected by Ann Approver (web)")
        assert (await running.people.deliver("interactive", click)).in_time
        await until(lambda: slack.whispers)
        assert "already rejected by Ann Approver" in reading(slack.whispers[-1].message["blocks"])
        assert await running.ends() == 0


async def test_it_waits_for_slack_and_for_temporal_and_stops_without_them(
    slack: FakeSlack, configured: Settings
) -> None:
    database = Database(configured.database_url)
    migrate(database)
    nowhere = configured.model_copy(update={"temporal_address": f"127.0.0.1:{processes.free_port()}"})
    slack.fail("*", Failure(status=503, times=1))
    oli = slack.user("Oli")
    with database.write() as session:
        person = people.add(session, email="oli@example.com", roles=[Role.OPERATOR], at=datetime.now(UTC))
        # A link from before there were several workspaces names none.
        slack_people.link(session, person, team_id="", user_id=oli.id, how=How.TAKEN_OVER, at=datetime.now(UTC), by=CLI)
    async with process(slack, nowhere) as running:
        await running.says("Waiting for Slack")
        await slack.connected.wait()
        assert (await running.people.command(oli, "pause everything while Temporal is away")).in_time
        await until(lambda: slack.whispers)
        assert "❚❚ Paused: everything" in reading(slack.whispers[-1].message["blocks"])
        with database.read() as session:
            assert len(pause_rows.unannounced(session)) == 1
        await running.says("Waiting for the Temporal server")
        assert await running.ends() == 0
    database.close()


@pytest.mark.parametrize(
    ("changes", "exit_code", "said"),
    [
        ({"slack_bot_token": "xoxb-wrong"}, 4, "Slack does not accept a token: invalid_auth"),
        ({"slack_app_token": "xapp-wrong"}, 4, "Slack does not accept a token: invalid_auth"),
        ({"slack_channel": "#nowhere"}, 3, "There is no Slack channel #nowhere"),
        ({"slack_channel": None}, 2, "No Slack channel for approval requests is set"),
        ({"slack_bot_token": None}, 2, "Slack is not set up"),
        ({"slack_app_token": None, "slack_signing_secret": None}, 2, "There is no way for clicks to come in"),
    ],
)
async def test_what_is_wrong_is_told_at_start(
    slack: FakeSlack, configured: Settings, changes: dict[str, str | None], exit_code: int, said: str
) -> None:
    kept = configured.model_dump(exclude={name for name, value in changes.items() if value is None})
    settings = Settings.load(**{**kept, **{name: value for name, value in changes.items() if value is not None}})
    async with process(slack, settings) as running:
        assert await running.process.wait() == exit_code
    assert said in "".join(running.written)


async def test_a_taken_port_is_told(slack: FakeSlack, configured: Settings) -> None:
    migrate(database := Database(configured.database_url))
    database.close()
    async with process(slack, configured, "--http", slack.url.rpartition(":")[2]) as running:
        assert await running.process.wait() == 5
    assert "cannot be listened on" in "".join(running.written)


async def test_forged_requests_are_refused_by_the_process(slack: FakeSlack, configured: Settings) -> None:
    migrate(database := Database(configured.database_url))
    database.close()
    port = processes.free_port()
    async with process(slack, configured, "--http", str(port)) as running:
        await running.says("requests come in at")
        async with (
            aiohttp.ClientSession() as session,
            session.post(running.people.app_url, data="payload={}") as answer,
        ):
            assert answer.status == 401
        assert await running.ends() == 0
