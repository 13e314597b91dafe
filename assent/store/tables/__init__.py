"""Tables, by what they are about. They have no behaviour and never leave the store's callers."""

from assent.store.tables.agents import AgentKeyRow, AgentRow, CardVersionRow
from assent.store.tables.approvals import ApprovalRow, DecisionRow
from assent.store.tables.control import PauseRow, RollbackRow, RollbackStepRow
from assent.store.tables.effects import EffectRow, ResourceRow, UndoRow, UsageRow
from assent.store.tables.ledger import LedgerEventRow, LedgerLinkRow
from assent.store.tables.outbox import MessageRow, OutboxRow
from assent.store.tables.people import PersonRow, SessionRow, SignInLinkRow
from assent.store.tables.runs import ActionRow, RunRow

__all__ = [
    "ActionRow",
    "AgentKeyRow",
    "AgentRow",
    "ApprovalRow",
    "CardVersionRow",
    "DecisionRow",
    "EffectRow",
    "LedgerEventRow",
    "LedgerLinkRow",
    "MessageRow",
    "OutboxRow",
    "PauseRow",
    "PersonRow",
    "ResourceRow",
    "RollbackRow",
    "RollbackStepRow",
    "RunRow",
    "SessionRow",
    "SignInLinkRow",
    "UndoRow",
    "UsageRow",
]
