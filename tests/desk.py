"""A small system for tests: a desk with notes, payments and slow letters, whose failures can be arranged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, UndoDeclaration
from assent.domain.effects import Performed, ResourceChange
from assent.domain.tiers import Risk, Speed
from assent.domain.undo_kinds import UndoKind
from assent_activities.connectors import ActionFailed, Call, ConnectorUnavailable, Operation, UndoConflict

CARD = """
name: desk-clerk
title: The desk clerk
purpose: Keeps notes and pays small sums.
business_owner: &owner {name: Bo Owner, email: bo@example.com}
technical_owner: *owner
model_steward: *owner
escalation: *owner
actions:
  desk.read: {tier: auto}
  desk.note: {tier: auto}
  desk.pay:
    tier: approve
    expires: 1h
  desk.tip:
    tier: auto
    limits:
      - {argument: amount, per: action, max: 5}
      - {argument: amount, per: run, max: 8}
  desk.letter: {tier: auto}
  desk.idea: {tier: suggest}
never:
  - action: desk.pay
    when: 'args.to == "mallory"'
    because: Mallory is never paid.
"""

_MONEY = {
    "type": "object",
    "properties": {"to": {"type": "string"}, "amount": {"type": "number", "exclusiveMinimum": 0}},
    "required": ["to", "amount"],
    "additionalProperties": False,
}
_TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
_ANYTHING = {"type": "object"}


@dataclass
class Desk:
    """The system itself: what was done, by key, in order.

    Attributes:
        done: Keys of effects in the order they happened; a doubled effect shows as a doubled key.
        balances: Money by person.
        trouble: Called before each effect; may raise or wait.
        after: Called after each effect, before it is reported.
        undo_trouble: Called before each undo; may raise or wait.
        knows: Whether ``lookup`` can say what happened.
        forgets: Names of action types for which it never can.
    """

    done: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    balances: dict[str, float] = field(default_factory=dict)
    trouble: Callable[[Call], None] = lambda call: None
    after: Callable[[Call], None] = lambda call: None
    undo_trouble: Callable[[Call], None] = lambda call: None
    knows: bool = True
    forgets: frozenset[str] = frozenset()
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        return "desk"

    def operations(self) -> Sequence[Operation]:
        return self.desk_operations()

    def desk_operations(self) -> list[DeskOperation]:
        """The operations with their own type, so that tests can change what they declare."""
        return [
            DeskOperation(self, "read", "Read {text}", _ANYTHING, reads_only=True),
            DeskOperation(self, "note", "Write down {text}", _TEXT, undo=UndoDeclaration(sentence="Tear it up")),
            DeskOperation(self, "pay", "Pay {amount} to {to}", _MONEY, risks={Risk.MONEY}, undo=_BACK, amount="amount"),
            DeskOperation(self, "tip", "Tip {to} with {amount}", _MONEY, risks={Risk.MONEY}, undo=_BACK),
            DeskOperation(self, "letter", "Send the letter {text}", _TEXT, speed=Speed.LONG, undo=_BEFORE_THE_POST),
            DeskOperation(self, "idea", "Have the idea {text}", _TEXT),
        ]

    def close(self) -> None:
        """Nothing is open."""


_BEFORE_THE_POST = UndoDeclaration(
    sentence="Fetch it from the letter box", kind=UndoKind.REVOKE, within=timedelta(milliseconds=1)
)
_BACK = UndoDeclaration(sentence="Take {amount} back from {to}", within=timedelta(days=30))


class DeskOperation:
    """One operation of the desk."""

    def __init__(
        self,
        desk: Desk,
        verb: str,
        sentence: str,
        arguments: dict[str, Json],
        *,
        risks: set[Risk] | None = None,
        undo: UndoDeclaration | None = None,
        speed: Speed = Speed.QUICK,
        reads_only: bool = False,
        amount: str | None = None,
    ) -> None:
        self._desk = desk
        self.type = ActionType(
            name=f"desk.{verb}",
            title=verb.capitalize(),
            sentence=sentence,
            arguments=arguments,
            risks=frozenset(risks or ()),
            undo=undo,
            speed=speed,
            reads_only=reads_only,
            amount=amount,
        )

    def preview(self, call: Call) -> list[ResourceChange]:
        if call.arguments.get("to") == "nobody":
            raise ActionFailed("There is nobody of that name.")
        return self._changes(call)

    def perform(self, call: Call) -> Performed:
        self._desk.trouble(call)
        if call.arguments.get("to") == "nobody":
            raise ActionFailed("There is nobody of that name.")
        with self._desk.lock:
            changes = self._changes(call)
            self._desk.done.append(call.key)
            if "amount" in call.arguments:
                to = call.arguments["to"]
                self._desk.balances[to] = self._desk.balances.get(to, 0.0) + call.arguments["amount"]
        if self.type.speed is Speed.LONG:
            for step in range(3):
                time.sleep(0.05)
                call.heartbeat(step)
        self._desk.after(call)
        return self._performed(call, changes)

    def lookup(self, call: Call) -> Performed | bool | None:
        if not self._desk.knows or self.type.name in self._desk.forgets:
            return None
        return self._performed(call, []) if call.key in self._desk.done else False

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        if "amount" in call.arguments and self._desk.balances.get(call.arguments["to"], 0.0) != undo_data:
            raise UndoConflict(f"{call.arguments['to']} has spent some of it.")
        return []

    def undo(self, call: Call, undo_data: Json) -> Performed:
        self._desk.undo_trouble(call)
        with self._desk.lock:
            if call.key in self._desk.undone:
                return Performed()
            self.undo_preview(call, undo_data)
            self._desk.undone.append(call.key)
            if "amount" in call.arguments:
                to = call.arguments["to"]
                before = self._desk.balances[to]
                self._desk.balances[to] = before - call.arguments["amount"]
                return Performed(
                    changes=[ResourceChange(resource=f"desk/{to}", before=before, after=self._desk.balances[to])]
                )
        return Performed()

    def _changes(self, call: Call) -> list[ResourceChange]:
        if "amount" not in call.arguments:
            return [] if self.type.reads_only else [ResourceChange(resource="desk/notes", after=call.arguments)]
        to = call.arguments["to"]
        before = self._desk.balances.get(to, 0.0)
        return [ResourceChange(resource=f"desk/{to}", before=before, after=before + call.arguments["amount"])]

    def _performed(self, call: Call, changes: list[ResourceChange]) -> Performed:
        left = self._desk.balances.get(call.arguments.get("to", ""), 0.0)
        return Performed(result={"ok": True, "echo": call.arguments}, changes=changes, undo_data=left)


def unreachable(times: int) -> Callable[[Call], None]:
    """Trouble that lasts for a number of calls."""
    left = [times]

    def trouble(call: Call) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise ConnectorUnavailable("The desk is closed.")

    return trouble
