"""Which Temporal server Assent is built for, read from the recipe that builds it."""

from __future__ import annotations

import platform
import re
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from assent.domain.errors import Unavailable

MODULE = "github.com/temporalio/cli"
OLDEST_SERVER = (1, 28)
"""Older servers lack update-with-start, which every run begins with."""

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
ASK_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions of one executable; ``server`` is the server inside it."""

    cli: str
    server: str

    @property
    def recent_enough(self) -> bool:
        """Whether the server inside has what Assent needs."""
        return tuple(int(part) for part in self.server.split(".")[:2]) >= OLDEST_SERVER


def recipe(name: str) -> str:
    """Return a file of the build recipe that ships with the package."""
    return resources.files("assent.runtime.temporal").joinpath("cli_module", name).read_text(encoding="utf-8")


def pinned() -> str:
    """Return the pinned version of the Temporal CLI, such as ``1.8.2``."""
    found = re.search(rf"^\s*{re.escape(MODULE)} v(\S+)", recipe("go.mod"), re.MULTILINE)
    if found is None:
        raise Unavailable("The build recipe names no version of the Temporal CLI.", where="cli_module/go.mod")
    return found[1]


def platform_name() -> str:
    """Return the operating system and processor as the Go world writes them: ``linux-amd64``."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{_ARCHITECTURES.get(machine, machine)}"


def ask(executable: Path) -> Versions | None:
    """Run the executable and return what it says it is, or None if it is not a working Temporal CLI."""
    try:
        answer = subprocess.run(
            [executable, "--version"], capture_output=True, text=True, timeout=ASK_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"temporal version (\S+) \(Server (\d+\.\d+[^,\s)]*)", answer.stdout)
    return Versions(found[1], found[2]) if found else None
