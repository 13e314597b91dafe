"""Worker processes of a subject: as many for the one as for the other, with effects told through a pipe."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from temporalio.client import Client, GrpcCompression
from temporalio.converter import DataConverter

from assent.runtime import processes
from assent.runtime.temporal.messages import DATA_CONVERTER

READY = "ready"
_EFFECT = "effect"
STOP_SECONDS = 30.0


async def connect(address: str, converter: DataConverter = DATA_CONVERTER) -> Client:
    """A client as every process of a benchmark uses it: pydantic messages, no compression."""
    return await Client.connect(address, data_converter=converter, grpc_compression=GrpcCompression.NONE)


class Effects:
    """What the effects of all worker processes told: when the newest effect of each run started.

    Times are of the monotonic clock, which all processes of a machine share.
    """

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._awaited: dict[str, asyncio.Event] = {}

    def note(self, run_id: str, at: float) -> None:
        """An effect of this run started."""
        self._at[run_id] = at
        if run_id in self._awaited:
            self._awaited.pop(run_id).set()

    async def next(self, run_id: str) -> float:
        """When the newest effect of a run started; waits for one if there was none since :meth:`forget`."""
        if run_id not in self._at:
            await self._awaited.setdefault(run_id, asyncio.Event()).wait()
        return self._at[run_id]

    def forget(self, run_id: str) -> None:
        """Wait for another one."""
        self._at.pop(run_id, None)


def tell(run_id: str) -> None:
    """In a worker process: an effect of this run starts now. A line this short is written whole."""
    os.write(sys.stdout.fileno(), f"{_EFFECT} {run_id} {time.perf_counter()}\n".encode())


async def until_told_to_end() -> None:
    """In a worker process: say that it is ready, then wait for SIGTERM or the death of the benchmark."""
    processes.follow_parent()
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    print(READY, flush=True)
    await over.wait()


@asynccontextmanager
async def crew(module: str, arguments: Sequence[str], size: int) -> AsyncIterator[Effects]:
    """Run ``size`` worker processes of ``python -m module arguments`` while the block runs.

    Raises:
        RuntimeError: One of them did not come up.
    """
    effects = Effects()
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(_worker(module, arguments)) for _ in range(size)]
        ears = []
        for worker in workers:
            if await _line(worker) != READY:
                raise RuntimeError(f"A worker process of {module} did not come up.")
            ears.append(asyncio.create_task(_listen(worker, effects)))
        try:
            yield effects
        finally:
            for worker in workers:
                worker.terminate()
            await asyncio.gather(*ears)


@asynccontextmanager
async def _worker(module: str, arguments: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=pipe, stdout=pipe)
    try:
        yield worker
    finally:
        if worker.returncode is None:
            worker.terminate()
            try:
                await asyncio.wait_for(worker.wait(), STOP_SECONDS)
            except TimeoutError:
                worker.kill()
                await worker.wait()


async def _line(worker: asyncio.subprocess.Process) -> str:
    assert worker.stdout is not None
    return (await worker.stdout.readline()).decode().strip()


async def _listen(worker: asyncio.subprocess.Process, effects: Effects) -> None:
    assert worker.stdout is not None
    async for line in worker.stdout:
        match line.decode(errors="replace").split():
            case [word, run_id, at] if word == _EFFECT:
                effects.note(run_id, float(at))
            case _:
                # The SDK logs to standard output.
                sys.stderr.buffer.write(line)
