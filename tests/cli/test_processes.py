"""Commands as an operator runs them, each a process of its own, with a worker elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
import yaml

from assent.domain.actions import ActionStatus
from assent.runtime.settings import PREFIX, Settings
from tests.settling.crm import CARD, OPTIONS, make_tables, run
from tests.settling.test_runs import unknown_run
from tests.world import World, make_world

ROOT = Path(__file__).parents[2]
MEDDLE = (
    "CREATE TRIGGER meddle AFTER UPDATE ON customers "
    "BEGIN UPDATE customers SET name = name || '!' WHERE id = new.id; END"
)
"""A change leaves something that no undo takes away."""


@dataclass
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        assert self.out, self.err
        return json.loads(self.out)


@dataclass
class Console:
    """Somebody at a terminal, who has the settings of an installation and nothing else."""

    world: World
    environment: dict[str, str]

    async def __call__(self, *arguments: str) -> Ended:
        """Run a command to its end."""
        command = [sys.executable, "-m", "assent", *arguments]
        ended = await asyncio.to_thread(
            subprocess.run,
            command,
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest_asyncio.fixture
async def console(temporal_server: str, settings: Settings) -> AsyncIterator[Console]:
    """A worker runs; the commands find it by the settings alone."""
    world = await make_world(temporal_server, settings.database_url, settings)
    clean = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "TEMPORAL_"))}
    own = world.settings.environment() | {f"{PREFIX}CONNECTORS": "tests.cli.connector:desk"}
    async with world.working():
        yield Console(world, clean | own)
    world.database.close()


async def test_an_effect_that_happened(console: Console) -> None:
    _, action_id = await unknown_run(console.world)
    (listed,) = (await console("effect", "list", "--json")).json["items"]
    assert listed["action_id"] == action_id
    asked = await console("effect", "reconcile", action_id)
    assert (asked.code, f"{action_id} is unknown." in asked.out) == (1, True), asked
    settled = await console("effect", "settle", action_id, "--happened", "--note", "The till is short", "--json")
    assert (settled.code, settled.json) == (0, {"action_id": action_id, "status": "done"})
    (found,) = (await console("effect", "list", "--settled", "--json")).json["items"]
    assert (found["action_id"], found["happened"], found["how"]) == (action_id, True, "person")
    assert (found["note"], found["settled_by"]["via"]) == ("The till is short", "cli")


async def test_an_effect_that_did_not_happen_is_tried_again(console: Console) -> None:
    run_id, action_id = await unknown_run(console.world, happens=False)
    early = await console("effect", "retry", action_id)
    assert (early.code, "find out first" in early.err) == (5, True)
    shown = await console("effect", "show", action_id)
    assert (shown.code, "unknown since" in shown.out) == (0, True)
    settled = await console("effect", "settle", action_id, "--did-not-happen", "--note", "The till is full")
    assert (settled.code, f"{action_id} is failed." in settled.out) == (0, True), settled
    retried = await console("effect", "retry", action_id, "--json")
    assert (retried.code, retried.json) == (0, {"action_id": action_id, "retried": True})
    await console.world.outcome(run_id, "pay", ActionStatus.DONE)
    assert console.world.desk.done == [action_id]


async def test_proving_undos(console: Console, tmp_path: Path) -> None:
    make_tables(url := f"sqlite:///{tmp_path / 'crm.db'}")
    connectors, card = tmp_path / "connectors.yaml", tmp_path / "card.yaml"
    use = "assent_activities.connectors.sql_rows:build"
    connectors.write_text(yaml.safe_dump([{"use": use, "options": {**OPTIONS, "url": url}}]), encoding="utf-8")
    card.write_text(CARD, encoding="utf-8")
    console.environment[f"{PREFIX}CONNECTORS"] = str(connectors)
    published = await console("agent", "publish", str(card), "--json")
    assert [each for each in published.json["warnings"] if "never seen to work" in each], published.err
    proven = await console("agent", "prove-undo", "crm-clerk", "--json")
    assert {each["type"]: each["worked"] for each in proven.json["items"]} == {
        "crm.customers.update": True,
        "crm.empty.update": None,
    }
    assert proven.code == 0
    run(url, MEDDLE)
    broken = await console("agent", "prove-undo", "crm-clerk", "crm.customers.update", "--json")
    assert (broken.code, [each["worked"] for each in broken.json["items"]]) == (1, [False]), broken.out
    assert console.world.events(agent="crm-clerk", kind="undo.not_proven") == ["undo.not_proven"]
