"""Find a ``temporal`` executable, or get one: PATH, Assent's cache, the SDK's download, a build from source.

What a person already has comes first, and the slowest way comes last. Each way that fails says so in one line.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from assent.domain.errors import AssentError, Unavailable
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import build, download
from assent.runtime.temporal.version import Versions, ask, pinned, platform_name


class Source(StrEnum):
    """Where an executable came from."""

    PATH = "from PATH"
    CACHE = "from the cache"
    SDK = "downloaded"
    BUILT = "built from source"


@dataclass(frozen=True, slots=True)
class Located:
    """A working Temporal executable."""

    path: Path
    source: Source
    versions: Versions

    def __str__(self) -> str:
        return f"Temporal CLI {self.versions.cli} (server {self.versions.server}), {self.source}: {self.path}"


def cache_folder(settings: Settings) -> Path:
    """Return the folder for the pinned version on this kind of machine; it lies outside any checkout."""
    return settings.cache_dir / "temporal" / pinned() / platform_name()


def find(settings: Settings, progress: Progress | None = None) -> Located | None:
    """Return an executable that is already on this machine, without fetching anything."""
    on_path = shutil.which("temporal")
    folder = cache_folder(settings)
    candidates = [
        (Source.PATH, Path(on_path) if on_path else None),
        (Source.CACHE, folder / "temporal"),
        (Source.SDK, download.downloaded(folder)),
    ]
    for source, path in candidates:
        if path is None or not path.exists():
            continue
        versions = ask(path)
        if versions is not None and versions.recent_enough:
            return Located(path, source, versions)
        if progress:
            said = f"holds server {versions.server}, which is too old" if versions else "does not answer --version"
            progress.say(f"Not using {path}: it {said}.")
    return None


def obtain(settings: Settings, progress: Progress) -> Located:
    """Return an executable, fetching or building one if the machine has none; the build takes minutes, once.

    Raises:
        Unavailable: Every way failed; the message tells the reason of the last one.
    """
    located = find(settings, progress)
    if located is None:
        folder = cache_folder(settings)
        located = _download(folder, progress) or _build(folder, settings, progress)
    progress.say(f"Using {located}")
    return located


def _download(folder: Path, progress: Progress) -> Located | None:
    try:
        path = download.fetch(folder, progress)
    except AssentError as error:
        progress.say(f"{error.what} Building it instead.")
        return None
    versions = ask(path)
    return Located(path, Source.SDK, versions) if versions and versions.recent_enough else None


def _build(folder: Path, settings: Settings, progress: Progress) -> Located:
    path = build.build(folder / "temporal", toolchain_folder=settings.cache_dir / "go", progress=progress)
    versions = ask(path)
    if versions is None:
        raise Unavailable(
            "The Temporal CLI was built and does not run.", where=str(path), todo="Delete that file and try again."
        )
    return Located(path, Source.BUILT, versions)
