"""What a look at the parts found, and how it is printed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, computed_field

Part = Literal["settings", "data folder", "database", "Temporal", "Slack", "mail", "clock", "effects", "undo"]


class Finding(BaseModel):
    """One thing that was looked at.

    Attributes:
        part: What it belongs to.
        ok: Whether it is as it should be; a part that is off on purpose is.
        found: What was found and would be used, one sentence.
        todo: What to do about it; empty if nothing.
    """

    part: Part
    ok: bool
    found: str
    todo: str = ""


class Report(BaseModel):
    """Everything that was found."""

    findings: list[Finding]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.ok for finding in self.findings)


def render(report: Report) -> str:
    """Write the report for a person: a word and a shape for each finding, advice below what is wrong."""
    width = max(len(finding.part) for finding in report.findings)
    lines = []
    for finding in report.findings:
        lines.append(f"{'✓ ok   ' if finding.ok else '✗ wrong'}  {finding.part:{width}}  {finding.found}")
        if finding.todo:
            lines.append(f"{'':{width + 11}}→ {finding.todo}")
    wrong = sum(not finding.ok for finding in report.findings)
    lines.append("Nothing is wrong." if not wrong else f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong.")
    return "\n".join(lines)
