"""What was measured, as a page."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Attributes:
        name: What was measured.
        unit: Unit of the figures.
        bare: The yardstick's figures, a round each, with worker processes as the SDK has them by default.
        tuned: The same with worker processes tuned as Assent's are; empty if that was not measured.
        assent: Assent's figures, a round each.
        ratio: Assent's median by the yardstick's, its processes by default.
        target: What it must reach, in words.
        met: Whether it does.
    """

    name: str
    unit: str
    bare: Sequence[float]
    tuned: Sequence[float]
    assent: Sequence[float]
    ratio: float
    target: str
    met: bool

    @property
    def beside_tuned(self) -> str:
        """The ratio to the tuned yardstick, if it was measured."""
        if not self.tuned:
            return ""
        return f", {statistics.median(self.assent) / statistics.median(self.tuned):.2f}"


@dataclass
class Report:
    """All measurements of one run.

    Attributes:
        command: What was typed.
        workers: Worker processes of each subject; 0 if no ratio was measured.
        rows: The ratios.
        notes: What else was found.
        failed: Something other than a ratio missed its target.
    """

    command: str
    workers: int = 0
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: bool = False

    @property
    def met(self) -> bool:
        """Every target was reached."""
        return not self.failed and all(row.met for row in self.rows)

    def text(self) -> str:
        """The page in Markdown."""
        lines = [
            "# Benchmarks",
            "",
            f"`{self.command}`, Python {platform.python_version()}, temporalio {version('temporalio')}, "
            f"{platform.system()} {platform.machine()}. Both subjects run on one Temporal dev server (file database, "
            "Assent's tuning), interleaved, each with the same number of worker processes of its own "
            f"({self.workers or 'none in this run'}: what `assent up` starts here), which tell the measuring process "
            "when an effect starts. Bare is the leanest workflow for the same work, with regular activities, in "
            "worker processes as the SDK has them by default; *bare, tuned* runs it in worker processes tuned as "
            "Assent's are (no sandbox, workflow code on the event loop, few collections of garbage). Nobody "
            "compresses. The ratio is Assent's figure by bare's, the second one by that of bare, tuned. Figures are "
            "medians over rounds with the smallest and largest behind them. Ratios mean something, absolute figures "
            "are this machine's.",
            "",
        ]
        if self.rows:
            lines += [
                "| measurement | unit | bare | bare, tuned | Assent | ratio | target | |",
                "|---|---|---|---|---|---|---|---|",
            ]
            lines += [
                f"| {row.name} | {row.unit} | {_figures(row.bare)} | {_figures(row.tuned)} | {_figures(row.assent)} "
                f"| **{row.ratio:.2f}**{row.beside_tuned} | {row.target} | {'met' if row.met else 'MISSED'} |"
                for row in self.rows
            ]
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join(lines)


def _figures(values: Sequence[float]) -> str:
    if not values:
        return "–"
    return f"{statistics.median(values):.4g} ({min(values):.4g}–{max(values):.4g})"
