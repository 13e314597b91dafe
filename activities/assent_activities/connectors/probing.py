"""Health checks of connectors, and the registry that knows who has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from assent_activities.connectors.contract import Operation


@runtime_checkable
class Probing(Protocol):
    """A connector that can say whether its system is well. Optional.

    A worker asks every few seconds (``ASSENT_PROBE_SECONDS``), if a card in force has a breaker for it.
    """

    def probe(self) -> None:
        """Ask the system for something cheap that changes nothing, and return if it is well.

        Called from a thread of its own; one that takes longer than ``ASSENT_PROBE_TIMEOUT_SECONDS`` counts as failed.

        Raises:
            Exception: It is not; the text says why, and is shown to people.
        """
        ...


class Registry(dict[str, "Operation"]):
    """All operations by the name of their action type.

    Attributes:
        probes: The connectors that have a health check, by their name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.probes: dict[str, Probing] = {}


def probes_of(registry: Mapping[str, Operation]) -> Mapping[str, Probing] | None:
    """The connectors with a health check; ``None`` if the registry was not built from connectors."""
    return registry.probes if isinstance(registry, Registry) else None


def extended(registry: Mapping[str, Operation], more: Mapping[str, Operation]) -> Registry:
    """A registry with further operations, and the same health checks."""
    made = Registry()
    made.update(registry)
    made.update(more)
    made.probes.update(probes_of(registry) or {})
    return made
