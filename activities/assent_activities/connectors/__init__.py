"""How actions reach real systems."""

from assent_activities.connectors.contract import (
    ActionFailed,
    Call,
    Connector,
    ConnectorEnvironment,
    ConnectorUnavailable,
    Extent,
    Measuring,
    Operation,
    UndoConflict,
    build_registry,
)

__all__ = [
    "ActionFailed",
    "Call",
    "Connector",
    "ConnectorEnvironment",
    "ConnectorUnavailable",
    "Extent",
    "Measuring",
    "Operation",
    "UndoConflict",
    "build_registry",
]
