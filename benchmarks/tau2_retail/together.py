"""All cases on one shop, and then everything that the agent did taken back at once."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assent.client import Assent
from assent_activities.connectors.sql_rows import RowStore
from assent_shop.data import ShopData, replace_shop
from benchmarks.tau2_retail.cases import Case
from benchmarks.tau2_retail.person import Person
from benchmarks.tau2_retail.play import play
from benchmarks.tau2_retail.product import AGENT
from benchmarks.tau2_retail.rows import changed, content


def together(client: Assent, person: Person, store: RowStore, data: ShopData, cases: list[Case], out: Path) -> int:
    """Play all cases, take all of it back by agent and time, and compare the shop with its start; gives the exit code.

    The cases were written to start from the same shop each, so some actions are refused by the shop here that are not
    when each case has a shop of its own; what counts is that nothing of what was done is left unsaid.
    """
    replace_shop(store.database.engine, data)
    before, since, started = content(store), datetime.now(UTC), time.monotonic()
    kinds: Counter[str] = Counter()
    for case in cases:
        kinds += play(client, person, case).kinds
    done = changed(before, content(store))
    print(f"{len(cases)} cases in {time.monotonic() - started:.0f} s changed {_rows(done)} rows.", flush=True)
    undone = person.roll_back_agent(AGENT, since)
    left = changed(before, content(store))
    unsaid = _unsaid(left, undone["steps"])
    out.write_text(json.dumps({"rollback": undone, "left": left}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    came_of = Counter(str(each["step"]["status"] or each["step"]["verdict"]) for each in undone["steps"])
    print(f"{len(undone['steps'])} effects: {', '.join(f'{count} {word}' for word, count in came_of.most_common())}.")
    print(f"The rollback ended as {undone['status']}; {_rows(left)} rows are left changed. Written to {out}.")
    if unsaid:
        print(f"No step says why: {', '.join(unsaid)}.")
    return bool(unsaid)


def _rows(rows: dict[str, dict[str, Any]]) -> int:
    return sum(map(len, rows.values()))


def _unsaid(left: dict[str, dict[str, Any]], steps: list[dict[str, Any]]) -> list[str]:
    """Rows that are left changed and that no step names that was not undone and says why."""
    named = {
        change["resource"]
        for each in steps
        if each["step"]["status"] != "undone" and each["step"]["why"]
        for change in each["step"]["changes"]
    }
    rows = [f"shop/{table}/{key}" for table, found in left.items() for key in found]
    return [row for row in rows if row not in named]
