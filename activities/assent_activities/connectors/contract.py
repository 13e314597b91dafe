"""The contract between Assent and a connector.

An *operation* is one action type with the code that performs it. A *connector* is a named set of operations that
share a system. Assent calls operations only through the effect protocol: a claim exists before ``perform`` is
called, and its outcome is recorded after. Operations are synchronous and may be called from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.effects import Performed, ResourceChange
from assent.domain.errors import InvalidInput
from assent_activities.connectors.counter_messages import CounterPost
from assent_activities.connectors.probing import Probing, Registry


class ActionFailed(Exception):
    """The system refused the call, certainly without an effect; the text is its reason, shown to the agent."""


class ConnectorUnavailable(Exception):
    """The system could not be reached, certainly without an effect; Assent tries again later."""


class UndoConflict(Exception):
    """The undo's precondition does not hold; the text says what changed, for a person."""


def _no_heartbeat(*_: object) -> None:
    """Quick operations have nobody to tell."""


def _nobody_asked() -> bool:
    """Quick operations are over before anybody could ask."""
    return False


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation.

    Attributes:
        key: Idempotency key: the action's id, the same for every repetition.
        arguments: Arguments that match the type's schema.
        agent: The agent that acts.
        run_id: The run it acts in.
        heartbeat: Long operations call it at least every ten seconds with anything that shows progress.
        asked_to_stop: Whether a person asked a long operation to stop. One that can stops at a safe place: with
            :class:`ActionFailed` if there was no effect, else by saying what was done. Asking is cheap: it looks once a
            second at most.
    """

    key: str
    arguments: dict[str, Json]
    agent: str
    run_id: str
    heartbeat: Callable[..., None] = field(default=_no_heartbeat)
    asked_to_stop: Callable[[], bool] = field(default=_nobody_asked)


class Operation(Protocol):
    """One action type and the code behind it. Only ``type`` and ``perform`` must do something."""

    @property
    def type(self) -> ActionType:
        """What the operation declares."""
        ...

    def preview(self, call: Call) -> list[ResourceChange]:
        """The records the call would touch now, before and after as far as known; changes nothing.

        Raises:
            ActionFailed: The call would be refused as things are.
        """
        ...

    def perform(self, call: Call) -> Performed:
        """Do it, once.

        Raises:
            ActionFailed: Refused, no effect.
            ConnectorUnavailable: Not reached, no effect; safe to repeat.
            Exception: Anything else leaves it open whether there was an effect.
        """
        ...

    def lookup(self, call: Call) -> Performed | bool | None:
        """What became of an earlier ``perform`` with the same key.

        Returns:
            What was done; ``False`` if certainly nothing was (nor will be); ``None`` if it cannot be known.
        """
        ...

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """What ``undo`` would change now; changes nothing.

        Raises:
            UndoConflict: The precondition does not hold.
        """
        ...

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """Take it back: check the precondition, act, verify the postcondition. Idempotent by ``call.key``.

        Raises:
            UndoConflict: The precondition does not hold; nothing was changed.
            ConnectorUnavailable: Not reached, nothing was changed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a call would move and reach, as far as only the connector can say it.

    Attributes:
        amount: Money, in the currency that the type declares; ``None`` if it moves none.
        reaches: How many by unit, ``{"items": 3}``; added to what the type declares, and instead of the same unit.
    """

    amount: float | None = None
    reaches: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class Measuring(Protocol):
    """An operation that can say more about its extent than its arguments do. Optional."""

    def extent(self, call: Call, changes: Sequence[ResourceChange]) -> Extent:
        """How much the call would move and reach; changes nothing.

        Args:
            call: The call.
            changes: What ``preview`` said just before.
        """
        ...


@runtime_checkable
class Attesting(Protocol):
    """An operation that can complete what a person found out of a call whose outcome it did not know. Optional."""

    def attested(self, call: Call, reference: str) -> Performed | None:
        """What a call did of which a person says that it happened; changes nothing.

        Args:
            call: The call.
            reference: What the other system calls it; empty if the person did not say.

        Returns:
            Records touched and what undoing needs; ``None`` if nothing can be added to the person's word, and then a
            person must undo it, too.
        """
        ...


class Trial(Protocol):
    """A place where an operation can be tried without touching anything real."""

    @property
    def operation(self) -> Operation:
        """The operation, bound to the scratch records."""
        ...

    @property
    def arguments(self) -> dict[str, Json]:
        """Arguments of a call that works there."""
        ...


@runtime_checkable
class Provable(Protocol):
    """An operation whose undo can be proven on scratch records. Optional."""

    def scratch(self) -> AbstractContextManager[Trial]:
        """Scratch records, or a copy of real ones, that are gone when the block ends.

        Raises:
            ActionFailed: There is nothing that it can be tried on; the text says what is missing.
            ConnectorUnavailable: The system cannot be reached.
        """
        ...


class Connector(Protocol):
    """A named set of operations on one system."""

    @property
    def name(self) -> str:
        """Name of the system, the first part of its action types' names."""
        ...

    def operations(self) -> Sequence[Operation]:
        """All operations."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectorEnvironment:
    """What a connector's factory is given: ``factory(environment) -> Connector``.

    Attributes:
        data_dir: Folder for files of its own.
        options: The ``options`` of its entry in the connectors file.
        post: Assent's own mail, for counter-messages; ``None`` where none is set up.
    """

    data_dir: Path
    options: Mapping[str, Json] = field(default_factory=dict)
    post: CounterPost | None = None


def build_registry(connectors: Sequence[Connector]) -> Registry:
    """All operations by the name of their action type.

    Raises:
        InvalidInput: Two operations have the same name.
    """
    registry = Registry()
    for connector in connectors:
        if isinstance(connector, Probing):
            registry.probes[connector.name] = connector
        for operation in connector.operations():
            name = operation.type.name
            if name in registry:
                raise InvalidInput(f"Two connectors offer the action type {name}.", todo="Rename one of them.")
            registry[name] = operation
    return registry
