"""Every click is acknowledged within Slack's three seconds though the database hangs; the answer follows."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from assent.domain.approvals import ApprovalStatus
from assent.domain.people import Role
from assent.store.database import Database
from assent.store.queries import pauses
from assent_slack.buttons import APPROVE, EDIT, OPEN, REJECT, STOP, TALK
from tests.slack.fake_blocks import reading
from tests.slack.fake_requests import Tampering
from tests.slack.office import Office
from tests.slack.test_doing import add_run, edit_dialog, editable
from tests.slack.waiting import until


class Hanging:
    """A database that does not answer until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate, self.asked = threading.Event(), 0
        for name in ("read", "write"):
            monkeypatch.setattr(Database, name, self._hang(getattr(Database, name)))

    def _hang(self, real: Any) -> Any:
        @contextlib.contextmanager
        def hung(database: Database) -> Iterator[Any]:
            self.asked += 1
            self.gate.wait()
            with real(database) as session:
                yield session

        return hung


async def test_everything_is_acknowledged_and_answered_after(either: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, oli = either.approver(), either.person("Oli", Role.OPERATOR)
    add_run(either)
    approval_id, message = await either.posted()
    other_id, other = await either.posted()
    hanging = Hanging(monkeypatch)
    people = either.people
    deliveries = [await people.press(ann, message, button) for button in (APPROVE, REJECT, EDIT, TALK, OPEN)]
    deliveries.append(await people.press(oli, other, STOP))
    await until(lambda: len(either.slack.dialogs) == 4)
    by_title = {dialog["title"]["text"]: dialog for dialog in either.slack.dialogs.values()}
    deliveries.append(await people.submit(ann, by_title["Comment or ask"], "Slow?"))
    deliveries += [
        await people.command(oli, text) for text in ("pending", "pause everything", "paused", "link", "help")
    ]
    deliveries.append(await people.open_home(ann))
    assert [delivery.in_time for delivery in deliveries] == [True] * len(deliveries)
    assert hanging.asked > 0
    assert either.slack.whispers == []
    hanging.gate.set()
    await either.settled()
    assert either.status(approval_id) is ApprovalStatus.APPROVED
    assert either.status(other_id) is ApprovalStatus.PENDING
    told = [reading(whisper.message["blocks"]) for whisper in either.slack.whispers]
    for part in (
        "✔ You approved",
        "❚❚ Paused: everything",
        "Confirm in Assent",
        "What Assent understands",
    ):
        assert any(part in text for text in told), part
    assert "What waits for you" in reading(either.slack.homes[ann.id]["blocks"])
    with either.database.read() as session:
        assert len(pauses.active(session)) >= 1


async def test_a_submitted_edit_is_acknowledged_while_the_database_hangs(
    hurried: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = hurried.approver()
    _, message = await editable(hurried)
    dialog = await edit_dialog(hurried, ann, message)
    hanging = Hanging(monkeypatch)
    delivery = await hurried.people.submit(ann, dialog, fields={"f:/amount": "1"})
    assert (delivery.in_time, delivery.body) == (True, "")
    hanging.gate.set()
    await hurried.settled()
    assert [edit.arguments["amount"] for edit in hurried.gateway.edits] == [1]
    assert "Your change is revision 2" in hurried.told(ann)


async def test_a_workspace_that_is_not_known_is_refused_though_the_database_hangs(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = office.approver()
    hanging = Hanging(monkeypatch)
    refused = await office.people.command(ann, "pending", tampering=Tampering(team_id="T0OTHER"))
    assert (refused.status, refused.seconds < 3) == (403, True)
    hanging.gate.set()
    await office.settled()
