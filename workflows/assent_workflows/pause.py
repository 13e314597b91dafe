"""The workflow ``Pause``: measures a pause that already fences, and wakes its runs when it ends."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from assent.domain.pauses import PauseInput, PauseProgress, ResumePause
    from assent.domain.ports import ACTIVITY_OBSERVE_PAUSE, ACTIVITY_RELEASE_PAUSE
    from assent_workflows.calls import PATIENT

_TIMEOUT = timedelta(seconds=30)
_FIRST_LOOK = timedelta(milliseconds=250)
_SLOWEST_LOOK = timedelta(seconds=15)


@workflow.defn(name="Pause")
class Pause:
    """One pause. The row in the database is what stops; this makes it known."""

    def __init__(self) -> None:
        self._resumed = False
        self._progress = PauseProgress()

    @workflow.run
    async def run(self, input: PauseInput) -> PauseProgress:
        """Look until every claim in scope has an outcome and until the pause ends, then wake the runs it held.

        It may be ended with the database alone, so it also looks by itself, at most every fifteen seconds.
        """
        delay = _FIRST_LOOK
        while True:
            self._progress = await self._call(ACTIVITY_OBSERVE_PAUSE, input)
            if self._progress.resumed:
                return await self._call(ACTIVITY_RELEASE_PAUSE, input)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(input)
            try:
                await workflow.wait_condition(lambda: self._resumed, timeout=delay)
            except TimeoutError:
                delay = min(delay * 2, _SLOWEST_LOOK)
            self._resumed = False

    @workflow.signal
    def resume(self, message: ResumePause) -> None:
        """The pause was ended in the database: look at once."""
        self._resumed = True

    @workflow.query
    def progress(self) -> PauseProgress:
        """What was last seen."""
        return self._progress

    async def _call(self, name: str, input: PauseInput) -> PauseProgress:
        progress: PauseProgress = await workflow.execute_activity(
            name, input, result_type=PauseProgress, start_to_close_timeout=_TIMEOUT, retry_policy=PATIENT
        )
        return progress
