"""Affected records as files: CSV that no spreadsheet takes for a formula, and JSON; row by row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from assent.domain.canonical import Json
from assent.store.queries.affected import Affected

FIELDS = (
    "record",
    "at",
    "agent",
    "run_id",
    "action_id",
    "type",
    "sentence",
    "status",
    "undo",
    "undone_at",
    "before",
    "after",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the beginning of a formula, full-width forms included."""


def as_csv(rows: Iterable[Affected]) -> Iterator[str]:
    """A line for each effect on a record, with a heading."""
    yield _line(FIELDS)
    for row in rows:
        shown = as_json_object(row)
        yield _line([_cell(shown[name]) for name in FIELDS])


def as_json(rows: Iterable[Affected]) -> Iterator[str]:
    """A JSON list, one object a line."""
    between = "[\n"
    for row in rows:
        yield between + json.dumps(as_json_object(row), ensure_ascii=True)
        between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"


def as_json_object(row: Affected) -> dict[str, Json]:
    """A row with every field; records before and after as they are kept, declared secrets replaced."""
    return {
        "record": row.record,
        "at": row.at.isoformat(),
        "agent": row.agent,
        "run_id": row.run_id,
        "action_id": row.action_id,
        "type": row.type,
        "sentence": row.sentence,
        "status": row.status.value,
        "undo": row.undo.value if row.undo else None,
        "undone_at": row.undone_at.isoformat() if row.undone_at else None,
        "before": row.before,
        "after": row.after,
    }


def _cell(value: Json) -> str:
    """A cell that a spreadsheet shows as text: what could begin a formula gets an apostrophe before it."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.lstrip(" \u00a0\ufeff").startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
