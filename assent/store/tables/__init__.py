"""Tables, by what they are about. They have no behaviour and never leave the store's callers."""

from assent.store.tables.agents import AgentKeyRow, AgentRow, CardVersionRow
from assent.store.tables.approvals import ApprovalRow, DecisionRow
from assent.store.tables.asked_about import AskedAboutRow
from assent.store.tables.breakers import HealthRow, SampleRow, TripRow, WatchRow
from assent.store.tables.control import PauseRow
from assent.store.tables.drills import DrillRow, WorkerClockRow
from assent.store.tables.effects import EffectRow, ResourceRow, UndoRow, UsageRow
from assent.store.tables.electorate import AbsenceRow, AskedRow, OpeningRow
from assent.store.tables.grants import ConsentRow, GrantRow, GrantUseRow, PlanApprovalRow, RunPlanRow
from assent.store.tables.inbox import ApprovalWordRow, SavedViewRow
from assent.store.tables.incidents import (
    IncidentActionRow,
    IncidentEventRow,
    IncidentNoteRow,
    IncidentPartRow,
    IncidentRow,
    IncidentSectionRow,
    IncidentTellingRow,
)
from assent.store.tables.ledger import LedgerEventRow, LedgerLinkRow
from assent.store.tables.outbox import MessageRow, OutboxRow
from assent.store.tables.pause_hooks import PauseHookCallRow, PauseHookRow
from assent.store.tables.people import (
    AttemptRow,
    CeremonyRow,
    GroupMemberRow,
    GroupRow,
    IdentityRow,
    PasskeyRow,
    PasswordRow,
    PersonRow,
    SessionRow,
    SignInLinkRow,
)
from assent.store.tables.quality import (
    CheckAnnouncementRow,
    CheckNoticeRow,
    CheckRow,
    DismissalRow,
    QualityDayRow,
    QualityKindRow,
    QualityMarkRow,
)
from assent.store.tables.reaching import MailLinkRow, ReachingRow, WebhookRow
from assent.store.tables.revisions import CommentRow, EditRow, RevisionRow
from assent.store.tables.rollbacks import RollbackRow, RollbackStepRow, RollbackVoteRow
from assent.store.tables.runs import ActionRow, RunRow
from assent.store.tables.settling import NoticeRow, UndoProofRow, UnknownEffectRow
from assent.store.tables.slack import SlackTicketRow, SlackUserRow, SlackWorkspaceRow
from assent.store.tables.stopping import PauseClaimRow, PauseHoldRow, PauseReleaseRow, PauseRollbackRow, RunLabelRow

__all__ = [
    "AbsenceRow",
    "ActionRow",
    "AgentKeyRow",
    "AgentRow",
    "ApprovalRow",
    "ApprovalWordRow",
    "AskedAboutRow",
    "AskedRow",
    "AttemptRow",
    "CardVersionRow",
    "CeremonyRow",
    "CheckAnnouncementRow",
    "CheckNoticeRow",
    "CheckRow",
    "CommentRow",
    "ConsentRow",
    "DecisionRow",
    "DismissalRow",
    "DrillRow",
    "EditRow",
    "EffectRow",
    "GrantRow",
    "GrantUseRow",
    "GroupMemberRow",
    "GroupRow",
    "HealthRow",
    "IdentityRow",
    "IncidentActionRow",
    "IncidentEventRow",
    "IncidentNoteRow",
    "IncidentPartRow",
    "IncidentRow",
    "IncidentSectionRow",
    "IncidentTellingRow",
    "LedgerEventRow",
    "LedgerLinkRow",
    "MailLinkRow",
    "MessageRow",
    "NoticeRow",
    "OpeningRow",
    "OutboxRow",
    "PasskeyRow",
    "PasswordRow",
    "PauseClaimRow",
    "PauseHoldRow",
    "PauseHookCallRow",
    "PauseHookRow",
    "PauseReleaseRow",
    "PauseRollbackRow",
    "PauseRow",
    "PersonRow",
    "PlanApprovalRow",
    "QualityDayRow",
    "QualityKindRow",
    "QualityMarkRow",
    "ReachingRow",
    "ResourceRow",
    "RevisionRow",
    "RollbackRow",
    "RollbackStepRow",
    "RollbackVoteRow",
    "RunLabelRow",
    "RunPlanRow",
    "RunRow",
    "SampleRow",
    "SavedViewRow",
    "SessionRow",
    "SignInLinkRow",
    "SlackTicketRow",
    "SlackUserRow",
    "SlackWorkspaceRow",
    "TripRow",
    "UndoProofRow",
    "UndoRow",
    "UnknownEffectRow",
    "UsageRow",
    "WatchRow",
    "WebhookRow",
    "WorkerClockRow",
]
