"""The data folder: there, writable, and closed to other users of the machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from assent.runtime import instance
from assent.runtime.doctor.report import Finding
from assent.runtime.settings import Settings


def look_at_folder(settings: Settings) -> Iterator[Finding]:
    """Say whether the data folder can be used."""
    folder = settings.data_dir
    if not folder.exists():
        parent = next(place for place in folder.parents if place.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            yield Finding(part="data folder", ok=True, found=f"{folder} is not there yet; the first start makes it.")
        else:
            yield _wrong(f"{folder} is not there and cannot be made.", f"Make {parent} writable for this user")
        return
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield _wrong(f"{folder} is not a folder that this user can write.", f"Run: chown -R $(id -un) {folder}")
        return
    other = instance.running(folder)
    used = f", used by `assent up` (process {other.pid}, {other.url})" if other else ""
    yield Finding(part="data folder", ok=True, found=f"{folder}{used}.")
    key = folder / "secret.key"
    if key.exists() and _open_to_others(key):
        yield _wrong("Other users of this machine can read the signing key.", f"Run: chmod 600 {key}")


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _wrong(found: str, todo: str) -> Finding:
    return Finding(part="data folder", ok=False, found=found, todo=f"{todo}, or choose another with --data-dir.")
