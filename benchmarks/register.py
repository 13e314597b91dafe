"""A system whose every effect and undo leaves a line in a file, so that both can be counted after any crash."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, UndoDeclaration
from assent.domain.effects import Performed, ResourceChange
from assent.domain.undo_kinds import UndoKind
from assent_activities.connectors import Call, ConnectorEnvironment, Operation

EFFECTS, UNDOS = "effects.journal", "undos.journal"
TAKES_SECONDS = 0.02
"""How long an effect and an undo take, so that kills find some under way."""

CARD = """
name: register-agent
title: The register's agent
purpose: Writes lines.
business_owner: &owner {name: Bench, email: bench@example.com}
technical_owner: *owner
model_steward: *owner
escalation: *owner
actions:
  register.enter: {tier: auto}
rollback: {effects: 1000000}
"""


class Register:
    """One verb, and what it did in two files.

    Args:
        folder: Where the files are.
    """

    name = "register"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def operations(self) -> Sequence[Operation]:
        """The verb."""
        return [Enter(self)]

    def close(self) -> None:
        """Nothing is open."""

    def write(self, journal: str, key: str) -> None:
        """Add a line; one write to a file that is only appended to is whole or not there."""
        file = os.open(self._folder / journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{key}\n".encode())
        finally:
            os.close(file)

    def wrote(self, journal: str, key: str) -> bool:
        """Whether a line is there."""
        return key in lines(self._folder, journal)


class Enter:
    """Enters a line, and takes it back by a line of its own."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self.type = ActionType(
            name="register.enter",
            title="Enter",
            sentence="Enter {text}",
            arguments={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
            undo=UndoDeclaration(sentence="Strike it out", kind=UndoKind.BEFORE_IMAGE),
        )

    def preview(self, call: Call) -> list[ResourceChange]:
        """What it would touch."""
        return [_change(call)]

    def perform(self, call: Call) -> Performed:
        """Enter the line."""
        time.sleep(TAKES_SECONDS)
        self._register.write(EFFECTS, call.key)
        return _performed(call)

    def lookup(self, call: Call) -> Performed | bool | None:
        """Whether the line is there."""
        return _performed(call) if self._register.wrote(EFFECTS, call.key) else False

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """What striking it out would change."""
        return [ResourceChange(resource=_name(call), before={"text": "entered"}, after=None)]

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """Strike it out, once for each key; two at the same moment would leave two lines."""
        key = str(undo_data)
        if not self._register.wrote(UNDOS, key):
            time.sleep(TAKES_SECONDS)
            self._register.write(UNDOS, key)
        return Performed(changes=self.undo_preview(call, undo_data))


def lines(folder: Path, journal: str) -> Counter[str]:
    """How often each line is in a file."""
    path = folder / journal
    return Counter(path.read_text(encoding="utf-8").split() if path.exists() else ())


def _name(call: Call) -> str:
    return f"register/{call.key}"


def _change(call: Call) -> ResourceChange:
    return ResourceChange(resource=_name(call), after={"text": "entered"})


def _performed(call: Call) -> Performed:
    return Performed(result={"entered": True}, changes=[_change(call)], undo_data=call.key)


def build(environment: ConnectorEnvironment) -> Register:
    """The connector with its files in the data folder."""
    return Register(environment.data_dir)
