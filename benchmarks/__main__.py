"""``make bench``: measure Assent against bare Temporal in one run, and write the ratios down.

Usage: ``python -m benchmarks [--rounds 3] [--only NAME …] [--quick] [--out benchmarks/RESULTS.md]``
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks import duel, inbox, kills, ratios, stopping, undoing
from benchmarks.report import Report


def main() -> int:
    """Run what was asked for; ends with 1 if a target was missed."""
    names = [*ratios.NAMES, inbox.NAME, duel.NAME, kills.NAME, undoing.NAME, stopping.NAME]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds of each measurement (default 3)")
    parser.add_argument("--only", nargs="*", choices=names, help="only these")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    parser.add_argument("--out", type=Path, help="write the results to this file, too")
    options = parser.parse_args()
    wanted = options.only or [*ratios.NAMES, inbox.NAME, duel.NAME, kills.NAME, undoing.NAME, stopping.NAME]
    report = Report(command="python -m benchmarks " + " ".join(sys.argv[1:]))
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        asyncio.run(ratios.measure(wanted, Path(folder), report, rounds=options.rounds, quick=options.quick))
        if inbox.NAME in wanted:
            (Path(folder) / "inbox").mkdir()
            inbox.measure(Path(folder) / "inbox", report, rounds=options.rounds, quick=options.quick)
        if duel.NAME in wanted:
            (Path(folder) / "duel").mkdir()
            duel.measure(Path(folder) / "duel", report, duels=duel.DUELS // (50 if options.quick else 1))
        if kills.NAME in wanted:
            (Path(folder) / "kills").mkdir()
            kills.measure(Path(folder) / "kills", report, runs=100 if options.quick else 1_000)
        if undoing.NAME in wanted:
            (Path(folder) / "undoing").mkdir()
            undoing.measure(Path(folder) / "undoing", report, rounds=options.rounds, quick=options.quick)
        if stopping.NAME in wanted:
            (Path(folder) / "stopping").mkdir()
            stopping.measure(Path(folder) / "stopping", report, quick=options.quick)
    print(report.text())
    if options.out:
        options.out.write_text(report.text() + "\n", encoding="utf-8")
    return 0 if report.met else 1


if __name__ == "__main__":
    from assent.runtime.processes import leave

    leave(main())
