"""What a running ``assent up`` tells others about itself: a file in the data folder, and the lock that keeps it true.

The lock is held by the running process and vanishes with it, so a file left behind by a killed one is never believed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ValidationError

from assent.domain.errors import Conflict, Unavailable
from assent.runtime.settings import Settings

LOCK_NAME = "up.lock"
FILE_NAME = "up.json"


class Instance(BaseModel):
    """A running ``assent up``.

    Attributes:
        pid: Process id of the supervisor.
        url: Address of its web pages.
        temporal_address: ``host:port`` of its Temporal server.
        temporal_ui_url: Address of Temporal's own page, if it has one.
        connectors: The connectors it was started with, the sample's included.
        children: Process id of each child that runs now, by name.
    """

    pid: int
    url: str
    temporal_address: str
    temporal_ui_url: str | None = None
    connectors: list[str] = []
    children: dict[str, int] = {}


def running(data_dir: Path) -> Instance | None:
    """Return the instance that works in ``data_dir`` right now, or None."""
    if not _is_locked(data_dir / LOCK_NAME):
        return None
    try:
        return Instance.model_validate_json((data_dir / FILE_NAME).read_bytes())
    except (OSError, ValidationError):
        # It holds the lock and has not come far enough to write the file.
        return None


def as_running(settings: Settings) -> Settings:
    """Settings that agree with the ``assent up`` on their data folder, if one runs: its address and its connectors."""
    found = running(settings.data_dir)
    if found is None:
        return settings
    changes = {"public_url": found.url, "connectors": settings.connectors or found.connectors}
    return settings.model_copy(update=changes)


def publish(data_dir: Path, instance: Instance) -> None:
    """Write the file in one step, so that a reader sees the old one or the new one."""
    draft = data_dir / f"{FILE_NAME}.{os.getpid()}"
    draft.write_text(instance.model_dump_json(indent=2), encoding="utf-8")
    draft.replace(data_dir / FILE_NAME)


@contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this process, making it (mode 0700) if needed.

    Raises:
        Conflict: Another ``assent up`` works in it.
        Unavailable: The folder cannot be made or written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            f"The data folder cannot be used: {error.strerror}.",
            where=str(data_dir),
            todo="Make it writable for this user, or name another one with --data-dir.",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        other = running(data_dir)
        place = f" at {other.url} (process {other.pid})" if other else ""
        raise Conflict(
            f"Assent already runs on this data folder{place}.",
            where=str(data_dir),
            todo="Use that one, stop it with Ctrl-C, or name another folder with --data-dir.",
        ) from None
    try:
        yield
    finally:
        (data_dir / FILE_NAME).unlink(missing_ok=True)
        os.close(lock)


def _is_locked(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two readers that look at the same moment do not take each other for a running instance.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
