"""`assent up`: the whole of Assent on this machine, from nothing to a page that a person can open."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import typer

from assent.domain.errors import Conflict, NotFound, Unavailable
from assent.runtime import instance, processes
from assent.runtime.logs import tail
from assent.runtime.parts import Part, load
from assent.runtime.progress import Progress
from assent.runtime.secrets import signing_key
from assent.runtime.settings import Settings
from assent.runtime.stopping import Stopped, Stopping
from assent.runtime.supervisor import POLL_SECONDS, Program, Supervisor
from assent.runtime.temporal.devserver import DevServer
from assent.runtime.temporal.locate import obtain

TRIES_AT_START = 3
"""A child that dies this often before the pages answer will not come up by itself."""

HEALTH_TIMEOUT_SECONDS = 5.0
ALIVE = {"status": "ok", "program": "assent"}
"""What the pages say of themselves at ``/healthz``."""

_TEMPORAL_VARIABLES = ("ADDRESS", "NAMESPACE", "API_KEY", "TLS", "PROFILE", "CONFIG_FILE")


def up(settings: Settings, *, sample: str | None) -> None:
    """Run Assent in the foreground until Ctrl-C or SIGTERM, then end every process it started.

    Args:
        settings: What to run; its data folder is held while this runs.
        sample: Name of a sample agent to run beside it, such as ``shop``; None for none.

    Raises:
        Conflict: Assent already runs on the data folder, or the web port is taken.
        Unavailable: Temporal cannot be had, or a part does not come up.
    """
    with instance.held(settings.data_dir), Stopping() as stopping:
        progress = Progress(check=stopping.check)
        if not processes.port_is_free(settings.web_host, settings.web_port):
            raise Conflict(
                f"Port {settings.web_port} on {settings.web_host} is taken by another program.",
                where="web_port",
                todo="Choose another: `assent up --port 8485` (with make: `make up UP_ARGS='--port 8485'`).",
            )
        progress.say(f"Data folder: {settings.data_dir}")
        try:
            Installation(settings, sample, progress, stopping).run()
        except Stopped:
            progress.say("Assent has ended; its state is kept.")


class Installation:
    """The processes of one ``assent up``."""

    def __init__(self, settings: Settings, sample: str | None, progress: Progress, stopping: Stopping) -> None:
        self._settings = settings
        self._sample = sample
        self._progress = progress
        self._stopping = stopping
        # It also ends the children, which must not be broken off: it gets a progress that never checks.
        self._closing = Progress()
        self._supervisor = Supervisor(self._closing, self._publish)

    def run(self) -> None:
        """Start everything, say where it is, and look after it until asked to end."""
        with self._ended_at_the_end():
            self._start_temporal()
            self._prepare()
            self._start_parts()
            self._wait_for_pages()
            self._welcome()
            while True:
                self._turn()

    @contextmanager
    def _ended_at_the_end(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._closing.phase("Ending every process (Ctrl-C again to kill them)")
            self._supervisor.stop(self._stopping.hurry)

    def _turn(self) -> None:
        self._stopping.check()
        self._supervisor.tend()
        time.sleep(POLL_SECONDS)

    def _start_temporal(self) -> None:
        configured = self._settings.temporal_profile().get("target_host")
        if configured:
            self._progress.say(f"Using the Temporal server at {configured}, as configured")
            return
        executable = obtain(self._settings, self._progress).path
        # The pages do not listen yet, so the system would give away their port as well.
        port = self._settings.temporal_port or processes.free_port(but={self._settings.web_port})
        ui_port = self._settings.temporal_ui_port or processes.free_port(but={self._settings.web_port, port})
        server = DevServer(
            executable,
            port=port,
            ui_port=ui_port,
            database=self._settings.data_dir / "temporal.db",
            namespace=self._settings.temporal_namespace,
        )
        self._settings = self._settings.model_copy(
            update={"temporal_address": server.address, "temporal_ui_url": server.ui_url}
        )
        self._progress.phase("Starting the Temporal server")
        command = server.command() if sys.platform == "linux" else processes.leashed(server.command())
        child = self._supervisor.add(Program("temporal", tuple(command), self._log("temporal"), last_to_end=True))
        server.wait_ready(lambda: child.alive, child.program.log, self._progress)
        self._progress.say(f"Temporal is ready at {server.address}, its own page at {server.ui_url}")

    def _prepare(self) -> None:
        self._stopping.check()
        signing_key(self._settings)
        if self._sample:
            self._settings = load(f"assent_{self._sample}.sample:configure")(self._settings)
        self._progress.phase("Bringing the database up to date")
        load(Part.PREPARE)(self._settings, self._progress.say)
        if self._sample:
            load(f"assent_{self._sample}.sample:prepare")(self._settings, self._progress.say)

    def _start_parts(self) -> None:
        for number in range(1, self._settings.workers + 1):
            self._add(f"worker-{number}" if number > 1 else "worker", "worker")
        self._add("web", "web")
        if self._settings.slack_wanted:
            self._add("slack", "slack")
        if self._sample:
            self._add("sample", "sample", self._sample, may_finish=True)

    def _add(self, name: str, *arguments: str, may_finish: bool = False) -> None:
        command = (sys.executable, "-m", "assent", "--follow-parent", *arguments)
        changes: dict[str, str | None] = dict(self._settings.environment())
        if self._settings.temporal_address:
            # A profile for some other server must not reach children of this one.
            changes |= {f"TEMPORAL_{name}": None for name in _TEMPORAL_VARIABLES}
        self._supervisor.add(Program(name, command, self._log(name), changes, may_finish=may_finish))

    def _log(self, name: str) -> Path:
        return self._settings.data_dir / "logs" / f"{name}.log"

    def _wait_for_pages(self) -> None:
        self._progress.phase("Starting workers and web")
        with httpx.Client(base_url=self._local_url(), timeout=HEALTH_TIMEOUT_SECONDS, trust_env=False) as client:
            while not _healthy(client):
                self._turn()
                self._progress.tick()
                for child in self._supervisor.children:
                    if child.deaths >= TRIES_AT_START:
                        raise Unavailable(
                            f"{child.program.name} does not come up:\n{tail(child.program.log)}\n",
                            where=str(child.program.log),
                        )

    def _local_url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._settings.web_host, self._settings.web_host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._settings.web_port}"

    def _welcome(self) -> None:
        self._publish(self._supervisor.pids())
        typer.echo(f"\nAssent is running at {self._settings.public_url}")
        try:
            typer.echo(f"Sign in (this link works once): {load(Part.SIGN_IN_LINK)(self._settings)}")
        except NotFound:
            typer.echo("Sign in with a local account.")
        typer.echo(f"Logs: {self._settings.data_dir / 'logs'}. Ctrl-C ends it; its state is kept.\n")

    def _publish(self, pids: dict[str, int]) -> None:
        profile = self._settings.temporal_profile()
        instance.publish(
            self._settings.data_dir,
            instance.Instance(
                pid=os.getpid(),
                url=self._settings.public_url,
                temporal_address=profile.get("target_host", ""),
                temporal_ui_url=self._settings.temporal_ui_url,
                connectors=list(self._settings.connectors),
                children=pids,
            ),
        )


def _healthy(client: httpx.Client) -> bool:
    """Whether the pages answer, and not some other program that took their port meanwhile."""
    try:
        answer = client.get("/healthz")
        return answer.status_code == httpx.codes.OK and answer.json() == ALIVE
    except (httpx.TransportError, ValueError):
        return False
