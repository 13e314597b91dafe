"""A system that does nothing, quickly: what remains is the cost of Assent itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, UndoDeclaration
from assent.domain.effects import Performed, ResourceChange
from assent.domain.undo_kinds import UndoKind
from assent_activities.connectors import Call, ConnectorEnvironment, Operation

CARD = """
name: bench-agent
title: The benchmark's agent
purpose: Does nothing, quickly.
business_owner: &owner {name: Bench, email: bench@example.com}
technical_owner: *owner
model_steward: *owner
escalation: *owner
actions:
  bench.step: {tier: auto}
  bench.gate: {tier: approve, expires: 24h}
  bench.trio: {tier: approve, expires: 24h, approval: {need: [{of: "role:approver", count: 3}]}}
"""

_ARGUMENTS = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class BenchConnector:
    """Three verbs: automatic, approved by one person, approved by three.

    Args:
        journal: A file that gets one line for each effect, so that it can be counted after a crash; ``None`` for none.
        tell: Called with the run's id when an effect starts.
    """

    name = "bench"

    def __init__(self, journal: Path | None = None, *, tell: Callable[[str], None] = lambda run_id: None) -> None:
        self._tell = tell
        self._journal = journal
        self._file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if journal else None

    def operations(self) -> Sequence[Operation]:
        """The three verbs."""
        return [BenchOperation(self, verb) for verb in ("step", "gate", "trio")]

    def close(self) -> None:
        """Close the journal."""
        if self._file is not None:
            os.close(self._file)

    def happened(self, call: Call) -> None:
        """The effect: say when, and write it down."""
        self._tell(call.run_id)
        if self._file is not None:
            os.write(self._file, f"{call.key}\n".encode())

    def wrote(self, key: str) -> bool:
        """Whether an effect is in the journal."""
        return self._journal is not None and f"{key}\n" in self._journal.read_text()


class BenchOperation:
    """One verb."""

    def __init__(self, connector: BenchConnector, verb: str) -> None:
        self._connector = connector
        self.type = ActionType(
            name=f"bench.{verb}",
            title=verb,
            sentence=f"Do the {verb} number {{n}}",
            arguments=_ARGUMENTS,
            undo=UndoDeclaration(sentence="Nothing needs to be done", kind=UndoKind.BEFORE_IMAGE),
        )

    def preview(self, call: Call) -> list[ResourceChange]:
        """What it would touch."""
        return [ResourceChange(resource=f"bench/{call.arguments['n']}")]

    def perform(self, call: Call) -> Performed:
        """Do nothing, and say so."""
        self._connector.happened(call)
        return self._performed(call)

    def lookup(self, call: Call) -> Performed | bool | None:
        """Whether it is in the journal."""
        return self._performed(call) if self._connector.wrote(call.key) else False

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """Nothing changes."""
        return []

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """Nothing to take back."""
        return Performed()

    def _performed(self, call: Call) -> Performed:
        change = ResourceChange(resource=f"bench/{call.arguments['n']}", after={"n": call.arguments["n"]})
        return Performed(result={"n": call.arguments["n"]}, changes=[change], undo_data={"n": call.arguments["n"]})


def build(environment: ConnectorEnvironment) -> BenchConnector:
    """The connector with its journal in the data folder."""
    return BenchConnector(environment.data_dir / "effects.journal")
