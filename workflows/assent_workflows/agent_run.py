"""The workflow ``AgentRun``: one agent's work, durable, with people in control.

A run performs a plan, or stays open for proposals, or both. Each action is pursued by one task from its admission to
its end; the main task waits until nothing is left. What is waiting (for a person, a pause, a long effect) is what a
continued run carries over, so its size does not grow with what was done.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from assent.domain.actions import ActionOutcome, ProposedAction
    from assent.domain.approvals import Decision
    from assent.domain.errors import InvalidInput
    from assent.domain.ports import FindAction, FinishRun, NoteRun
    from assent.domain.revisions import Edit
    from assent.domain.runs import (
        AgentRunInput,
        CarriedState,
        EndRun,
        OnFailure,
        PauseEnded,
        RunResult,
        RunStatus,
        WaitingAction,
    )
    from assent.domain.settling import EffectSettled
    from assent_workflows import calls
    from assent_workflows.plan import PlanProgress
    from assent_workflows.pursuit import Pursuit

MAX_UNDER_WAY = 500
"""Actions of a run that may be under way at once."""


@workflow.defn(name="AgentRun")
class AgentRun(Pursuit):
    """One agent's work."""

    @workflow.init
    def __init__(self, input: AgentRunInput) -> None:
        carried = input.carried or CarriedState()
        self._fault = ""
        try:
            plan = _progress(input, carried.remaining if input.carried else input.plan, carried)
        except InvalidInput as error:
            self._fault = str(error)
            plan = _progress(input, [], carried)
        super().__init__(input, plan)
        self._ending = carried.ending

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
        if self._seen.repeated(message.id):
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
        if self._seen.repeated(message.id):
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
        if self._seen.repeated(message.id):
            return
        key = message.key
        if key in self._waiting or key in self._submitting:
            # This run has not been told yet that it is unknown: that comes with the activity's own answer.
            self._explained[key] = message.now
            return
        if self._tally.has(message.was):
            self._tally.count(message.was, -1)
            if message.now.settled:
                self._tally.count(message.now)
        if message.now.settled:
            return
        self._seen.forget(f"action:{key}")
        found = await calls.find(FindAction(header=self._later_header(), key=key))
        if found is not None and not found.outcome.status.settled and key not in self._waiting:
            self._wakes += 1
            self._pursue_in_background(found)

    @workflow.query
    def under_way(self) -> list[ActionOutcome]:
        """Actions that wait for a person, a pause or a long effect."""
        return [waiting.outcome for waiting in self._waiting.values()]

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

    def _quiet(self) -> bool:
        return not self._tasks and not self._submitting

    def _finished(self) -> bool:
        if self._waiting:
            return False
        if self._stopped:
            return True
        return self._plan.over and (not self._input.open or bool(self._ending))

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

    def _carried(self) -> AgentRunInput:
        results, finished = self._plan.needed()
        state = CarriedState(
            waiting=list(self._waiting.values()),
            remaining=self._plan.left,
            results=results,
            finished=finished,
            early={key: value for key, value in self._decisions.items() if value},
            seen=self._seen.ids,
            counts=self._tally.counts,
            ending=self._ending,
            stopped=self._stopped,
        )
        return self._input.model_copy(update={"plan": [], "carried": state})

    async def _finish(self) -> RunResult:
        status, message = self._ended_how()
        await calls.finish_run(
            FinishRun(header=self._later_header(), status=status, counts=self._tally.counts, message=message)
        )
        while self._decisions or not workflow.all_handlers_finished():
            for key in list(self._decisions):
                await self._record_late(key)
            await workflow.wait_condition(workflow.all_handlers_finished)
        return RunResult(run_id=self._header.run_id, status=status, counts=self._tally.counts, message=message)

    def _ended_how(self) -> tuple[RunStatus, str]:
        if self._stopped:
            return RunStatus.STOPPED, self._ending
        good, total = self._tally.succeeded, self._tally.total
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
