"""What time brings to a request that waits: reminders, escalation, and what silence means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from assent.domain.actions import ActionStatus, advance
from assent.domain.approvals import ApprovalStatus
from assent.domain.approving import Agenda, ApprovalRules, Silence, Step, StepKind, Who
from assent.domain.canonical import Json
from assent.policy.durations import write_duration
from assent.policy.hours import counts, later
from assent.store import approvals, asked, electorate, ledger
from assent.store.tables import ActionRow, ApprovalRow
from assent_activities.dependencies import Dependencies

LOOK_AGAIN = timedelta(days=7)
"""How often a request is looked at that waits without an end."""


class Passing:
    """Does what is due, in the caller's transaction.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies

    def look(self, session: Session, row: ActionRow, request: ApprovalRow, now: datetime) -> ActionStatus | None:
        """Do what is due by now.

        Returns:
            Expired if nobody decided and silence rejects: the caller closes it. Cleared if nobody objected. Otherwise
            nothing: it goes on waiting, and its row says when to look again.
        """
        session.refresh(request, with_for_update=True)
        if request.status != ApprovalStatus.PENDING.value:
            return None  # It was looked at before, and whoever asked has not heard of it.
        rules = electorate.rules_of(request)
        self._into_hours(request, rules)
        if request.expires_at <= now and not self._without_end(request, rules):
            return self._silent(session, row, request, rules, now)
        if self._without_end(request, rules):
            request.due_at = now + LOOK_AGAIN
        else:
            self._steps(session, row, request, rules, now)
        session.flush()
        return None

    def _without_end(self, request: ApprovalRow, rules: ApprovalRules) -> bool:
        return rules.silence is Silence.HOLD and request.silent_at is not None

    def _into_hours(self, request: ApprovalRow, rules: ApprovalRules) -> None:
        """Move what a pause moved out of the business hours to the next opening."""
        if rules.hours is None:
            return
        if not counts(request.expires_at, rules.hours):
            request.expires_at = later(request.expires_at, timedelta(0), rules.hours)
        steps = tuple(
            step if counts(step.at, rules.hours) else _at(step, later(step.at, timedelta(0), rules.hours))
            for step in _agenda(request).steps
        )
        request.agenda = Agenda(steps=steps).model_dump(mode="json")

    def _steps(
        self, session: Session, row: ActionRow, request: ApprovalRow, rules: ApprovalRules, now: datetime
    ) -> None:
        agenda = _agenda(request)
        due = agenda.due(now)
        for step in due:
            if step.kind is StepKind.ESCALATE:
                self._ask(session, row, request, step.to, now)
        if any(step.kind is StepKind.REMIND for step in due):
            ledger.append_of(session, row, "approval.reminded", {"approval": request.id}, at=now)
            approvals.notify(session, self._deps.channels, approvals.REMINDER, request.id, now)
        left = agenda.after(now)
        request.agenda, request.due_at = left.model_dump(mode="json"), left.next_look(request.expires_at)

    def _silent(
        self, session: Session, row: ActionRow, request: ApprovalRow, rules: ApprovalRules, now: datetime
    ) -> ActionStatus | None:
        if rules.silence is Silence.RUN:
            self._let_run(session, row, request, rules, now)
            return ActionStatus.CLEARED
        if rules.silence is Silence.REJECT or (rules.silence is Silence.ESCALATE and request.silent_at is not None):
            return ActionStatus.EXPIRED
        request.silent_at, request.agenda = now, Agenda().model_dump(mode="json")
        if rules.silence is Silence.HOLD:
            request.due_at = now + LOOK_AGAIN
            ledger.append_of(session, row, "approval.silent", {"approval": request.id, "goes_on": "waiting"}, at=now)
            approvals.notify(session, self._deps.channels, approvals.REMINDER, request.id, now)
        else:
            request.expires_at = later(now, rules.within, rules.hours)
            request.due_at = request.expires_at
            self._ask(session, row, request, rules.last_resort, now)
            asked.due(session, request.id, request.expires_at)
        session.flush()
        return None

    def _ask(self, session: Session, row: ActionRow, request: ApprovalRow, who: Sequence[Who], now: datetime) -> None:
        """Let more people decide it, and tell them."""
        rules = electorate.rules_of(request)
        tokens = [each.token for each in who]
        also = tuple(dict.fromkeys([*rules.electorate.also, *tokens]))
        widened = rules.model_copy(update={"electorate": rules.electorate.model_copy(update={"also": also})})
        request.rules = widened.model_dump(mode="json")
        session.flush()
        asked.ask_as_well(session, request, tokens, why=asked.ESCALATION, at=now)
        body: dict[str, Json] = {"approval": request.id, "to": [each.words for each in who]}
        ledger.append_of(session, row, "approval.escalated", body, at=now)
        approvals.notify(session, self._deps.channels, approvals.ESCALATED, request.id, now)

    def _let_run(
        self, session: Session, row: ActionRow, request: ApprovalRow, rules: ApprovalRules, now: datetime
    ) -> None:
        """Nobody objected: it may run."""
        message = f"Nobody objected within {write_duration(rules.within)}."
        session.flush()
        approvals.close_request(
            session,
            request.id,
            to=ApprovalStatus.APPROVED,
            decision=None,
            message=message,
            at=now,
            channels=self._deps.channels,
        )
        row.status = advance(ActionStatus(row.status), ActionStatus.CLEARED).value
        session.flush()
        ledger.append_of(session, row, "approval.unopposed", {"approval": request.id, "message": message}, at=now)


def _agenda(request: ApprovalRow) -> Agenda:
    return Agenda() if request.agenda is None else Agenda.model_validate(request.agenda)


def _at(step: Step, at: datetime) -> Step:
    return step.model_copy(update={"at": at})
