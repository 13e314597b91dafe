"""A worker as a process of its own, with a desk whose effects survive it, for tests that kill it.

Run as ``python -m tests.worker_process FOLDER`` with a :class:`Charge` in ``FOLDER/charge.json``.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel
from temporalio.client import Client

from assent.runtime.settings import Settings
from assent.runtime.temporal.messages import DATA_CONVERTER
from assent.runtime.worker import running_worker
from assent.store.database import Database
from assent_activities.connectors import Call, build_registry
from tests.desk import Desk
from tests.world import World

FORGETFUL = frozenset({"desk.tip"})
"""The desk cannot say whether it gave a tip."""


class Charge(BaseModel):
    """What a worker process is told."""

    address: str
    prefix: str
    database_url: str


class FileList(list[str]):
    """A list of words that lives in a file, so that it outlives a killed process."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.read_text().split() if path.exists() else [])
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def append(self, word: str) -> None:
        os.write(self._file, f"{word}\n".encode())

    def __contains__(self, word: object) -> bool:
        return word in self._path.read_text().split()


class Grave:
    """Where a test notes at which moments of which actions the worker is to die, each once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "deaths"
        self._folder.mkdir(exist_ok=True)

    def dig(self, moment: str, keys: Iterable[str]) -> None:
        """Let the worker die at this moment of each of these actions."""
        for key in keys:
            (self._folder / f"{key}@{moment}").touch()

    @property
    def open(self) -> list[str]:
        """Deaths that have not been died."""
        return sorted(path.name for path in self._folder.iterdir())

    def visit(self, moment: str, call: Call) -> None:
        """Die, if it was noted."""
        note = self._folder / f"{call.key}@{moment}"
        if note.exists():
            note.unlink()
            os._exit(9)


def effects(folder: Path) -> list[str]:
    """Keys of every effect there was, in order."""
    path = folder / "effects"
    return path.read_text().split() if path.exists() else []


def start_worker(world: World, folder: Path) -> subprocess.Popen[bytes]:
    """Start a worker of a world; its log is added to ``FOLDER/worker.log``."""
    charge = Charge(
        address=world.settings.temporal_address or "",
        prefix=world.settings.task_queue_prefix,
        database_url=world.database.url.render_as_string(hide_password=False),
    )
    (folder / "charge.json").write_text(charge.model_dump_json())
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "tests.worker_process", str(folder)], stdout=log, stderr=log)


async def _main(folder: Path) -> None:
    charge = Charge.model_validate_json((folder / "charge.json").read_text())
    settings = Settings.load(data_dir=folder / "worker").model_copy(update={"task_queue_prefix": charge.prefix})
    grave = Grave(folder)
    desk = Desk(
        done=FileList(folder / "effects"),
        undone=FileList(folder / "undone"),
        trouble=lambda call: grave.visit("before", call),
        after=lambda call: grave.visit("after", call),
        forgets=FORGETFUL,
    )
    client = await Client.connect(charge.address, data_converter=DATA_CONVERTER)
    async with running_worker(client, Database(charge.database_url), build_registry([desk]), settings):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
