"""Clocks that can be put wrong, and a PostgreSQL server that can be stopped."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from assent.runtime import processes
from tests.postgres import unprivileged_user


class Clock:
    """A clock that can be put wrong."""

    def __init__(self) -> None:
        self.off = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.off


class OwnPostgres:
    """A server of one test, which stops it and starts it again."""

    def __init__(self, binaries: Path, home: Path) -> None:
        self._binaries = binaries
        self._home = home
        self._user = unprivileged_user()
        self._port = processes.free_port()
        self._server: subprocess.Popen[bytes] | None = None
        if self._user:
            shutil.chown(home, self._user)
        setup = [str(binaries / "initdb"), "--pgdata", str(home / "data"), "--username", "assent", "--auth", "trust"]
        subprocess.run(
            [*setup, "--encoding", "UTF8", "--no-sync"], user=self._user, cwd=home, check=True, capture_output=True
        )

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://assent@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(self._port)}
        command = [str(self._binaries / "postgres"), "-D", str(self._home / "data")]
        command += [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        with (self._home / "log").open("ab") as log:
            self._server = subprocess.Popen(command, user=self._user, cwd=self._home, stdout=log, stderr=log)
        while True:
            try:
                psycopg.connect(host="127.0.0.1", port=self._port, user="assent", dbname="postgres").close()
                return
            except psycopg.OperationalError:
                assert self._server.poll() is None, (self._home / "log").read_text()
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop it at once, as a crash does."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait()
            self._server = None
