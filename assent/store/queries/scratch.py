"""Leaving what drills do out of the lists of what agents do; the page of a drill shows it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from assent.domain.drills import SCRATCH_PREFIX


def not_of_drills(name: Any) -> ColumnElement[bool]:
    """Whether a column names anything but the scratch agent of a drill."""
    wanted: ColumnElement[bool] = name.not_like(f"{SCRATCH_PREFIX}%")
    return wanted
