"""Slack is down for ten minutes, then limits its rate: does every message arrive once, in order per request?

The whole Slack side runs against the tests' fake Slack, on the fake's clock: ten minutes pass in seconds. During the
outage requests are made, commented on and closed; some calls do what they were asked for and lose their answer.

Usage: ``python -m benchmarks.slack_outage [--requests 40] [--people 2] [--seed 1]``
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from assent.store.database import Database
from assent.store.migrate import migrate
from tests.slack.fake_slack import FakeSlack
from tests.slack.office import make_office
from tests.slack.outage import MINUTES_DOWN, Outcome, outage


def main() -> int:
    """Measure; ends with 1 if anything was lost, doubled, out of order or untrue."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slack_outage", description=__doc__)
    parser.add_argument("--requests", type=int, default=40, help="requests made while Slack is down (default 40)")
    parser.add_argument("--people", type=int, default=2, help="approvers with direct messages, at most 5 (default 2)")
    parser.add_argument("--seed", type=int, default=1, help="of the trouble (default 1)")
    options = parser.parse_args()
    # Every refused attempt is logged as a warning; here they are what is measured.
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        found = asyncio.run(_measure(Path(folder), options.requests, options.people, options.seed))
    print(_report(found))
    return int(bool(found.doubles or found.missing or found.out_of_order or found.untrue or found.hammered))


async def _measure(folder: Path, requests: int, people: int, seed: int) -> Outcome:
    database = Database(f"sqlite:///{folder / 'assent.db'}")
    migrate(database)
    try:
        async with FakeSlack().running() as slack, make_office(slack, database, way="http") as office:
            return await outage(office, requests=requests, people=people, seed=seed)
    finally:
        database.close()


def _report(found: Outcome) -> str:
    lines = [
        f"Slack down for {MINUTES_DOWN} minutes, then limited to one message a second",
        "",
        "| measurement | figure | target |",
        "|---|---|---|",
        f"| requests made while it was down | {found.requests:,} | |",
        f"| messages and notes that had to arrive | {found.expected:,} | |",
        f"| arrived | {found.arrivals:,} | {found.expected:,} |",
        f"| missing | {found.missing} | 0 |",
        f"| doubled | {found.doubles} | 0 |",
        f"| out of order within a request | {found.out_of_order} | 0 |",
        f"| copies that show another status than the request has | {found.untrue} | 0 |",
        f"| calls while Slack was down | {found.calls_down:,} | |",
        f"| calls before the time that Retry-After named | {found.hammered} | 0 |",
        f"| minutes from Slack's return until everything was there | {found.minutes_after:.1f} | |",
        f"| seconds it took here | {found.seconds:.0f} | |",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
