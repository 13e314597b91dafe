"""A PostgreSQL server of the tests' own, from the programs of the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from assent.runtime import processes

START_TIMEOUT_SECONDS = 120.0
_UNPRIVILEGED = ("postgres", "nobody")


def programs() -> Path | None:
    """Folder that holds ``initdb`` and ``postgres``, the newest if there are several."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    return next((path for path in found if (path / "initdb").exists() and (path / "postgres").exists()), None)


@contextmanager
def running_postgres(binaries: Path) -> Iterator[str]:
    """Run a server on a free port of this machine for the length of a block; gives its SQLAlchemy URL.

    It keeps nothing safe from a power cut (``fsync`` is off), which is what makes it quick.
    """
    user = unprivileged_user()
    # Not pytest's folder: that one belongs to this user alone, and PostgreSQL refuses to run as root.
    with tempfile.TemporaryDirectory(prefix="assent-postgres-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        if user:
            shutil.chown(home, user)
        data, port = home / "data", processes.free_port()
        setup = [str(binaries / "initdb"), "--pgdata", str(data), "--username", "assent", "--auth", "trust"]
        subprocess.run(
            [*setup, "--encoding", "UTF8", "--no-sync"], user=user, cwd=home, check=True, capture_output=True
        )
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port), "fsync": "off"}
        command = [str(binaries / "postgres"), "-D", str(data)]
        command += [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(command, user=user, cwd=home, stdout=log, stderr=log)
        try:
            _wait(server, port, home / "log")
            yield f"postgresql+psycopg://assent@127.0.0.1:{port}/postgres"
        finally:
            # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
            server.send_signal(signal.SIGINT)
            server.wait()


def unprivileged_user() -> str | None:
    """Whom a server runs as: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="assent", dbname="postgres").close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
        time.sleep(0.1)
