"""Seeded checks on the command line: shown and decided like requests by whoever is shown them, and told at once."""

from __future__ import annotations

import json

import pytest

from assent.domain.checks import CheckStatus
from assent.domain.people import Role
from assent.store.tables import CheckRow
from assent_activities import seeding
from tests.cli.conftest import Shell
from tests.quality.seeded import shown
from tests.site import build

ADA = ("--as", "ada.admin@example.com")
PIA = ("--as", "pia.plain@example.com")


@pytest.fixture(autouse=True)
def every_request_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "drawn", lambda seed, one_in: True)
    monkeypatch.setattr("assent.runtime.worker.seeding.seed", lambda database, now, channels: 0)


async def check_of_ada(shell: Shell) -> CheckRow:
    """A check that is shown to Ada; Pia may decide requests, too."""
    site = build(shell.world)
    site.person("Pia Plain", Role.APPROVER)
    return await shown(site, site.person("Ada Admin", Role.ADMIN))


def status(shell: Shell, check: CheckRow) -> str:
    return shell.world.row(CheckRow, check.id).status


async def listed(shell: Shell, *more: str) -> list[str]:
    """Ids that a list has."""
    return [each["id"] for each in (await shell("approval", "list", "--json", *more)).json["items"]]


async def test_it_is_listed_and_shown_like_a_request(shell: Shell) -> None:
    check = await check_of_ada(shell)
    hers: list[tuple[str, ...]] = [ADA, ("--mine", *ADA), ("--type", "desk.pay", "--least", "800", *ADA)]
    hers += [("--search", "carol", *ADA), ("--search", "pay CAR", "--status", "pending", *ADA)]
    for more in hers:
        assert check.id in await listed(shell, *more)
    others: list[tuple[str, ...]] = [PIA, ("--mine", *PIA), ("--agent", "nobody", *ADA)]
    others += [("--search", "carol", *PIA), ("--search", "carol", "--least", "801", *ADA), ("--search", "dave", *ADA)]
    for more in others:
        assert check.id not in await listed(shell, *more)
    [real] = [each for each in await listed(shell, *ADA) if each != check.id]
    printed = await shell("approval", "show", check.id)
    assert printed.code == 0
    assert printed.out.startswith("Pay 800 to carol")
    assert f"Request {check.id}, revision 1: pending, due" in printed.err
    assert "check" not in printed.out + printed.err.replace("checks", "")
    of_check = (await shell("approval", "show", check.id, "--json")).json
    of_real = (await shell("approval", "show", real, "--json")).json
    assert of_check.keys() == of_real.keys()
    assert (of_check["sound"], of_check["check"], of_check["digest"]) == (True, None, check.digest)
    for command in ("votes", "comments", "revisions"):
        assert (await shell("approval", command, check.id, "--json")).json.keys() == (
            await shell("approval", command, real, "--json")
        ).json.keys()


@pytest.mark.parametrize(
    ("verb", "result", "told"),
    [
        (("reject", "--reason", "Too much."), CheckStatus.CAUGHT, "That was a check, and you caught it"),
        (("approve",), CheckStatus.MISSED, "That was a check, and it got past you"),
    ],
    ids=["reject", "approve"],
)
async def test_deciding_it_is_told_at_once(shell: Shell, verb: tuple[str, ...], result: CheckStatus, told: str) -> None:
    check = await check_of_ada(shell)
    done = len(shell.world.desk.done)
    assert (await shell("approval", *verb, check.id, "--yes", *PIA)).code == 3
    assert (await shell("approval", *verb, check.id, "--yes", "--digest", "f" * 64, *ADA)).code == 5
    assert status(shell, check) == CheckStatus.SHOWN
    said = await shell("approval", *verb, check.id, "--yes", *ADA)
    assert said.code == 0, said.err
    assert "Pay 800 to carol" in said.out
    assert told in said.out
    assert "Why it should be refused: It is twenty times what was agreed." in said.out
    assert status(shell, check) == result
    again = (await shell("approval", "approve", check.id, "--yes", "--json", *ADA)).json
    assert again["check"]["result"] == result, "the first answer stays"
    assert told in (await shell("approval", "show", check.id)).out
    assert check.id not in await listed(shell, *ADA)
    assert len(shell.world.desk.done) == done
    assert shell.world.events(kind="check.answered") == ["check.answered"]


@pytest.mark.parametrize("named", [True, False], ids=["named", "of the agent"])
async def test_it_is_decided_together_with_others(shell: Shell, named: bool) -> None:
    check = await check_of_ada(shell)
    [real] = [each for each in await listed(shell, *ADA) if each != check.id]
    which = (check.id, real) if named else ("--agent", "desk-clerk")
    if not named:
        assert (await shell("approval", "reject", "--type", "none", "--reason", "x", "--yes", *ADA)).code == 3
    told = await shell("approval", "reject", *which, "--reason", "Too much.", "--yes", *ADA)
    assert told.code == 0, told.err
    assert "Rejected 2 of 2 as Ada Admin." in told.out
    assert f"{check.id}: Pay 800 to carol" in told.out
    assert "That was a check, and you caught it" in told.out
    assert status(shell, check) == CheckStatus.CAUGHT
    again = (await shell("approval", "approve", f"{check.id}={check.digest}", "--json", *ADA)).json
    assert again["items"][0]["decision"]["check"]["result"] == CheckStatus.CAUGHT


async def test_asking_or_changing_ends_it_gently(shell: Shell) -> None:
    check = await check_of_ada(shell)
    nothing = await shell("approval", "comment", check.id, "Really?", *PIA)
    assert "There is no approval request" in nothing.err
    same = json.dumps(check.card["arguments"])
    assert "Nothing was changed." in (await shell("approval", "edit", check.id, "--arguments", same, "--yes", *ADA)).err
    less = json.dumps({**check.card["arguments"], "amount": 40})
    told = await shell("approval", "edit", check.id, "--arguments", less, "--yes", *ADA)
    assert told.code == 0, told.err
    assert "you would have changed it" in told.out
    assert status(shell, check) == CheckStatus.CHANGED


@pytest.mark.parametrize("command", ["reassign", "ask-also"])
async def test_letting_somebody_else_decide_it_ends_it_gently(shell: Shell, command: str) -> None:
    check = await check_of_ada(shell)
    assert (await shell("approval", command, check.id, "--to", "ada.admin@example.com", *PIA)).code == 3
    assert status(shell, check) == CheckStatus.SHOWN
    told = await shell("approval", command, check.id, "--to", "pia.plain@example.com", "--reason", "Odd.", *ADA)
    assert told.code == 0, told.err
    assert "you asked about it" in told.out
    assert "pia.plain" not in told.out
    assert status(shell, check) == CheckStatus.QUESTIONED


async def test_a_question_ends_it_gently(shell: Shell) -> None:
    check = await check_of_ada(shell)
    told = await shell("approval", "ask", check.id, "Really?", *ADA)
    assert "you asked about it" in told.out
    assert status(shell, check) == CheckStatus.QUESTIONED
