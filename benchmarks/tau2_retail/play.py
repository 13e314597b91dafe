"""Playing one case: an agent run, its steps one after another, a person who approves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from assent.client import Assent
from assent.domain.canonical import Json
from benchmarks.tau2_retail.cases import Case
from benchmarks.tau2_retail.person import Person


@dataclass(slots=True)
class Played:
    """What came of a case.

    Attributes:
        run_id: Its run.
        steps: As ``expected.json`` writes them.
        kinds: How many actions were automatic, asked for and refused by policy, and how many the shop refused.
    """

    run_id: str
    steps: list[dict[str, Json]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


def play(client: Assent, person: Person, case: Case) -> Played:
    """Run a case to its end, approving whatever asks."""
    run = client.start_run(goal=f"Case {case.id}", received={"case": case.id, "customer": case.request})
    played = Played(run.run_id)
    for step in case.steps:
        outcome: Any = run.act(
            step.type, step.arguments, key=step.action_id, reason="The case's solution calls for it."
        )
        asked = outcome.approval_id is not None
        if asked:
            person.approve(outcome.approval_id)
            outcome = run.wait(outcome)
        done = str(outcome.status) == "done"
        told: dict[str, Json] = {"action_id": step.action_id, "ok": done}
        played.steps.append(told if done else {**told, "error": outcome.message})
        played.kinds["asked" if asked else "refused" if str(outcome.status) == "refused" else "automatic"] += 1
        played.kinds["failed"] += str(outcome.status) == "failed"
    run.end(f"Case {case.id} is played.")
    return played
