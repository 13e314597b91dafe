"""The workflow ``Pause``: measures a pause that already fences, and lets its runs go when it ends."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from assent.domain.pauses import Disposition, PauseInput, PauseProgress, RampLook, ResumePause
    from assent.domain.ports import (
        ACTIVITY_COMPENSATE_PAUSE,
        ACTIVITY_OBSERVE_PAUSE,
        ACTIVITY_RAMP_PAUSE,
        ACTIVITY_RELEASE_PAUSE,
    )
    from assent_workflows.calls import PATIENT

_TIMEOUT = timedelta(seconds=30)
_COMPENSATING = timedelta(hours=1)
_HEARTBEAT = timedelta(seconds=60)
_FIRST_LOOK = timedelta(milliseconds=250)
_SLOWEST_LOOK = timedelta(seconds=15)
_SLOWEST_RAMP_LOOK = timedelta(seconds=2)


@workflow.defn(name="Pause")
class Pause:
    """One pause. The row in the database is what stops; this makes it known."""

    def __init__(self) -> None:
        self._resumed = False
        self._progress = PauseProgress()
        self._drained = False
        self._told = ""

    @workflow.run
    async def run(self, input: PauseInput) -> PauseProgress:
        """Look until every claim in scope has an outcome and until the pause ends, then wake the runs it held.

        Meanwhile do what its row asks for: drain, roll back, let runs go step by step. It may be changed and ended
        with the database alone, so it also looks by itself, at most every fifteen seconds.
        """
        delay = _FIRST_LOOK
        while True:
            self._progress = await self._call(ACTIVITY_OBSERVE_PAUSE, input)
            if self._progress.releasing:
                await self._ramp(input)
            elif not self._progress.resumed:
                self._told = ""
                await self._dispose(input)
            if self._progress.resumed:
                return await self._call(ACTIVITY_RELEASE_PAUSE, input)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(input)
            try:
                await workflow.wait_condition(lambda: self._resumed, timeout=delay)
                delay = _FIRST_LOOK
            except TimeoutError:
                delay = min(delay * 2, _SLOWEST_RAMP_LOOK if self._progress.releasing else _SLOWEST_LOOK)
            self._resumed = False

    @workflow.signal
    def resume(self, message: ResumePause) -> None:
        """The pause was changed or ended in the database: look at once."""
        self._resumed = True

    @workflow.query
    def progress(self) -> PauseProgress:
        """What was last seen."""
        return self._progress

    async def _ramp(self, input: PauseInput) -> None:
        """Let more runs go, if it is time; the pause may end by it."""
        seen = await self._call(ACTIVITY_RAMP_PAUSE, RampLook(pause=input, told=self._told))
        self._told = seen.stage
        update = {"resumed": seen.resumed, "releasing": seen.releasing, "stage": seen.stage}
        self._progress = self._progress.model_copy(update=update)

    async def _dispose(self, input: PauseInput) -> None:
        """Wake what a pause that drains lets go on, and roll back what one that compensates is to."""
        drains = self._progress.disposition is Disposition.DRAIN
        if drains and not self._drained:
            await self._call(ACTIVITY_RELEASE_PAUSE, input)
        self._drained = drains
        compensates = self._progress.disposition is Disposition.COMPENSATE
        if compensates and self._progress.quiesced and not self._progress.compensated:
            seen: PauseProgress = await workflow.execute_activity(
                ACTIVITY_COMPENSATE_PAUSE,
                input,
                result_type=PauseProgress,
                start_to_close_timeout=_COMPENSATING,
                heartbeat_timeout=_HEARTBEAT,
                retry_policy=PATIENT,
            )
            self._progress = self._progress.model_copy(update={"compensating": seen.compensating, "compensated": True})

    async def _call(self, name: str, input: BaseModel) -> PauseProgress:
        progress: PauseProgress = await workflow.execute_activity(
            name, input, result_type=PauseProgress, start_to_close_timeout=_TIMEOUT, retry_policy=PATIENT
        )
        return progress
