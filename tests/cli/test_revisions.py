"""Editing and talking from the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.people import Actor, Via
from tests.cli.conftest import Shell
from tests.world import AGENT, action

HOSTILE = "milk\x1b[2J\u202e\x9b31m\nand bread"


async def asked(shell: Shell, **arguments: object) -> ActionOutcome:
    run_id = await shell.world.start(action("a", "desk.pay", **{"to": "bob", "amount": 40} | arguments), open=True)
    return await shell.world.outcome(run_id, "a", ActionStatus.AWAITING)


async def test_editing(shell: Shell, tmp_path: Path) -> None:
    waiting = await asked(shell)
    request = waiting.approval_id or ""
    unasked = await shell("approval", "edit", request, "--arguments", '{"to": "bob", "amount": 25}')
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    assert "amount: 40 → 25" in unasked.out
    new = tmp_path / "new.json"
    new.write_text('{"to": "bob", "amount": 25}')
    edited = await shell("approval", "edit", request, "--arguments", f"@{new}", "--reason", "Less.", "--yes", "--json")
    assert edited.json["revision"] == 2
    stale = await shell("approval", "edit", request, "--arguments", "{}", "--digest", waiting.digest or "", "--yes")
    assert stale.code == 5
    told = await shell("approval", "edit", request, "--arguments", '{"to": "bob", "amount": 20}', "--yes")
    assert "Revision 3, edited as Ann Approver." in told.out
    ruled = await shell("approval", "edit", request, "--arguments", '{"to": "mallory", "amount": 1}', "--yes")
    assert (ruled.code, "Mallory is never paid." in ruled.err) == (5, True)
    listed = await shell("approval", "revisions", request)
    assert "amount: 40 → 25" in listed.out
    assert "Pay 20 to bob" in listed.out
    assert "Mallory is never paid." in listed.out
    whole = (await shell("approval", "revisions", request, "--json")).json
    assert [each["revision"] for each in whole["revisions"]] == [1, 2, 3]
    assert whole["revisions"][1]["reason"] == "Less."
    assert len(whole["refused"]) == 1
    assert (await shell("approval", "approve", request, "--yes")).code == 0
    done = await shell.world.outcome(waiting.action_id.rpartition(":")[0], "a")
    assert done.arguments == {"to": "bob", "amount": 20}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("{", 2, "no JSON"),
        ("[1]", 2, "JSON object"),
        ("@/nowhere/at/all", 2, "cannot be read"),
        ('{"to": "bob"}', 2, "/amount"),
        ('{"to": "bob", "amount": 40}', 2, "Nothing was changed"),
    ],
)
async def test_what_cannot_be_edited(shell: Shell, arguments: str, code: int, said: str) -> None:
    waiting = await asked(shell)
    ended = await shell("approval", "edit", waiting.approval_id or "", "--arguments", arguments, "--yes")
    assert (ended.code, said in ended.err) == (code, True), ended.err
    assert (await shell("approval", "edit", "ap-nothing", "--arguments", arguments, "--yes")).code == 3


async def test_editing_in_an_editor(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = await asked(shell)
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\nsed -i \'s/40/25/\' "$1"\nls -l "$1" > {tmp_path}/seen\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", "")
    monkeypatch.setenv("EDITOR", str(editor))
    nobody = await shell("approval", "edit", waiting.approval_id or "", "--yes")
    assert (nobody.code, "--arguments" in nobody.err) == (2, True)
    main, other = os.openpty()
    with os.fdopen(main, "rb"), os.fdopen(other, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        edited = await shell("approval", "edit", waiting.approval_id or "", "--yes", "--json")
    assert edited.json["revision"] == 2
    assert (tmp_path / "seen").read_text().startswith("-rw-------")


async def test_talking(shell: Shell) -> None:
    waiting = await asked(shell)
    request = waiting.approval_id or ""
    asked_ = (await shell("approval", "ask", request, "Why forty?", "--json")).json
    assert asked_["kind"] == "question"
    clerk = Actor(id=AGENT.id, name=AGENT.id, via=Via.API)
    open_ = await shell.world.gateway.questions(waiting.action_id.rpartition(":")[0])
    assert [each.text for each in open_] == ["Why forty?"]
    assert "(not answered)" in (await shell("approval", "comments", request)).out
    await shell.world.gateway.answer(request, asked_["id"], HOSTILE, by=clerk)
    assert "Written as Ann Approver." in (await shell("approval", "comment", request, "I see.")).out
    shown = await shell("approval", "comments", request)
    assert "Ann Approver asks the agent" in shown.out
    assert "desk-clerk (agent) answers" in shown.out
    assert "milk" in shown.out
    assert not set(shown.out) & {"\x1b", "\x9b", "\u202e"}
    assert [each["kind"] for each in (await shell("approval", "comments", request, "--json")).json["items"]] == [
        "question",
        "answer",
        "comment",
    ]
    assert (await shell("approval", "ask", "ap-nothing", "Why?")).code == 3
    assert (await shell("approval", "comment", request, " ")).code == 2
    assert (await shell("approval", "comment", request, "Hm.", "--as", "eve@example.com")).code == 4
