"""SQL rows: guarded inserts, updates and deletes of a configured database, exact about what was done.

``build`` makes the generic connector from options. :class:`RowStore` is what other connectors are built on: it gives
any set of tables before- and after-images, exactly-once writes by key, and an undo that never clobbers later work.
"""

from assent_activities.connectors.sql_rows.connector import SqlRows, build
from assent_activities.connectors.sql_rows.database import OutcomeUnknown, RowDatabase
from assent_activities.connectors.sql_rows.rehearsal import rehearsed
from assent_activities.connectors.sql_rows.store import RowStore
from assent_activities.connectors.sql_rows.transaction import RowTransaction
from assent_activities.connectors.sql_rows.trials import RowTrial
from assent_activities.connectors.sql_rows.values import Row

__all__ = [
    "OutcomeUnknown",
    "Row",
    "RowDatabase",
    "RowStore",
    "RowTransaction",
    "RowTrial",
    "SqlRows",
    "build",
    "rehearsed",
]
