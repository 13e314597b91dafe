"""Build the pinned Temporal CLI from its Go module. Takes two to five minutes and about 2 GB of memory, once."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.runtime.progress import Progress
from assent.runtime.temporal.steps import run_step
from assent.runtime.temporal.toolchain import Toolchain, toolchain
from assent.runtime.temporal.version import MODULE, pinned, recipe

PACKAGE = f"{MODULE}/cmd/temporal"
LOCK_POLL_SECONDS = 0.5
_REMEDY = "Check the network and free memory and try again, or put a `temporal` executable on PATH."


def build(target: Path, *, toolchain_folder: Path, progress: Progress) -> Path:
    """Build the executable at ``target`` unless another process just did; return it.

    The file appears in one step when it is complete, so a broken build leaves nothing behind that looks usable.

    Raises:
        Unavailable: No Go toolchain can be had, or the build failed; quotes the compiler.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target.with_name("build.lock"), progress):
        if target.exists():
            return target
        go = toolchain(toolchain_folder, progress)
        progress.say(f"Building Temporal CLI {pinned()} with {go.go}. The first time takes minutes; it is kept after.")
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as folder:
            draft = _compile(Path(folder), go, progress)
            draft.replace(target)
        progress.say(f"Built the Temporal server in {progress.elapsed}.")
    return target


def _compile(folder: Path, go: Toolchain, progress: Progress) -> Path:
    for name in ("go.mod", "go.sum"):
        (folder / name).write_text(recipe(name), encoding="utf-8")
    # The user's own workspace, flags and target platform must not leak into this build.
    changes = {
        "CGO_ENABLED": "0", "GOTOOLCHAIN": go.policy, "GOWORK": "off", "GOFLAGS": None, "GOOS": None, "GOARCH": None,
    }  # fmt: skip
    progress.phase("Fetching the sources of the Temporal server")
    packages = run_step(
        [str(go.go), "list", "-deps", PACKAGE],
        progress=progress, failure="The sources of the Temporal server cannot be fetched.", todo=_REMEDY,
        changes=changes, cwd=folder, detail=_counter("modules"),
    )  # fmt: skip
    total = sum(not line.startswith("go: ") for line in packages)
    progress.phase("Building the Temporal server")
    flags = f"-s -w -X {MODULE}/internal/temporalcli.Version={pinned()}"
    run_step(
        [str(go.go), "build", "-v", "-trimpath", "-ldflags", flags, "-o", "temporal", PACKAGE],
        progress=progress, failure="The Temporal server cannot be built.", todo=_REMEDY,
        changes=changes, cwd=folder, detail=_counter(f"of about {total} packages"),
    )  # fmt: skip
    return folder / "temporal"


def _counter(unit: str) -> Callable[[str], str]:
    seen = 0

    def count(line: str) -> str:
        nonlocal seen
        if line.startswith("go: downloading") or not line.startswith("go: "):
            seen += 1
        return f"{seen} {unit}"

    return count


@contextmanager
def _alone(path: Path, progress: Progress) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        progress.phase("Making sure that nobody else builds it")
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress.tick("another process builds it; waiting for that")
                time.sleep(LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(lock)
