"""One worker process of Assent with the benchmark's connector.

Run as ``python -m benchmarks.worker ADDRESS FOLDER PREFIX DATABASE_URL``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from assent.runtime import processes
from assent.runtime.settings import Settings
from assent.runtime.worker import on_quick_loop, rarely_collect_garbage, running_worker
from assent.store.database import Database
from assent_activities.connectors import build_registry
from benchmarks.connector import BenchConnector
from benchmarks.crew import connect, tell, until_told_to_end


async def _main(address: str, folder: str, prefix: str, url: str) -> None:
    client = await connect(address)
    settings = Settings.load(data_dir=Path(folder), task_queue_prefix=prefix, database_url=url)
    database = Database(settings.database_url)
    rarely_collect_garbage()
    try:
        async with running_worker(client, database, build_registry([BenchConnector(tell=tell)]), settings):
            await until_told_to_end()
    finally:
        database.close()


if __name__ == "__main__":
    on_quick_loop(_main(*sys.argv[1:]))
    processes.leave(0)
