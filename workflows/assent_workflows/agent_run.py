"""The workflow ``AgentRun``: one agent's work, durable, with people in control.

A run performs a plan, or stays open for proposals, or both. Each action is pursued by one task from its admission to
its end; the main task waits until nothing is left. What is waiting (for a person, a pause, a long effect) is what a
continued run carries over, so its size does not grow with what was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
    from assent.domain.approvals import Decision, Verb
    from assent.domain.errors import InvalidInput
    from assent.domain.ports import (
        CloseAction,
        ExecuteAction,
        FindAction,
        FinishRun,
        NoteRun,
        ReviseAction,
        SubmitAction,
    )
    from assent.domain.revisions import Edit
    from assent.domain.runs import (
        SEEN_LIMIT,
        AgentRunInput,
        CarriedState,
        EndRun,
        OnFailure,
        PauseEnded,
        RunHeader,
        RunResult,
        RunStatus,
        WaitingAction,
    )
    from assent.domain.settling import EffectSettled
    from assent.domain.tiers import Speed
    from assent_workflows import calls
    from assent_workflows.plan import PlanProgress

MAX_UNDER_WAY = 500
"""Actions of a run that may be under way at once."""

_FAILED = (ActivityError, ApplicationError)
"""An activity that is not tried again: a regular one comes wrapped, a local one as it was raised."""

_VOTES_TOGETHER = "votes-together"
"""Histories without this mark weighed every vote in an activity of its own."""

_HELD_POLL = timedelta(minutes=1)
"""A held action looks again by itself after this time, in case the message that a pause ended was lost."""


@workflow.defn(name="AgentRun")
class AgentRun:
    """One agent's work."""

    @workflow.init
    def __init__(self, input: AgentRunInput) -> None:
        carried = input.carried or CarriedState()
        self._input = input
        self._header = input.header
        self._fault = ""
        try:
            self._plan = _progress(input, carried.remaining if input.carried else input.plan, carried)
        except InvalidInput as error:
            self._fault = str(error)
            self._plan = _progress(input, [], carried)
        self._waiting: dict[str, WaitingAction] = {}
        self._submitting: set[str] = set()
        self._decisions: dict[str, list[Decision | Edit]] = {key: list(value) for key, value in carried.early.items()}
        self._seen = dict.fromkeys(carried.seen)
        self._counts = dict(carried.counts)
        self._ending = carried.ending
        self._stopped = carried.stopped
        self._carries = False
        self._introduced = input.carried is not None
        self._plan_told = len(input.plan) < 2
        self._wakes = 0
        self._explained: dict[str, ActionStatus] = {}
        self._asked_at: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._active_at = input.header.started_at

    @workflow.run
    async def run(self, input: AgentRunInput) -> RunResult:
        """Pursue every action to its end.

        Returns:
            How the run ended, with the number of its actions by status.
        """
        if self._fault:
            raise ApplicationError(self._fault, type=InvalidInput.__name__, non_retryable=True)
        if input.open and not input.plan and input.carried is None:
            await calls.note_run(NoteRun(header=self._first_header(), status=RunStatus.RUNNING))
            self._introduced = True
        for waiting in (input.carried or CarriedState()).waiting:
            self._pursue_in_background(waiting)
        if input.open:
            self._idle_watch = asyncio.create_task(self._end_when_idle())
        while True:
            self._start_ready()
            await workflow.wait_condition(self._moved)
            if self._carrying and self._quiet():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self._quiet():
                    workflow.continue_as_new(self._carried())
            elif self._finished() and self._quiet():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self._finished() and self._quiet():
                    return await self._finish()

    @workflow.update
    async def propose(self, action: ProposedAction) -> ActionOutcome:
        """Propose an action; proposing the same key again gives what became of it.

        Returns:
            The outcome of an automatic quick action; for others awaiting, held or cleared, at once.
        """
        known = self._waiting.get(action.key)
        if known is not None:
            return known.outcome
        outcome = await self._first_submit(action, "")
        waiting = WaitingAction(action=action, outcome=outcome)
        if outcome.status.settled:
            self._settle(waiting)
        elif action.key not in self._waiting and f"action:{action.key}" not in self._seen:
            self._pursue_in_background(waiting)
        return outcome

    @propose.validator
    def _may_propose(self, action: ProposedAction) -> None:
        if self._ending:
            raise ApplicationError(f"The run takes no more actions: {self._ending}", type="Conflict")
        if not self._input.open:
            raise ApplicationError("The run has a fixed plan and takes no further actions.", type="Conflict")
        if len(self._waiting) >= MAX_UNDER_WAY:
            raise ApplicationError(f"{MAX_UNDER_WAY} actions of this run are under way already.", type="Conflict")

    @workflow.signal
    async def decide(self, decision: Decision) -> None:
        """A person's verdict on an action of this run."""
        await self._heed(decision)

    @workflow.signal
    async def revise(self, edit: Edit) -> None:
        """A person's change of the arguments of an action of this run that waits for people."""
        await self._heed(edit)

    async def _heed(self, message: Decision | Edit) -> None:
        """Keep a message about an action until its turn; messages of one action have it in the order they came."""
        if self._repeated(message.id):
            return
        key = message.action_id.removeprefix(f"{self._header.run_id}:")
        self._decisions.setdefault(key, []).append(message)
        if key in self._waiting or key in self._submitting:
            return
        found = await calls.find(FindAction(header=self._later_header(), key=key))
        if key in self._waiting or key in self._submitting:
            return
        if found is not None and not found.outcome.status.settled:
            self._pursue_in_background(found)
        else:
            await self._record_late(key)

    @workflow.signal
    def end(self, message: EndRun) -> None:
        """Take no more proposals; if stopped, withdraw what waits."""
        if self._repeated(message.id):
            return
        self._stopped = self._stopped or message.stop
        word = "stopped" if message.stop else "ended"
        self._ending = message.summary or f"It was {word} by {message.by.name}."
        self._wakes += 1

    @workflow.signal
    def pause_ended(self, message: PauseEnded) -> None:
        """A pause that held this run ended."""
        self._wakes += 1

    @workflow.signal
    async def settled(self, message: EffectSettled) -> None:
        """It became known what became of an effect that was unknown, or its action is tried again."""
        if self._repeated(message.id):
            return
        key = message.key
        if key in self._waiting or key in self._submitting:
            # This run has not been told yet that it is unknown: that comes with the activity's own answer.
            self._explained[key] = message.now
            return
        if self._counts.get(message.was.value, 0) > 0:
            self._count(message.was, -1)
            if message.now.settled:
                self._count(message.now, 1)
        if message.now.settled:
            return
        self._seen.pop(f"action:{key}", None)
        found = await calls.find(FindAction(header=self._later_header(), key=key))
        if found is not None and not found.outcome.status.settled and key not in self._waiting:
            self._wakes += 1
            self._pursue_in_background(found)

    @workflow.query
    def under_way(self) -> list[ActionOutcome]:
        """Actions that wait for a person, a pause or a long effect."""
        return [waiting.outcome for waiting in self._waiting.values()]

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

    def _start_ready(self) -> None:
        if self._carrying or self._stopped:
            return
        for action, blocked in self._plan.start():
            self._submitting.add(action.key)
            self._in_background(self._start_planned(action, blocked))
            if len(self._tasks) >= MAX_UNDER_WAY:
                return

    async def _start_planned(self, action: ProposedAction, blocked: str) -> None:
        outcome = await self._first_submit(action, blocked)
        # After a crash, a decision on it may have come before the plan reached it again: then it is pursued already,
        # and a second pursuer would wait for a decision that the first one took.
        if action.key not in self._waiting:
            await self._pursue(WaitingAction(action=action, outcome=outcome))

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
        if self._repeated(f"action:{waiting.action.key}"):
            return
        known = self._explained.pop(waiting.action.key, None)
        if known is not None and waiting.outcome.status is ActionStatus.UNKNOWN:
            waiting.outcome = waiting.outcome.model_copy(update={"status": known})
        self._count(waiting.outcome.status, 1)
        self._plan.settle(waiting.outcome)

    def _count(self, status: ActionStatus, more: int) -> None:
        """Keep how many settled actions have a status; none is left out."""
        left = self._counts.get(status.value, 0) + more
        self._counts[status.value] = left
        if left == 0:
            del self._counts[status.value]

    def _in_background(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _quiet(self) -> bool:
        return not self._tasks and not self._submitting

    def _finished(self) -> bool:
        if self._waiting:
            return False
        if self._stopped:
            return True
        return self._plan.over and (not self._input.open or bool(self._ending))

    @property
    def _carrying(self) -> bool:
        """Whether the run is about to continue as new: nothing new starts, and what only waits is carried over.

        Whoever asks is told what holds in this very activation. Conditions are looked at in turn, so a flag that one
        of them set would come too late for those before it, and nothing would look at them again.
        """
        self._carries = self._carries or workflow.info().is_continue_as_new_suggested()
        return self._carries

    def _moved(self) -> bool:
        """Whether the main task has something to do."""
        if self._quiet() and (self._carrying or self._finished()):
            return True
        room = len(self._tasks) < MAX_UNDER_WAY and not self._carrying and not self._stopped
        return room and self._plan.has_ready

    async def _end_when_idle(self) -> None:
        """End an open run in which nothing has been under way for too long; costs one timer an idle period."""
        limit = timedelta(seconds=self._input.idle_seconds)
        left = limit
        while left > timedelta(0):
            await workflow.sleep(left)
            busy = self._waiting or self._submitting or self._tasks
            left = limit if busy else self._active_at + limit - workflow.now()
        self._ending = self._ending or "Nothing happened in it for a long time."

    async def _until(self, condition: Callable[[], bool], limit: timedelta) -> bool:
        """Wait for a condition; false if the time ran out."""
        try:
            await workflow.wait_condition(condition, timeout=limit)
        except TimeoutError:
            return False
        return True

    def _repeated(self, message_id: str) -> bool:
        if message_id in self._seen:
            return True
        self._seen[message_id] = None
        while len(self._seen) > SEEN_LIMIT:
            del self._seen[next(iter(self._seen))]
        return False

    def _first_header(self) -> RunHeader:
        """The header for activities that may be the first to see the run."""
        if self._introduced:
            return self._later_header()
        plan = [] if self._plan_told else self._input.plan
        self._plan_told = True
        return self._header.model_copy(update={"first": True, "plan": plan})

    def _later_header(self) -> RunHeader:
        return self._header.model_copy(update={"received": None, "first": False})

    def _carried(self) -> AgentRunInput:
        results, finished = self._plan.needed()
        state = CarriedState(
            waiting=list(self._waiting.values()),
            remaining=self._plan.left,
            results=results,
            finished=finished,
            early={key: value for key, value in self._decisions.items() if value},
            seen=list(self._seen),
            counts=self._counts,
            ending=self._ending,
            stopped=self._stopped,
        )
        return self._input.model_copy(update={"plan": [], "carried": state})

    async def _finish(self) -> RunResult:
        status, message = self._ended_how()
        await calls.finish_run(
            FinishRun(header=self._later_header(), status=status, counts=self._counts, message=message)
        )
        while self._decisions or not workflow.all_handlers_finished():
            for key in list(self._decisions):
                await self._record_late(key)
            await workflow.wait_condition(workflow.all_handlers_finished)
        return RunResult(run_id=self._header.run_id, status=status, counts=self._counts, message=message)

    def _ended_how(self) -> tuple[RunStatus, str]:
        if self._stopped:
            return RunStatus.STOPPED, self._ending
        good = sum(self._counts.get(s.value, 0) for s in ActionStatus if s.succeeded)
        total = sum(self._counts.values())
        if self._input.open or self._input.on_failure is OnFailure.CONTINUE or good == total:
            return RunStatus.COMPLETED, self._ending
        return RunStatus.FAILED, f"{total - good} of {total} actions did not succeed."


def _progress(input: AgentRunInput, plan: list[ProposedAction], carried: CarriedState) -> PlanProgress:
    return PlanProgress(
        plan,
        results=dict(carried.results),
        finished=dict(carried.finished),
        on_failure=input.on_failure,
        under_way=[waiting.action.key for waiting in carried.waiting],
    )


def _broken(outcome: ActionOutcome, error: FailureError) -> ActionOutcome:
    """The outcome of an action that Assent itself could not pursue."""
    return outcome.model_copy(update={"status": ActionStatus.FAILED, "message": str(error.cause or error)})
