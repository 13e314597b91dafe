"""Scratch action types: one for each action type of a card, as quick or as long as that, on scratch records."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, UndoDeclaration
from assent.domain.drills import SCRATCH_SYSTEM
from assent.domain.effects import Performed, ResourceChange
from assent.domain.errors import InvalidInput
from assent.domain.tiers import Speed
from assent_activities.connectors.contract import ActionFailed, Call, Operation
from assent_activities.connectors.probing import extended
from assent_activities.connectors.scratch.records import Content, ScratchRecords

RESOURCES = f"{SCRATCH_SYSTEM}/records"
"""Start of the names of scratch records."""

QUICK_SECONDS = 0.1
LONG_SECONDS = 2.0
"""How long a scratch action takes, so that some are under way when the pause comes."""

_LONGEST_NAME = 80
_ARGUMENTS: dict[str, Json] = {
    "type": "object",
    "properties": {"record": {"type": "string"}, "value": {"type": "integer"}},
    "required": ["record", "value"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class ScratchWrite:
    """Writes a value into a scratch record."""

    type: ActionType
    records: ScratchRecords

    def preview(self, call: Call) -> list[ResourceChange]:
        """See the contract."""
        name, value = str(call.arguments["record"]), call.arguments["value"]
        now = self.records.one(call.agent, name)
        version = int(str(now["version"]))
        return [
            ResourceChange(resource=_resource(call, name), before=now, after={"value": value, "version": version + 1})
        ]

    def perform(self, call: Call) -> Performed:
        """See the contract."""
        _take_time(call, LONG_SECONDS if self.type.speed is Speed.LONG else QUICK_SECONDS)
        name = str(call.arguments["record"])
        before, after = self.records.write(call.key, call.agent, name, int(str(call.arguments["value"])))
        return _performed(call, name, before, after)

    def lookup(self, call: Call) -> Performed | bool | None:
        """See the contract."""
        written = self.records.written(call.key)
        return False if written is None else _performed(call, str(call.arguments["record"]), *written)

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """See the contract."""
        name, now, then = self.records.undo_of(_key(undo_data))
        return [ResourceChange(resource=_resource(call, name), before=now, after=then)]

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """See the contract."""
        name, now, then = self.records.undo(_key(undo_data))
        return Performed(changes=[ResourceChange(resource=_resource(call, name), before=now, after=then)])


class ScratchConnector:
    """The connector of drills.

    Args:
        records: Where their records are.
        like: Operations of real systems; each gets a scratch action type that is as quick or as long.
    """

    name = SCRATCH_SYSTEM

    def __init__(self, records: ScratchRecords, like: Mapping[str, Operation]) -> None:
        self._records = records
        self._like = like

    def operations(self) -> Sequence[Operation]:
        """All operations."""
        own = [_type("write", Speed.QUICK, "a quick write"), _type("write_slowly", Speed.LONG, "a long write")]
        mirrored = [
            _type(name, operation.type.speed, f"in place of {operation.type.title}")
            for name, operation in self._like.items()
            if len(scratch_type_name(name)) <= _LONGEST_NAME
        ]
        return [ScratchWrite(type, self._records) for type in (*own, *mirrored)]

    def close(self) -> None:
        """Give back connections."""
        self._records.close()


def scratch_type_name(name: str) -> str:
    """The scratch action type that stands for a real one."""
    return f"{SCRATCH_SYSTEM}.{name}"


def with_scratch(registry: Mapping[str, Operation], records: ScratchRecords) -> Mapping[str, Operation]:
    """All operations, and the scratch ones of drills.

    Raises:
        InvalidInput: A connector has the name that is kept for drills.
    """
    for name in registry:
        if name.startswith(f"{SCRATCH_SYSTEM}."):
            raise InvalidInput(
                f"The action type {name} has a name that is kept for drills.", todo="Rename its connector."
            )
    scratch = ScratchConnector(records, registry).operations()
    return extended(registry, {each.type.name: each for each in scratch})


def _type(name: str, speed: Speed, words: str) -> ActionType:
    return ActionType(
        name=scratch_type_name(name),
        title=f"Drill: {words}",
        sentence="Write {value} into scratch record {record}",
        arguments=_ARGUMENTS,
        speed=speed,
        idempotent=True,
        undo=UndoDeclaration(sentence="Write back what scratch record {record} held"),
    )


def _take_time(call: Call, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        call.heartbeat("scratch work")
        time.sleep(min(left, 0.2))


def _performed(call: Call, name: str, before: Content, after: Content) -> Performed:
    change = ResourceChange(resource=_resource(call, name), before=before, after=after)
    return Performed(result=after, changes=[change], undo_data={"key": call.key})


def _resource(call: Call, name: str) -> str:
    return f"{RESOURCES}/{call.agent}/{name}"


def _key(undo_data: Json) -> str:
    if not isinstance(undo_data, dict) or not isinstance(undo_data.get("key"), str):
        raise ActionFailed("The undo data of this scratch effect cannot be read.")
    return str(undo_data["key"])
