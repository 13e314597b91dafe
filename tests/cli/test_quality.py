"""Figures, suggestions and checks on the command line."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from assent.domain.actions import ActionStatus
from assent.domain.quality import Measure
from assent.store import quality
from assent.store.tables import OpeningRow
from tests.cli.conftest import Shell
from tests.quality import past
from tests.quality.past import Case
from tests.quality.seeded import CHECKED
from tests.world import ANN, action


async def test_figures_and_suggestions(shell: Shell) -> None:
    age = (past.NOW - datetime.now(UTC)).days + 1
    cases = [Case(agent="desk-clerk", ended="rejected", looks=()), Case(agent="desk-clerk", looks=(3.0,))] * 12
    past.write(shell.world.database, [replace(case, ago=age) for case in cases])

    def count() -> None:
        while quality.count(shell.world.database, datetime.now(UTC)):
            pass

    await asyncio.to_thread(count)
    (pay,) = (await shell("quality", "show", "--days", "7", "--json")).json["items"]
    assert (pay["type"], pay["total"]["asked"], pay["total"]["refused"]) == ("desk.pay", 24, 12)
    assert pay["total"]["hasty_share"] == 1
    table = await shell("quality", "show")
    assert "50%" in table.out
    assert (await shell("quality", "show", "--days", "8")).code == 2
    (found,) = (await shell("quality", "suggestions", "--json")).json
    assert (found["direction"], found["tier"]) == ("stricter", "suggest")
    assert "Pay should only suggest." in (await shell("quality", "suggestions")).out
    put_aside = ("quality", "dismiss", "desk-clerk", "desk.pay", "stricter", "--reason")
    assert (await shell(*put_aside, " ")).code == 2
    assert (await shell(*put_aside, "Not now.")).code == 0
    assert (await shell(*put_aside, "Not now.")).code == 3
    assert (await shell("quality", "suggestions", "--json")).json == []


async def test_checks_are_listed(shell: Shell) -> None:
    assert "No card in force has checks." in (await shell("quality", "checks")).err
    shell.world.publish(CHECKED)
    told = (await shell("quality", "checks", "--json")).json
    assert [(each["agent"], each["one_in"]) for each in told["announced"]] == [("desk-clerk", 20)]
    assert told["by_agent"] == told["by_person"] == []


async def test_what_was_printed_before_the_decision_was_opened(shell: Shell) -> None:
    run_id = await shell.world.start(action("pay", "desk.pay", to="bob", amount=4))
    waiting = await shell.world.outcome(run_id, "pay", ActionStatus.AWAITING)
    done = await shell("approval", "approve", waiting.approval_id or "", "--yes", "--as", "ann@example.com")
    assert done.code == 0, done.err
    opened = shell.world.row(OpeningRow, (waiting.approval_id, waiting.digest, ANN.id))
    assert (opened.seconds, opened.measured) == (None, Measure.UNKNOWN)
