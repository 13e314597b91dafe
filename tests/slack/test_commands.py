"""``/assent`` and the app's own page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from assent.domain.people import Role
from assent.domain.runs import RunStatus
from assent.store import cards
from assent.store.queries import pauses
from assent.store.tables import RunRow
from tests.slack.fake_blocks import live, reading, walk
from tests.slack.office import AGENT, PAGES, Office


def add_run(office: Office, run_id: str = "run-1", goal: str = "Answer <!channel>") -> None:
    """A run of the agent ``refunds``."""
    with office.database.write() as session:
        cards.publish(
            session,
            agent="refunds",
            title="Refunds",
            source="",
            card={"name": "refunds"},
            catalogue={},
            at=office.now(),
            by=AGENT,
        )
        session.execute(
            insert(RunRow).values(
                run_id=run_id,
                agent="refunds",
                goal=goal,
                received=None,
                status=RunStatus.WAITING.value,
                started_by=AGENT.model_dump(mode="json"),
                started_at=office.now(),
                last_step="Asked for approval",
                last_at=office.now() - timedelta(minutes=1),
                actions=2,
                message="",
            )
        )


async def test_pending_lists_what_waits_with_links(either: Office) -> None:
    ann = either.approver()
    for number in range(12):
        either.ask(headline=f"Request {number} <!here>")
    assert (await either.people.command(ann, "pending")).in_time
    await either.settled()
    said = either.told(ann)
    assert "12 requests wait" in said
    assert "• Request 0 <!here> · 45.00 · before" in said
    assert "… 2 more: open the inbox" in said
    assert live(either.slack.whispers[-1].message, PAGES) == []
    assert either.slack.refused == []


async def test_pending_says_that_nothing_waits(office: Office) -> None:
    ann = office.approver()
    await office.people.command(ann, "pending")
    await office.settled()
    assert "Nothing waits for you." in office.told(ann)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pause world", "Assent cannot pause 'world'."),
        ("pause agent", "Which agent?"),
        ("pause agent nobody", "There is no agent nobody."),
        ("pause run run-9", "There is no run run-9."),
        ("run", "This needs the id of a run."),
        ("run run-9", "There is no run"),
        ("run <!channel>", "There is no run '<!channel>'"),
    ],
)
async def test_commands_that_make_no_sense_do_nothing(office: Office, text: str, said: str) -> None:
    oli = office.person("Oli", Role.OPERATOR)
    assert (await office.people.command(oli, text)).in_time
    await office.settled()
    assert "✖ Nothing was done." in office.told(oli)
    assert said in office.told(oli)
    assert live(office.slack.whispers[-1].message, PAGES) == []


@pytest.mark.parametrize("text", ["", "help", "puase everything", "  "])
async def test_help(office: Office, text: str) -> None:
    oli = office.person("Oli", Role.OPERATOR)
    await office.people.command(oli, text)
    await office.settled()
    assert "/assent pause – asks what to stop" in office.told(oli)
    with office.database.read() as session:
        assert pauses.active(session) == ()


async def test_a_run_is_summed_up(office: Office) -> None:
    ann = office.approver()
    add_run(office)
    await office.people.command(ann, "run run-1")
    await office.settled()
    for part in ("Run run-1 · ◌ waiting for a person", "Asked to: Answer <!channel>", "2 actions"):
        assert part in office.told(ann)
    assert live(office.slack.whispers[-1].message, PAGES) == []
    assert office.slack.refused == []


async def test_undo_leads_to_the_preview_and_undoes_nothing_itself(office: Office) -> None:
    oli, ann = office.person("Oli", Role.OPERATOR), office.approver()
    add_run(office)
    await office.people.command(oli, "undo run-1")
    await office.settled()
    assert "open the preview" in office.told(oli)
    addresses = [node["url"] for node in walk(office.slack.whispers[-1].message["blocks"]) if "url" in node]
    assert addresses == [f"{PAGES}/rollbacks/new?scope=run&id=run-1"]
    for user, text, said in [
        (oli, "undo run-9", "There is no run"),
        (oli, "undo run-1:a", "There is no action"),
        (oli, "undo", "This needs the id of a run"),
        (ann, "undo run-1", "Ann may not undo"),
    ]:
        await office.people.command(user, text)
        await office.settled()
        assert said in office.told(user)


async def test_strangers_learn_nothing(office: Office) -> None:
    zoe = office.slack.user("Zoe")
    office.ask(headline="A secret refund")
    add_run(office)
    for text in ("pending", "run run-1", "undo run-1", "pause everything", "paused", "help"):
        await office.people.command(zoe, text)
        await office.settled()
        assert "not linked to a person" in office.told(zoe)
        assert "secret" not in office.told(zoe)
    await office.people.open_home(zoe)
    await office.settled()
    assert "not linked to a person" in reading(office.slack.homes[zoe.id]["blocks"])


async def test_the_home_page_shows_what_waits(either: Office) -> None:
    ann = either.approver()
    either.ask()
    assert (await either.people.open_home(ann)).in_time
    await either.settled()
    assert "What waits for you" in reading(either.slack.homes[ann.id]["blocks"])
    assert "Refund $45.00" in reading(either.slack.homes[ann.id]["blocks"])
    assert either.slack.refused == []
