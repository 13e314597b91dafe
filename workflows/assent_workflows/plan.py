"""Which actions of a plan may start now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assent.domain.actions import ActionOutcome, ProposedAction
from assent.domain.canonical import Json
from assent.domain.errors import InvalidInput
from assent.domain.references import dependencies, referred_keys, resolve
from assent.domain.runs import OnFailure


class PlanProgress:
    """The part of a plan that has not started yet, and what it needs of the part that has.

    Args:
        plan: Actions that have not started.
        results: Results of finished actions that the rest refers to.
        finished: Finished keys that the rest waits for, with whether they succeeded.
        on_failure: What happens to actions behind one that did not succeed.
        under_way: Keys of actions that have started and not settled; the rest may wait for them.
    """

    def __init__(
        self,
        plan: list[ProposedAction],
        *,
        results: dict[str, Json],
        finished: dict[str, bool],
        on_failure: OnFailure,
        under_way: Iterable[str] = (),
    ) -> None:
        waits = dependencies_of_rest(plan, {*finished, *under_way})
        self._left = {action.key: action for action in plan}
        self._open = {key: {need for need in needs if need not in finished} for key, needs in waits.items()}
        self._all = waits
        self._heirs: dict[str, list[str]] = {}
        for key, needs in waits.items():
            for need in needs:
                self._heirs.setdefault(need, []).append(key)
        self._ready = [key for key in self._left if not self._open[key]]
        self._on_failure = on_failure
        self.results = results
        self.finished = finished

    @property
    def left(self) -> list[ProposedAction]:
        """Actions that have not started, in order, each with the keys it waits for written out."""
        return [action.model_copy(update={"after": sorted(self._all[key])}) for key, action in self._left.items()]

    @property
    def over(self) -> bool:
        """Whether every action has started."""
        return not self._left

    @property
    def has_ready(self) -> bool:
        """Whether an action may start now."""
        return bool(self._ready)

    def start(self) -> Iterator[tuple[ProposedAction, str]]:
        """Take every action that may start now, with why it is blocked (empty if it is not)."""
        while self._ready:
            action = self._left.pop(self._ready.pop(0))
            blocked = self._blocked(action)
            if not blocked:
                try:
                    arguments = resolve(action.arguments, self.results)
                    action = action.model_copy(update={"arguments": arguments})
                except InvalidInput as error:
                    blocked = str(error)
            yield action, blocked

    def settle(self, outcome: ActionOutcome) -> None:
        """Note that an action has settled."""
        heirs = [key for key in self._heirs.pop(outcome.key, []) if key in self._left]
        if not heirs:
            return
        self.finished[outcome.key] = outcome.status.succeeded
        if any(outcome.key in referred_keys(self._left[key].arguments) for key in heirs):
            self.results[outcome.key] = outcome.result
        for key in heirs:
            self._open[key].discard(outcome.key)
            if not self._open[key]:
                self._ready.append(key)

    def _blocked(self, action: ProposedAction) -> str:
        failed = [key for key in sorted(self._all[action.key]) if not self.finished.get(key, True)]
        if self._on_failure is OnFailure.CONTINUE:
            referred = referred_keys(action.arguments)
            failed = [key for key in failed if key in referred]
        return f"It depends on {', '.join(failed)}, which did not succeed." if failed else ""

    def needed(self) -> tuple[dict[str, Json], dict[str, bool]]:
        """The results and successes that the rest of the plan still needs."""
        keys = set().union(*(self._all[key] for key in self._left)) if self._left else set()
        return (
            {key: value for key, value in self.results.items() if key in keys},
            {key: value for key, value in self.finished.items() if key in keys},
        )


def dependencies_of_rest(plan: list[ProposedAction], started: set[str]) -> dict[str, set[str]]:
    """What each action waits for, where some of what they name has started already."""
    keys = started.difference(action.key for action in plan)
    gone = [ProposedAction(key=key, type="started", after=[]) for key in sorted(keys)]
    waits = dependencies([*gone, *plan])
    return {action.key: waits[action.key] for action in plan}
