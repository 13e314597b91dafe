"""How a run takes each of its actions from its admission to its end.

What is waiting (for a person, a pause, a long effect) is what a continued run carries over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
    from assent.domain.approvals import Decision, Verb
    from assent.domain.ports import CloseAction, ExecuteAction, ReviseAction, SubmitAction
    from assent.domain.revisions import Edit
    from assent.domain.runs import AgentRunInput, CarriedState, RunHeader, WaitingAction
    from assent.domain.tiers import Speed
    from assent_workflows import calls
    from assent_workflows.plan import PlanProgress
    from assent_workflows.seen import Seen
    from assent_workflows.tally import Tally

_FAILED = (ActivityError, ApplicationError)
"""An activity that is not tried again: a regular one comes wrapped, a local one as it was raised."""

_VOTES_TOGETHER = "votes-together"
"""Histories without this mark weighed every vote in an activity of its own."""

_HELD_POLL = timedelta(minutes=1)
"""A held action looks again by itself after this time, in case the message that a pause ended was lost."""


class Pursuit:
    """The actions of a run that are under way, each pursued by one task.

    Args:
        input: What the run was started with, or what it carried over.
        plan: What of its plan has not started.
    """

    def __init__(self, input: AgentRunInput, plan: PlanProgress) -> None:
        carried = input.carried or CarriedState()
        self._input = input
        self._header = input.header
        self._plan = plan
        self._waiting: dict[str, WaitingAction] = {}
        self._submitting: set[str] = set()
        self._decisions: dict[str, list[Decision | Edit]] = {key: list(value) for key, value in carried.early.items()}
        self._seen = Seen(carried.seen)
        self._tally = Tally(carried.counts)
        self._stopped = carried.stopped
        self._carries = False
        self._introduced = input.carried is not None
        self._plan_told = len(input.plan) < 2
        self._wakes = 0
        self._explained: dict[str, ActionStatus] = {}
        self._asked_at: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._active_at = input.header.started_at

    async def _submit(self, action: ProposedAction, blocked: str) -> ActionOutcome:
        self._asked_at[action.key] = self._wakes
        outcome = await calls.submit(SubmitAction(header=self._first_header(), action=action, blocked=blocked))
        self._introduced = True
        return outcome

    async def _first_submit(self, action: ProposedAction, blocked: str) -> ActionOutcome:
        self._submitting.add(action.key)
        try:
            return await self._submit(action, blocked)
        except _FAILED as error:
            nothing = ActionOutcome(
                action_id=f"{self._header.run_id}:{action.key}",
                key=action.key,
                type=action.type,
                status=ActionStatus.PROPOSED,
            )
            return _broken(nothing, error)
        finally:
            self._submitting.discard(action.key)

    def _pursue_in_background(self, waiting: WaitingAction) -> None:
        self._waiting[waiting.action.key] = waiting
        self._in_background(self._pursue(waiting))

    async def _pursue(self, waiting: WaitingAction) -> None:
        """Take an action from where it is to its end, unless the run continues as new first."""
        key = waiting.action.key
        self._waiting[key] = waiting
        while not waiting.outcome.status.settled:
            if self._carrying and waiting.outcome.status is not ActionStatus.CLEARED:
                return
            try:
                waiting.outcome = await self._next(waiting)
            except _FAILED as error:
                waiting.outcome = _broken(waiting.outcome, error)
        del self._waiting[key]
        self._settle(waiting)
        await self._record_late(key)

    async def _next(self, waiting: WaitingAction) -> ActionOutcome:
        match waiting.outcome.status:
            case ActionStatus.AWAITING:
                return await self._await_decision(waiting)
            case ActionStatus.HELD:
                return await self._await_release(waiting)
            case _:
                return await self._execute(waiting)

    async def _await_decision(self, waiting: WaitingAction) -> ActionOutcome:
        key, outcome = waiting.action.key, waiting.outcome
        if waiting.deadline is None:
            waiting.deadline = workflow.now() + (outcome.expires_in or timedelta(0))
        remaining = max(waiting.deadline - workflow.now(), timedelta(0))
        try:
            await workflow.wait_condition(
                lambda: bool(self._decisions.get(key)) or self._stopped or self._carrying, timeout=remaining
            )
        except TimeoutError:
            return await self._close(waiting, ActionStatus.EXPIRED, "Nobody decided in time.")
        if self._stopped:
            return await self._close(waiting, ActionStatus.WITHDRAWN, "The run was stopped.")
        if decisions := self._decisions.get(key):
            decision = decisions.pop(0)
            if isinstance(decision, Edit):
                return await self._revise(waiting, decision)
            if decision.verb is Verb.REJECT:
                return await self._close(waiting, ActionStatus.REJECTED, decision.reason, decision)
            votes = [decision, *self._further_approvals(decision, decisions)]
            waiting.decision = votes.pop()
            return await self._execute(waiting, votes)
        return outcome

    def _further_approvals(self, first: Decision, waiting: list[Decision | Edit]) -> list[Decision]:
        """Take the approvals that came right behind one while the run was busy; they are weighed together with it."""
        further: list[Decision] = []
        if first.verb is not Verb.APPROVE or not waiting or not workflow.patched(_VOTES_TOGETHER):
            return further
        while waiting and isinstance(vote := waiting[0], Decision) and vote.verb is Verb.APPROVE:
            further.append(vote)
            del waiting[0]
        return further

    async def _revise(self, waiting: WaitingAction, edit: Edit) -> ActionOutcome:
        try:
            found = await calls.revise(ReviseAction(header=self._later_header(), edit=edit))
        except _FAILED as error:
            workflow.logger.warning("An edit could not be looked at: %s: %s", edit.action_id, error.cause or error)
            return waiting.outcome
        waiting.action, waiting.deadline = found.action, None
        return found.outcome

    async def _await_release(self, waiting: WaitingAction) -> ActionOutcome:
        key, wakes = waiting.action.key, self._asked_at.get(waiting.action.key, 0)
        await self._until(
            lambda: wakes != self._wakes or self._stopped or self._carrying or self._taken_back(key) is not None,
            _HELD_POLL,
        )
        if self._stopped:
            return await self._close(waiting, ActionStatus.WITHDRAWN, "The run was stopped.")
        if withdrawal := self._taken_back(key):
            self._decisions[key].remove(withdrawal)
            waiting.decision = withdrawal
            return await self._execute(waiting)
        if self._carrying and wakes == self._wakes:
            return waiting.outcome
        if waiting.decision is not None or waiting.outcome.approval_id is not None:
            return await self._execute(waiting)
        return await self._submit(waiting.action, "")

    def _taken_back(self, key: str) -> Decision | None:
        """Somebody's wish to take back their vote on what a pause holds; it does not wait for the pause to end."""
        for message in self._decisions.get(key, []):
            if isinstance(message, Decision) and message.verb is Verb.WITHDRAW:
                return message
        return None

    async def _execute(self, waiting: WaitingAction, earlier: Sequence[Decision] = ()) -> ActionOutcome:
        self._asked_at[waiting.action.key] = self._wakes
        outcome = waiting.outcome
        request = ExecuteAction(
            header=self._later_header(), action=waiting.action, earlier=list(earlier), decision=waiting.decision
        )
        if outcome.status is ActionStatus.AWAITING and outcome.votes > 1 and outcome.speed is Speed.LONG:
            return await calls.execute(request.model_copy(update={"vote_only": True}), Speed.QUICK)
        return await calls.execute(request, outcome.speed)

    async def _close(
        self, waiting: WaitingAction, to: ActionStatus, message: str, decision: Decision | None = None
    ) -> ActionOutcome:
        key, wakes = waiting.action.key, self._wakes
        outcome = await calls.close(
            CloseAction(
                header=self._later_header(),
                action_id=waiting.outcome.action_id,
                to=to,
                decision=decision,
                message=message,
            )
        )
        waiting.deadline = None
        if outcome.held_by and outcome.status is ActionStatus.AWAITING:
            await self._until(
                lambda: wakes != self._wakes or self._stopped or self._carrying or bool(self._decisions.get(key)),
                _HELD_POLL,
            )
        return outcome

    async def _record_late(self, key: str) -> None:
        """Record decisions on an action that is settled, and edits of it."""
        for message in self._decisions.pop(key, []):
            header, action_id = self._later_header(), message.action_id
            try:
                if isinstance(message, Edit):
                    await calls.revise(ReviseAction(header=header, edit=message))
                else:
                    await calls.close(CloseAction(header=header, action_id=action_id, to=None, decision=message))
            except _FAILED:
                workflow.logger.warning("A message named an action that was never admitted: %s", action_id)

    def _settle(self, waiting: WaitingAction) -> None:
        self._active_at = workflow.now()
        self._asked_at.pop(waiting.action.key, None)
        if self._seen.repeated(f"action:{waiting.action.key}"):
            return
        known = self._explained.pop(waiting.action.key, None)
        if known is not None and waiting.outcome.status is ActionStatus.UNKNOWN:
            waiting.outcome = waiting.outcome.model_copy(update={"status": known})
        self._tally.count(waiting.outcome.status)
        self._plan.settle(waiting.outcome)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def _carrying(self) -> bool:
        """Whether the run is about to continue as new: nothing new starts, and what only waits is carried over.

        Whoever asks is told what holds in this very activation. Conditions are looked at in turn, so a flag that one
        of them set would come too late for those before it, and nothing would look at them again.
        """
        self._carries = self._carries or workflow.info().is_continue_as_new_suggested()
        return self._carries

    async def _until(self, condition: Callable[[], bool], limit: timedelta) -> bool:
        """Wait for a condition; false if the time ran out."""
        try:
            await workflow.wait_condition(condition, timeout=limit)
        except TimeoutError:
            return False
        return True

    def _first_header(self) -> RunHeader:
        """The header for activities that may be the first to see the run."""
        if self._introduced:
            return self._later_header()
        plan = [] if self._plan_told else self._input.plan
        self._plan_told = True
        return self._header.model_copy(update={"first": True, "plan": plan})

    def _later_header(self) -> RunHeader:
        return self._header.model_copy(update={"received": None, "first": False})


def _broken(outcome: ActionOutcome, error: FailureError) -> ActionOutcome:
    """The outcome of an action that Assent itself could not pursue."""
    return outcome.model_copy(update={"status": ActionStatus.FAILED, "message": str(error.cause or error)})
