"""A process that dies in the middle of a transaction leaves no effect and no lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from assent_activities.connectors.sql_rows import RowStore
from tests.connectors.rows_sample import transfer

_VICTIM = """
import os, signal, sys
from assent_activities.connectors.sql_rows import RowDatabase, RowStore
from tests.connectors.rows_sample import tables, transfer

def work(rows):
    transfer(rows, "anna", "bert", "30.00")
    os.kill(os.getpid(), signal.SIGKILL)

RowStore("bank", RowDatabase(sys.argv[1]), tables).perform("r:1", work)
"""


def test_a_killed_process_leaves_nothing_and_the_next_attempt_succeeds(store: RowStore) -> None:
    url = store.database.url.render_as_string(hide_password=False)
    root = Path(__file__).parents[2]
    victim = subprocess.run([sys.executable, "-c", _VICTIM, url], cwd=root, check=False)
    assert victim.returncode == -9

    assert store.lookup("r:1") is None
    assert store.perform("r:1", lambda rows: transfer(rows, "anna", "bert", "30.00")).result == {"moved": "30.00"}
    anna = store.read(lambda rows: rows.get("accounts", "anna"))
    assert anna is not None
    assert anna["balance"] == "70.00"
