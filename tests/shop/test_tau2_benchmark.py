"""The benchmark plays its cases on a whole Assent and writes what changed; on data of the tests' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assent_shop.stock import sample_shop
from benchmarks.tau2_retail.__main__ import main
from benchmarks.tau2_retail.cases import choose, load_cases
from benchmarks.tau2_retail.rows import changed

SHOP = sample_shop()
PENDING = next(order for order in SHOP["orders"].values() if order["status"] == "pending")
DELIVERED = next(order for order in SHOP["orders"].values() if order["status"] == "delivered")


def _task(number: int, *actions: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(number),
        "user_scenario": {"instructions": {"reason_for_call": "Help me.", "known_info": None}},
        "evaluation_criteria": {
            "actions": [
                {"action_id": f"{number}_{step}", "name": name, "arguments": arguments}
                for step, (name, arguments) in enumerate(actions)
            ]
        },
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three cases: a cancellation, a refusal by the shop, and one without actions."""
    cancel = {"order_id": PENDING["order_id"], "reason": "no longer needed"}
    tasks = [
        _task(0, ("get_order_details", {"order_id": PENDING["order_id"]}), ("cancel_pending_order", cancel)),
        _task(1, ("cancel_pending_order", {**cancel, "order_id": DELIVERED["order_id"]})),
        _task(2),
    ]
    (tmp_path / "db.json").write_text(json.dumps(SHOP), "utf-8")
    (tmp_path / "tasks.json").write_text(json.dumps(tasks), "utf-8")
    return tmp_path


@pytest.mark.workflow
@pytest.mark.usefixtures("temporal_executable")
def test_cases_run_end_to_end_and_can_be_taken_back(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    assert main(["--data", str(data), "--out", str(out)]) == 0
    results = json.loads(out.read_text("utf-8"))
    assert results["0"]["changed"]["orders"][PENDING["order_id"]]["status"] == "cancelled"
    assert results["0"]["steps"] == [{"action_id": "0_0", "ok": True}, {"action_id": "0_1", "ok": True}]
    refused = {"action_id": "1_0", "ok": False, "error": "Non-pending order cannot be cancelled"}
    assert results["1"] == {"changed": {}, "steps": [refused]}
    assert results["2"] == {"changed": {}, "steps": []}
    assert "1 asked a person" in capsys.readouterr().out

    assert main(["--data", str(data), "--cases", "0,2", "--out", str(out), "--rollback"]) == 0
    results = json.loads(out.read_text("utf-8"))
    assert set(results) == {"0", "2"}
    assert results["0"]["changed"] == {}
    assert results["0"]["steps"][1]["ok"] is True


def test_cases_are_chosen_by_numbers_and_ranges(data: Path) -> None:
    cases = load_cases(data)
    assert [case.id for case in choose(cases, "all")] == ["0", "1", "2"]
    assert [case.id for case in choose(cases, "2, 0-1")] == ["2", "0", "1"]
    for wrong in ("3", "a", "1-", ""):
        with pytest.raises(ValueError, match=r"."):
            choose(cases, wrong)


@pytest.mark.parametrize("arguments", [["--cases", "9"], ["--data", "/nowhere"]])
def test_wrong_arguments_are_said_before_anything_starts(
    data: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--data", str(data), "--out", str(data / "out.json"), *arguments])
    assert capsys.readouterr().err


def test_only_rows_that_differ_are_changed() -> None:
    before = {"users": {"a": {"x": 1}}, "products": {}, "orders": {"b": {"x": 1}}}
    after = {"users": {"a": {"x": 1}}, "products": {}, "orders": {"b": {"x": 2}, "c": {"x": 3}}}
    assert changed(before, after) == {"orders": {"b": {"x": 2}, "c": {"x": 3}}}
    with pytest.raises(AssertionError, match="users/a"):
        changed(before, {**after, "users": {}})
