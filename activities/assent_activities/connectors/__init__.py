"""How actions reach real systems."""

from assent_activities.connectors.contract import (
    ActionFailed,
    Attesting,
    Call,
    Connector,
    ConnectorEnvironment,
    ConnectorUnavailable,
    Extent,
    Measuring,
    Operation,
    Provable,
    Trial,
    UndoConflict,
    build_registry,
)
from assent_activities.connectors.counter_messages import CounterPost, mail_change, written
from assent_activities.connectors.probing import Probing, Registry, probes_of

__all__ = [
    "ActionFailed",
    "Attesting",
    "Call",
    "Connector",
    "ConnectorEnvironment",
    "ConnectorUnavailable",
    "CounterPost",
    "Extent",
    "Measuring",
    "Operation",
    "Probing",
    "Provable",
    "Registry",
    "Trial",
    "UndoConflict",
    "build_registry",
    "mail_change",
    "probes_of",
    "written",
]
