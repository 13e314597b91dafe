"""Start child processes that cannot outlive their parent, and end them without leaving grandchildren behind."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

STOP_SECONDS = 20.0
"""How long a child may take to end before it is killed."""

_PR_SET_PDEATHSIG = 1

_LEASH = """
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
trap 'kill -TERM $child 2>/dev/null' TERM INT HUP
{ cat <&3 >/dev/null; kill -TERM $child 2>/dev/null; } &
watcher=$!
wait $child
code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
kill $watcher 2>/dev/null
exit $code
"""


def environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return this process's environment with ``changes`` made for a child; None takes a variable away."""
    merged = {**os.environ, **{name: value for name, value in changes.items() if value is not None}}
    return {name: value for name, value in merged.items() if changes.get(name, value) is not None}


def start(
    command: Sequence[str],
    *,
    output: IO[bytes] | int,
    changes: Mapping[str, str | None] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a process group of its own, with standard output and error going to ``output``.

    Its standard input is a pipe that nobody writes to and that breaks when this process dies: children that call
    :func:`follow_parent` end then. On Linux the kernel also sends them SIGTERM, so foreign programs end too.
    Call it from the main thread: the kernel watches the thread that started the child.

    Raises:
        OSError: The program cannot be started.
    """
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment(changes or {}),
        cwd=cwd,
        start_new_session=True,
        preexec_fn=_DieWithParent(os.getpid()) if sys.platform == "linux" else None,
    )


def leashed(command: Sequence[str]) -> list[str]:
    """Return a command that runs a foreign ``command`` and ends it when its own standard input breaks.

    For systems whose kernel does not tell children that their parent has died: a shell in between watches instead.
    """
    return ["/bin/sh", "-c", _LEASH, "leash", *command]


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the process and to everything it started; an already empty group is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def stop(process: subprocess.Popen[bytes], patience: float = STOP_SECONDS) -> None:
    """End a child and what it started: politely, and for good once ``patience`` seconds have passed."""
    signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    # Also after a polite end: what it started and left behind is still in its group.
    signal_group(process, signal.SIGKILL)
    process.wait()
    if process.stdin:
        process.stdin.close()


def follow_parent() -> None:
    """Watch standard input and send this process SIGTERM once the parent that holds its other end is gone."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()


def leave(code: int) -> NoReturn:
    """End this process with ``code`` once everything it printed and logged is out.

    The interpreter is not taken apart first: a thread of the Temporal SDK may still be on its way back from the last
    answer, and one that comes back in the middle of that kills the process with SIGABRT in place of its exit code.
    Whatever has to be closed is therefore closed before, by the block that opened it.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        # A reader that has gone away wants nothing more.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def free_port(host: str = "127.0.0.1", *, but: Collection[int] = ()) -> int:
    """Ask the system for a TCP port that is free now.

    Args:
        host: Where something will listen on it.
        but: Ports that are meant for something else, though nothing listens on them yet.
    """
    with contextlib.ExitStack() as passed_over:
        while True:
            probe = passed_over.enter_context(socket.socket())
            probe.bind((host, 0))
            port: int = probe.getsockname()[1]
            if port not in but:
                return port


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen on ``host:port`` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


class _DieWithParent:
    """Runs in the child between fork and exec: ask the kernel for SIGTERM at the parent's death."""

    def __init__(self, parent: int) -> None:
        self._parent = parent
        # Loaded here: between fork and exec nothing may be imported or looked up.
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl

    def __call__(self) -> None:
        self._prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != self._parent:
            os._exit(1)
