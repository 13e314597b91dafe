"""Cases of the benchmark, as its files tell them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from assent.domain.canonical import Json


@dataclass(frozen=True, slots=True)
class Step:
    """One tool call of a case.

    Attributes:
        action_id: Its id in the file.
        type: Name of the action type.
        arguments: Its arguments.
    """

    action_id: str
    type: str
    arguments: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Case:
    """One customer's case and the tool calls that solve it.

    Attributes:
        id: Its id in the file.
        request: What the customer says.
        steps: The calls, in order.
    """

    id: str
    request: str
    steps: tuple[Step, ...]


def load_cases(folder: Path) -> list[Case]:
    """All cases of ``tasks.json``.

    Raises:
        FileNotFoundError: The folder does not hold the benchmark.
    """
    return [_case(task) for task in json.loads((folder / "tasks.json").read_text("utf-8"))]


def choose(cases: list[Case], wanted: str) -> list[Case]:
    """Cases by their numbers.

    Args:
        cases: All cases.
        wanted: ``all``, or numbers and ranges joined by commas: ``0-75``, ``3,7-9``.

    Raises:
        ValueError: It cannot be read, or names a case that is not there.
    """
    if wanted == "all":
        return cases
    known = {case.id: case for case in cases}
    chosen: list[Case] = []
    for part in wanted.split(","):
        first, dash, last = part.strip().partition("-")
        for number in range(int(first), int(last if dash else first) + 1):
            if str(number) not in known:
                raise ValueError(f"There is no case {number}.")
            chosen.append(known[str(number)])
    return chosen


def _case(task: Json) -> Case:
    instructions = task["user_scenario"]["instructions"]
    words = [instructions.get(name) for name in ("reason_for_call", "known_info")]
    return Case(
        id=str(task["id"]),
        request=" ".join(word for word in words if word),
        steps=tuple(
            Step(action["action_id"], f"shop.{action['name']}", dict(action["arguments"]))
            for action in task["evaluation_criteria"].get("actions") or []
        ),
    )
