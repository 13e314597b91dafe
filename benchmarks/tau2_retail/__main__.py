"""``python -m benchmarks.tau2_retail --data DIR [--cases 0-75] --out FILE [--rollback | --together]``.

Runs the cases of the public retail benchmark as agent runs of a whole Assent with its own Temporal server, approves
through the public API, and writes for each case the rows that changed and how each step went, in the format of the
benchmark's ``expected.json``. Compares with that file where it knows the case. Ends with 1 if a case differs, or, with
``--rollback``, if a row is left changed.

With ``--together`` all cases are played one after another on one shop, and then everything that the agent did since
is taken back at once. Ends with 1 if a row is left changed that no step of the rollback names as left, with its reason.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from assent.client import Assent
from assent_activities.connectors.sql_rows import RowDatabase, RowStore
from assent_shop.data import ShopData, load_tau2, replace_shop
from assent_shop.tables import TABLES
from benchmarks.tau2_retail.cases import Case, choose, load_cases
from benchmarks.tau2_retail.person import Person
from benchmarks.tau2_retail.play import play
from benchmarks.tau2_retail.product import SHOP_FILE, agent_key, colleague_link, person_link, running_product
from benchmarks.tau2_retail.rows import changed, content
from benchmarks.tau2_retail.together import together

Results = dict[str, dict[str, Any]]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; gives the exit code."""
    given = _arguments(arguments)
    cases = choose(load_cases(given.data), given.cases)
    with tempfile.TemporaryDirectory(prefix="assent-tau2-") as folder:
        print("Starting Assent …", flush=True)
        with running_product(Path(folder), given.data) as settings:
            store = RowStore("shop", RowDatabase(f"sqlite:///{settings.data_dir / SHOP_FILE}"), TABLES)
            colleague = Person(colleague_link(settings))
            person = Person(person_link(settings), colleague)
            try:
                with Assent(settings.public_url, agent_key(settings)) as client:
                    shop = load_tau2(given.data)
                    if given.together:
                        return together(client, person, store, shop, cases, given.out)
                    results, kinds = _run(client, person, store, shop, cases, given.rollback)
            finally:
                person.close()
                colleague.close()
                store.close()
    given.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{kinds['automatic']} actions were automatic, {kinds['asked']} asked a person, {kinds['refused']} refused.")
    print(f"{kinds['failed']} failed with the shop's own reason. Written to {given.out}.")
    return _verdict(results, given.data, given.rollback)


def _run(
    client: Assent, person: Person, store: RowStore, data: ShopData, cases: list[Case], rollback: bool
) -> tuple[Results, Counter[str]]:
    results: Results = {}
    kinds: Counter[str] = Counter()
    started = time.monotonic()
    for number, case in enumerate(cases, 1):
        replace_shop(store.database.engine, data)
        before = content(store)
        played = play(client, person, case)
        if rollback:
            undone = person.roll_back(played.run_id)
            if undone["status"] != "done":
                print(f"case {case.id}: the rollback needs a person: {undone['steps']}")
        results[case.id] = {"changed": changed(before, content(store)), "steps": played.steps}
        kinds += played.kinds
        if number % 10 == 0 or number == len(cases):
            print(f"{number} of {len(cases)} cases in {time.monotonic() - started:.0f} s", flush=True)
    return results, kinds


def _verdict(results: Results, data: Path, rollback: bool) -> int:
    if rollback:
        left = [case for case, result in results.items() if result["changed"]]
        print(f"Rows are left changed in {_listed(left)}." if left else f"All {len(results)} cases ended unchanged.")
        return bool(left)
    known = json.loads((data / "expected.json").read_text("utf-8")) if (data / "expected.json").exists() else {}
    compared = [case for case in results if case in known]
    different = [case for case in compared if results[case] != known[case]]
    print(f"{len(compared) - len(different)} of {len(compared)} cases with a known end are as expected.")
    if different:
        print(f"Different: {_listed(different)}.")
    return bool(different)


def _listed(cases: list[str]) -> str:
    return f"{len(cases)} cases: {', '.join(cases)}"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tau2_retail", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark (db.json, tasks.json)")
    parser.add_argument("--cases", default="all", help="which cases: 0-75, or 3,7-9; all of them by default")
    parser.add_argument("--out", type=Path, required=True, help="file for the results")
    back = parser.add_mutually_exclusive_group()
    back.add_argument("--rollback", action="store_true", help="take every case back and see that nothing is left")
    back.add_argument("--together", action="store_true", help="play all on one shop, then take all back at once")
    given = parser.parse_args(arguments)
    if not (given.data / "db.json").is_file() or not (given.data / "tasks.json").is_file():
        parser.error(f"{given.data} does not hold db.json and tasks.json")
    try:
        choose(load_cases(given.data), given.cases)
    except ValueError as error:
        parser.error(f"--cases {given.cases}: {error}")
    return given


if __name__ == "__main__":
    sys.exit(main())
