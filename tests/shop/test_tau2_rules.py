"""The public retail benchmark's cases, straight through the shop's operations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from assent.domain.canonical import Json
from assent.domain.effects import Performed
from assent_activities.connectors.contract import ActionFailed, Call, ConnectorEnvironment, Operation, build_registry
from assent_shop.connector import Shop, build
from benchmarks.tau2_retail.cases import Case, load_cases
from benchmarks.tau2_retail.rows import Content, changed, content

CASES = 114


@pytest.fixture(scope="module")
def shop(tau2: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The benchmark's shop. Each case takes back what it did, so all can share it."""
    options = {"tau2": str(tau2), "mail_seconds": 0}
    shop = build(ConnectorEnvironment(tmp_path_factory.mktemp("tau2"), options))
    assert isinstance(shop, Shop)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def start(shop: Shop) -> Content:
    return content(shop.store)


@pytest.fixture(scope="module")
def cases(tau2: Path) -> dict[str, Case]:
    return {case.id: case for case in load_cases(tau2)}


@pytest.fixture(scope="module")
def expected(tau2: Path) -> dict[str, Json]:
    loaded: dict[str, Json] = json.loads((tau2 / "expected.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("number", range(CASES))
def test_a_case_changes_what_is_expected_and_can_be_taken_back(
    shop: Shop, start: Content, cases: dict[str, Case], expected: dict[str, Json], number: int
) -> None:
    case = cases[str(number)]
    registry = build_registry([shop])
    done: list[tuple[Operation, Call, Performed]] = []
    steps: list[Json] = []
    for step in case.steps:
        operation = registry[step.type]
        Draft202012Validator(operation.type.arguments).validate(step.arguments)
        call = Call(key=f"case-{case.id}:{step.action_id}", arguments=step.arguments, agent="a", run_id=case.id)
        try:
            done.append((operation, call, operation.perform(call)))
        except ActionFailed as error:
            steps.append({"action_id": step.action_id, "ok": False, "error": str(error)})
        else:
            steps.append({"action_id": step.action_id, "ok": True})

    if case.id in expected:
        assert {"changed": changed(start, content(shop.store)), "steps": steps} == expected[case.id]

    for operation, call, performed in reversed(done):
        if not operation.type.reads_only:
            operation.undo(call, performed.undo_data)
    assert changed(start, content(shop.store)) == {}
