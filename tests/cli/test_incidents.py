"""``assent incident``: with the database alone, for people and for programs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from assent.domain.people import Role
from assent.store import people
from tests.cli.conftest import Shell
from tests.cli.test_nouns import HOSTILE
from tests.world import action


async def test_an_incident_from_open_to_closed(shell: Shell) -> None:
    run_id = await shell.world.start(action("a", "desk.note", text="=2+2"), goal="Tidy up")
    await shell.world.result(run_id)
    with shell.world.database.write() as session:
        people.add(session, email="olga@example.com", roles=[Role.OPERATOR], at=datetime.now(UTC))
    paused = (await shell("pause", "run", run_id, "--cause", "Odd notes", "--json")).json
    opened = (
        await shell("incident", "open", "--pause", paused["id"], "--began", "2020-01-01", "--severity", "low", "--json")
    ).json
    incident_id = opened["id"]
    assert (opened["title"], opened["state"]) == ("Odd notes", "stopped")
    listed = (await shell("incident", "list", "--json")).json
    assert [each["id"] for each in listed["items"]] == [incident_id]
    found = (await shell("incident", "find", "desk", "--by", "table", "--json")).json
    assert [each["run_id"] for each in found["items"]] == [run_id]
    added = await shell("incident", "find", "desk", "--by", "table", "--add-to", incident_id, "--runs", "--json")
    assert added.json["added"] == 1
    assert (await shell("incident", "add", incident_id, "--record", "desk/notes", "--json")).json["added"] == 1
    exported = await shell("incident", "export", incident_id)
    (row,) = csv.DictReader(io.StringIO(exported.out))
    assert (row["run_id"], row["sentence"]) == (run_id, "Write down =2+2")
    assert (await shell("incident", "note", incident_id, "Called Bo.")).code == 0
    draft = await shell("incident", "tell", incident_id, "--draft")
    assert "Low incident: Odd notes" in draft.out
    assert "Nothing is undone yet; 1 effect stands." in draft.out
    assert (await shell("incident", "tell", incident_id)).code == 0
    assert (await shell("incident", "tell", incident_id, "--channel", "pigeon")).code == 2
    assert (await shell("incident", "change", incident_id, "--commander", "olga@example.com")).code == 0
    assert (await shell("incident", "move", incident_id, "mended")).code == 0
    assert (await shell("incident", "move", incident_id, "closed")).code == 5
    for section in ("what_happened", "cause", "changes"):
        kept = await shell("incident", "write", incident_id, section, "Words.", "--json")
        assert kept.json["version"] == 1
    assert "Words." in (await shell("incident", "report", incident_id)).out
    agreed = await shell(
        "incident", "agree", incident_id, "Ask twice", "--owner", "olga@example.com", "--due", "2020-01-31", "--json"
    )
    assert "OVERDUE" in (await shell("incident", "actions")).out
    assert (await shell("incident", "settle", agreed.json["id"], "done")).code == 0
    assert (await shell("incident", "move", incident_id, "closed")).code == 0
    shown = await shell("incident", "show", incident_id)
    assert "closed" in shown.out
    assert (await shell("incident", "list", "--json")).json["items"] == []
    assert len((await shell("incident", "list", "--all", "--json")).json["items"]) == 1
    told = (await shell("incident", "timeline", incident_id)).out
    assert told.index("Opened, low") < told.index("Called Bo.") < told.index("Closed")


async def test_what_is_refused_and_what_cannot_steer_the_terminal(shell: Shell) -> None:
    assert (await shell("incident", "open")).code == 2
    assert (await shell("incident", "show", "none")).code == 3
    assert (await shell("incident", "open", "--run", "none")).code == 3
    opened = (await shell("incident", "open", HOSTILE, "--json")).json["id"]
    for command in ("show", "timeline", "report"):
        out = (await shell("incident", command, opened)).out
        assert not set(out) & {"\x1b", "\x9b", "\u202e"}
    assert not set((await shell("incident", "list")).out) & {"\x1b", "\x9b", "\u202e"}
