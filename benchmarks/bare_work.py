"""The yardstick's workflows and its activity, apart from everything that the SDK's sandbox would have to load again."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from benchmarks.crew import tell

_TIMEOUT = timedelta(seconds=30)


@activity.defn(name="bare_effect")
def effect(key: str) -> str:
    """Do nothing, and say when."""
    tell(activity.info().workflow_id or "")
    return key


@workflow.defn(name="BareGated")
class BareGated:
    """``automatic`` activities one after the other, then as many signals as are wanted, then one more."""

    def __init__(self) -> None:
        self._approvals = 0

    @workflow.run
    async def run(self, automatic: int, wanted: int) -> None:
        """Do the work."""
        for number in range(automatic):
            await workflow.execute_activity("bare_effect", str(number), start_to_close_timeout=_TIMEOUT)
        await workflow.wait_condition(lambda: self._approvals >= wanted)
        await workflow.execute_activity("bare_effect", "approved", start_to_close_timeout=_TIMEOUT)

    @workflow.signal
    def approve(self) -> None:
        """Let the last activity go, once there are enough."""
        self._approvals += 1


@workflow.defn(name="BareUpdate")
class BareUpdate:
    """An Update whose handler runs a local activity."""

    def __init__(self) -> None:
        self._ended = False

    @workflow.run
    async def run(self) -> None:
        """Wait for the end."""
        await workflow.wait_condition(lambda: self._ended)

    @workflow.update
    async def act(self, key: str) -> str:
        """Run one local activity."""
        result: str = await workflow.execute_local_activity("bare_effect", key, start_to_close_timeout=_TIMEOUT)
        return result

    @workflow.signal
    def end(self) -> None:
        """End."""
        self._ended = True
