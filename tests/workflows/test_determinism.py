"""Workflow code can only reach what is deterministic: every import is on a short list."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WORKFLOWS_MAY_IMPORT = {
    "__future__",
    "asyncio",
    "collections.abc",
    "datetime.timedelta",
    "pydantic.BaseModel",
    "temporalio.workflow",
    "temporalio.common.RetryPolicy",
    "temporalio.exceptions",
    "typing",
}
DOMAIN_MAY_IMPORT = {
    "__future__",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "collections.abc",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "functools",
    "graphlib",
    "hashlib",
    "hmac",
    "itertools",
    "json",
    "math",
    "pydantic",
    "re",
    "rfc8785",
    "typing",
    "unicodedata",
}
TIME_ZONES = {"quiet_hours.py", "reaching.py"}
"""Modules of the domain that read the rules of time zones, which change: workflows never reach them."""

ASYNCIO_MAY = {"Task", "create_task"}
CLOCKS = {"now", "utcnow", "today"}

WORKFLOW_FILES = sorted((ROOT / "workflows" / "assent_workflows").rglob("*.py"))
DOMAIN_FILES = sorted((ROOT / "assent" / "domain").rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module or name that a file imports, dotted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def allowed(name: str, allowlist: set[str]) -> bool:
    """Whether a dotted name or one of its parents is on a list."""
    parts = name.split(".")
    return any(".".join(parts[:length]) in allowlist for length in range(1, len(parts) + 1))


@pytest.mark.parametrize("file", WORKFLOW_FILES, ids=lambda file: file.name)
def test_workflows_import_only_what_is_deterministic(file: Path) -> None:
    ours = {"assent.domain", "assent_workflows"}
    names = set(imported(ast.parse(file.read_text())))
    assert {name for name in names if not allowed(name, WORKFLOWS_MAY_IMPORT | ours)} == set()


@pytest.mark.parametrize("file", DOMAIN_FILES, ids=lambda file: file.name)
def test_the_domain_imports_only_what_is_pure(file: Path) -> None:
    also = {"zoneinfo"} if file.name in TIME_ZONES else set()
    names = set(imported(ast.parse(file.read_text())))
    assert {name for name in names if not allowed(name, DOMAIN_MAY_IMPORT | {"assent.domain"} | also)} == set()


def test_workflows_reach_no_rules_of_time_zones() -> None:
    loads = "import sys, assent_workflows.agent_run, assent_workflows.pause, assent_workflows.rollback"
    apart = sorted(f"assent.domain.{name.removesuffix('.py')}" for name in TIME_ZONES)
    shows = f"print([name for name in {apart} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", f"{loads}; {shows}"], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("file", WORKFLOW_FILES + DOMAIN_FILES, ids=lambda file: file.name)
def test_nothing_asks_for_the_time_or_the_outside(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "asyncio":
                assert node.attr in ASYNCIO_MAY, f"line {node.lineno}"
            if node.value.id in {"datetime", "date"}:
                assert node.attr not in CLOCKS, f"line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "input", "exec", "eval", "__import__", "id"}, f"line {node.lineno}"
