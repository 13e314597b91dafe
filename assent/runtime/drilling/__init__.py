"""Holding drills: what a worker does of them, and the schedule that starts those that are due."""

from assent.runtime.drilling.conduct import Conduct
from assent.runtime.drilling.schedule import keep_schedule

__all__ = ["Conduct", "keep_schedule"]
