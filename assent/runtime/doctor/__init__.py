"""``assent doctor``: look at every part Assent needs and say what was found, what would be used and what is wrong."""

from assent.runtime.doctor.examine import examine
from assent.runtime.doctor.report import Finding, Report, render

__all__ = ["Finding", "Report", "examine", "render"]
