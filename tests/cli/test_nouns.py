"""Every noun of the command line, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from assent.domain.actions import ActionStatus
from assent.domain.people import Role
from assent.runtime.web import build
from assent.store.queries import runs
from tests.cli.conftest import Shell
from tests.desk import CARD
from tests.world import AGENT, action

HOSTILE = "milk\x1b[2J\u202e\x9b31m\nand bread"


async def test_a_run_from_start_to_end(shell: Shell, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("- {key: a, type: desk.note, arguments: {text: milk}}\n")
    started = await shell("run", "start", "desk-clerk", "--goal", "Tidy up", "--plan", str(plan), "--json")
    run_id = started.json["run_id"]
    watched = await shell("run", "watch", run_id, "--json")
    kinds = [json.loads(line)["kind"] for line in watched.out.splitlines()]
    assert (kinds[0], kinds[-1]) == ("run.started", "run.ended")
    shown = (await shell("run", "show", run_id, "--json")).json
    assert (shown["status"], shown["goal"]) == ("completed", "Tidy up")
    assert [each["status"] for each in shown["action_list"]] == ["done"]
    assert shown["started_by"]["via"] == "cli"
    listed = (await shell("run", "list", "--agent", "desk-clerk", "--json")).json
    assert [each["run_id"] for each in listed["items"]] == [run_id]
    people = await shell("run", "list")
    assert people.out.splitlines()[0].split() == ["RUN", "AGENT", "STATUS", "STARTED", "ACTIONS", "LAST", "STEP"]
    assert "Write down milk" in (await shell("run", "show", run_id)).out
    assert "effect.done" in (await shell("run", "watch", run_id)).out


async def test_stopping_a_run(shell: Shell) -> None:
    run_id = await shell.world.start(open=True)
    await shell.world.gateway.propose(run_id, action("a", "desk.pay", to="bob", amount=40), by=AGENT)
    assert (await shell("run", "stop", run_id, "--reason", "Enough.")).code == 0
    assert (await shell.world.result(run_id)).counts == {"withdrawn": 1}
    assert (await shell("run", "stop", run_id)).code == 3


async def test_what_an_agent_wrote_cannot_steer_the_terminal(shell: Shell) -> None:
    run_id = await shell.world.start(action("a", "desk.note", text=HOSTILE), goal=HOSTILE)
    await shell.world.result(run_id)
    for command in (["run", "show", run_id], ["run", "list"], ["run", "watch", run_id]):
        out = (await shell(*command)).out
        assert not set(out) & {"\x1b", "\x9b", "\u202e"}
    waiting = await shell.world.start(action("p", "desk.pay", to=HOSTILE, amount=40))
    outcome = await shell.world.outcome(waiting, "p", ActionStatus.AWAITING)
    for command in (["approval", "list"], ["approval", "show", outcome.approval_id or ""]):
        out = (await shell(*command)).out
        assert "milk" in out
        assert not set(out) & {"\x1b", "\x9b", "\u202e"}


async def test_deciding(shell: Shell) -> None:
    run_id = await shell.world.start(
        action("a", "desk.pay", to="bob", amount=40),
        action("b", "desk.pay", to="carol", amount=50),
        on_failure="continue",
    )
    first = await shell.world.outcome(run_id, "a", ActionStatus.AWAITING)
    assert first.approval_id
    listed = (await shell("approval", "list", "--json")).json["items"]
    assert [each["id"] for each in listed] == [first.approval_id]
    # Nobody sits at a terminal here, so nothing is decided without saying so.
    unasked = await shell("approval", "approve", first.approval_id)
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    assert "Pay 40 to bob" in unasked.out
    stale = await shell("approval", "approve", first.approval_id, "--digest", "0" * 64)
    assert stale.code == 5
    assert (await shell("approval", "approve", first.approval_id, "--as", "eve@example.com", "--yes")).code == 4
    decided = await shell("approval", "approve", first.approval_id, "--digest", listed[0]["digest"], "--json")
    assert decided.json["by"] == {"id": "ann", "name": "Ann Approver", "via": "cli", "assurance": "session"}
    second = await shell.world.outcome(run_id, "b", ActionStatus.AWAITING)
    assert second.approval_id
    rejected = await shell("approval", "reject", second.approval_id, "--reason", "Too much.", "--yes")
    assert "Rejected as Ann Approver." in rejected.out
    await shell.world.result(run_id)
    assert shell.world.desk.balances == {"bob": 40}
    closed = (await shell("approval", "show", second.approval_id, "--json")).json
    assert (closed["status"], closed["decision_reason"]) == ("rejected", "Too much.")
    assert (await shell("approval", "approve", second.approval_id, "--yes")).code == 5


async def test_in_whose_name_must_be_clear(shell: Shell) -> None:
    run_id = await shell.world.start(action("a", "desk.pay", to="bob", amount=40))
    outcome = await shell.world.outcome(run_id, "a", ActionStatus.AWAITING)
    await shell("people", "add", "ben@example.com", "--role", "approver")
    unclear = await shell("approval", "approve", outcome.approval_id or "", "--yes")
    assert (unclear.code, "2 people may decide" in unclear.err) == (2, True)
    assert (await shell("approval", "approve", outcome.approval_id or "", "--yes", "--as", "ben@example.com")).code == 0


@pytest.mark.parametrize("scope", [["all"], ["agent", "desk-clerk"], ["run", "RUN"]])
async def test_stopping_and_going_on(shell: Shell, scope: list[str]) -> None:
    run_id = await shell.world.start(open=True)
    await shell.world.gateway.propose(run_id, action("first", "desk.note", text="before"), by=AGENT)
    words = [run_id if word == "RUN" else word for word in scope]
    pause = (await shell("pause", *words, "--cause", "A drill.", "--wait", "--json")).json
    assert pause["active"]
    assert pause["quiesced_at"]
    held = await shell.world.gateway.propose(run_id, action("a", "desk.note", text="milk"), by=AGENT)
    assert held.status is ActionStatus.HELD
    assert pause["id"] in (await shell("pause", "list")).out
    assert pause["id"] in (await shell("pause", "show", pause["id"])).out
    shown = (await shell("pause", "show", pause["id"], "--json")).json
    assert [run["run_id"] for run in shown["held"]] == [run_id]
    assert "0 effects under way were asked to stop" in (await shell("pause", "ask-to-stop", pause["id"])).out
    assert "does drain" in (await shell("pause", "change", pause["id"], "drain")).out
    answers = ["--cause", "A drill.", "--changed", "Nothing.", "--check", "All is well."]
    assert (await shell("pause", "second", pause["id"])).code == 5
    assert "has ended" in (await shell("pause", "resume", pause["id"], *answers)).out
    await shell.world.outcome(run_id, "a", ActionStatus.DONE)
    assert (await shell("pause", "list", "--json")).json["items"] == []
    assert len((await shell("pause", "list", "--all", "--json")).json["items"]) == 1
    assert (await shell("pause", "resume", pause["id"], *answers)).code == 5


async def test_a_second_person_agrees_to_what_is_shown(shell: Shell) -> None:
    shell.world.publish(f"{CARD}\nstopping: {{second: true}}\n")
    await shell("people", "add", "ben@example.com", "--role", "operator")
    pause_id = (await shell("pause", "all", "--json")).json["id"]
    asked = ("--cause", "A typo.", "--as", "ann@example.com")
    await shell("pause", "resume", pause_id, *asked, "--changed", "It is 50 now.")
    seen = (await shell("pause", "show", pause_id, "--json")).json["resume_asked_at"]
    await shell("pause", "resume", pause_id, *asked, "--changed", "It is 500 now.", "--at-once")
    ben = ("pause", "second", pause_id, "--as", "ben@example.com")
    refused = await shell(*ben, "--asked-at", seen)
    assert (refused.code, "asked for anew since you looked" in refused.err) == (5, True)
    assert (await shell(*ben, "--asked-at", "just now")).code == 2
    # Nobody is there to be asked; what they would agree to is shown all the same, and not as the result.
    unasked = await shell(*ben, "--json")
    assert (unasked.code, unasked.out) == (2, "")
    for words in ("It is 500 now.", "all runs at once"):
        assert words in unasked.err
    agreed = await shell(*ben, "--yes", "--json")
    assert agreed.json == {"id": pause_id, "state": "ended", "active": False}


async def test_stopping_needs_the_database_alone(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_TEMPORAL_ADDRESS", "127.0.0.1:1")
    stopped = await shell("pause", "all", "--json")
    assert stopped.json["active"]
    assert "The stop holds all the same" in stopped.err
    resumed = await shell("pause", "resume", stopped.json["id"], "--cause", "A test.", "--changed", "Back.")
    assert (resumed.code, "Temporal" in resumed.err) == (0, True)
    assert (await shell("run", "start", "desk-clerk")).code == 6


async def test_undoing(shell: Shell) -> None:
    run_id = await shell.world.start(action("a", "desk.note", text="milk"), action("b", "desk.letter", text="Dear"))
    await shell.world.result(run_id)
    preview = (await shell("rollback", "run", run_id, "--preview", "--json")).json
    assert (preview["to_undo"], len(preview["steps"])) == (1, 2)
    assert (await shell("rollback", "run", run_id)).code == 2
    assert shell.world.desk.undone == []
    done = await shell("rollback", "run", run_id, "--yes", "--reason", "A mistake.")
    # The letter cannot be taken back: that is left for a person.
    assert done.code == 1
    assert len(shell.world.desk.undone) == 1
    assert "undone" in done.out
    listed = (await shell("rollback", "list", "--json")).json["items"]
    assert [each["reason"] for each in listed] == ["A mistake."]
    assert (await shell("rollback", "show", listed[0]["id"])).code == 0
    again = await shell("rollback", "action", f"{run_id}:a", "--yes")
    assert (again.code, "0 effects can be undone" in again.err) == (0, True)
    assert (await shell("rollback", "action", "nowhere:a", "--yes")).code == 3


async def test_agents_and_cards(shell: Shell, tmp_path: Path) -> None:
    card = tmp_path / "clerk.yaml"
    card.write_text(CARD)
    assert "says the same" in (await shell("agent", "publish", str(card))).out
    card.write_text(CARD.replace("small sums", "tiny sums"))
    published = (await shell("agent", "publish", str(card), "--json")).json
    assert (published["version"], published["new"]) == (2, True)
    assert (await shell("agent", "list", "--json")).json["items"][0]["version"] == 2
    shown = await shell("agent", "show", "desk-clerk")
    assert "tiny sums" in shown.out
    assert "Bo Owner <bo@example.com>" in shown.out
    assert (await shell("agent", "show", "desk-clerk", "--source")).out.strip() == card.read_text().strip()
    card.write_text("name: [")
    broken = await shell("agent", "publish", str(card))
    assert (broken.code, str(card) in broken.err) == (2, True)
    assert (await shell("agent", "publish", str(tmp_path / "none.yaml"))).code == 3


async def test_a_key_works_until_it_is_revoked(shell: Shell) -> None:
    made = await shell("agent", "key", "desk-clerk", "--name", "laptop", "--scope", "runs:read", "--days", "1")
    key = made.out.strip()
    assert key.startswith("assent_")
    assert key not in made.err
    world = shell.world
    transport = httpx.ASGITransport(build(world.settings, world.gateway, world.database))
    async with httpx.AsyncClient(transport=transport, base_url=world.settings.public_url) as client:
        headers = {"Authorization": f"Bearer {key}"}
        assert (await client.get("/api/v1/runs", headers=headers)).status_code == 200
        keys = (await shell("agent", "show", "desk-clerk", "--json")).json["keys"]
        assert (keys[0]["name"], keys[0]["scopes"]) == ("laptop", ["runs:read"])
        assert key not in json.dumps(keys)
        assert (await shell("agent", "revoke", keys[0]["id"])).code == 0
        assert (await client.get("/api/v1/runs", headers=headers)).status_code == 401
    assert (await shell("agent", "key", "nobody")).code == 3
    assert (await shell("agent", "key", "desk-clerk", "--scope", "everything")).code == 2
    assert (await shell("agent", "revoke", "key-none")).code == 3


async def test_people_and_their_links(shell: Shell) -> None:
    added = (await shell("people", "add", "Zoe@Example.com", "--name", "Zoe", "--role", "auditor", "--json")).json
    assert (added["email"], added["roles"]) == ("zoe@example.com", ["auditor"])
    assert (await shell("people", "add", "zoe@example.com")).code == 5
    assert (await shell("people", "add", "no address")).code == 2
    assert (await shell("people", "roles", "zoe@example.com", "--role", "owner", "--json")).json["roles"] == ["owner"]
    assert "zoe@example.com" in (await shell("people", "list")).out
    link = (await shell("people", "link", "zoe@example.com")).out.strip()
    world = shell.world
    assert link.startswith(f"{world.settings.public_url}/sign-in?token=")
    transport = httpx.ASGITransport(build(world.settings, world.gateway, world.database))
    async with httpx.AsyncClient(transport=transport, base_url=world.settings.public_url) as client:
        token = httpx.URL(link).params["token"]
        for _ in range(2):
            # A preview of the link does not use it up.
            assert (await client.get(link)).status_code == 200
        assert (await client.post("/sign-in", data={"token": token})).status_code == 303
        assert (await client.get("/api/v1/me")).json()["roles"] == [Role.OWNER]
        assert (await shell("people", "disable", "zoe@example.com")).code == 0
        assert (await client.get("/api/v1/me")).status_code == 401
        assert (await shell("people", "link", "zoe@example.com")).code == 4
        await shell("people", "enable", "zoe@example.com")
        client.cookies.clear()
        assert (await client.post("/sign-in", data={"token": token})).status_code == 401
    assert (await shell("people", "link", "nobody@example.com")).code == 3


async def test_the_ledger(shell: Shell, tmp_path: Path) -> None:
    run_id = await shell.world.start(action("a", "desk.tip", to="bob", amount=2))
    await shell.world.result(run_id)
    touched = (await shell("ledger", "list", "--resource", "desk/bob", "--json")).json["items"]
    assert {each["run_id"] for each in touched} == {run_id}
    assert "effect.done" in (await shell("ledger", "list", "--run", run_id)).out
    assert (await shell("ledger", "list", "--run", run_id, "--resource", "x")).code == 2
    assert (await shell("ledger", "list", "--since", "2999-01-01", "--json")).json["items"] == []
    file = tmp_path / "ledger.jsonl"
    assert (await shell("ledger", "export", "--out", str(file))).code == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [each["id"] for each in lines] == sorted(each["id"] for each in lines)
    assert all(len(each["chain"]) == 64 for each in lines)
    checked = (await shell("ledger", "verify", "--json")).json
    assert checked["ok"]
    assert checked["links"] >= len(lines)


async def test_a_tampered_ledger_is_found(shell: Shell) -> None:
    run_id = await shell.world.start(action("a", "desk.note", text="milk"))
    await shell.world.result(run_id)
    assert (await shell("ledger", "verify")).code == 0
    with shell.world.database.engine.begin() as connection:
        triggers = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
        for name in triggers:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        connection.exec_driver_sql("UPDATE ledger_events SET body = '{}' WHERE kind = 'effect.done'")
    found = await shell("ledger", "verify")
    assert (found.code, "changed" in found.out) == (1, True)


async def test_the_schema(shell: Shell) -> None:
    assert "Already at" in (await shell("db", "migrate")).out
    current = (await shell("db", "current", "--json")).json
    assert current["current"] == current["newest"]


async def test_pages_of_a_list(shell: Shell) -> None:
    for _ in range(3):
        await shell.world.start(open=True)
    await shell.world.eventually(lambda: len(_runs(shell)) == 3)
    first = await shell("run", "list", "--limit", "2")
    cursor = first.err.split("--cursor ")[1].strip()
    rest = await shell("run", "list", "--limit", "2", "--cursor", cursor)
    assert len(first.out.splitlines()) == 3
    assert len(rest.out.splitlines()) == 2
    assert (await shell("run", "list", "--cursor", "forged")).code == 2


def _runs(shell: Shell) -> tuple[object, ...]:
    with shell.world.database.read() as session:
        return runs.page(session).items
