"""What a rollback would do: each effect in scope, newest first, checked against the live records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assent.domain.canonical import Json, stable_text
from assent.domain.catalogue import as_kept, changes_without_secrets
from assent.domain.effects import Performed, ResourceChange
from assent.domain.rollback_scopes import RollbackScope
from assent.domain.undo_kinds import UndoKind
from assent.domain.undo_steps import LaterWork, Undoable, UndoStep
from assent.store import rollback_plans, scoped_effects
from assent.store.scoped_effects import Effect
from assent_activities.connectors import Call, ConnectorUnavailable, Operation, UndoConflict
from assent_activities.dependencies import Dependencies
from assent_activities.lanes import Behind, Done, in_lanes
from assent_activities.outcomes import spoken
from assent_activities.undo_words import at_a_glance, described, task_of

ASK_LIMIT = timedelta(seconds=20)
"""How long a connector may take to say what an undo would change."""

MOST_ADDED = 100
"""Later effects that are taken back first for the sake of one effect in scope."""

_BALANCE = (UndoKind.INVERSE, UndoKind.COUNTER_MESSAGE)
"""Kinds of undo that leave the record of the effect as it may be, and do something else about it."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the database knows around some effects.

    Attributes:
        nexts: Who worked next on each record of each effect, by action and record.
        planned: Steps of the plan among those.
        outside: Effects among those that the plan does not have.
    """

    nexts: Mapping[tuple[str, str], str]
    planned: dict[str, UndoStep]
    outside: Mapping[str, Effect]


class RollbackPreview:
    """Checks effects in the order of undoing, a page at a time.

    An older effect on a record that a newer one changed can be undone once the newer one is: then it is held against
    what the newer one's undo leaves, not against the record as it is now. Who worked next on a record is looked up for
    each page, so that nothing is kept in memory from page to page.

    Args:
        dependencies: Shared by all activities.
        rollback_id: The plan that the pages are written to.
        scope: What it is of.
        now: The time, for undos that are possible only for a while.
        beat: Called now and then while connectors are asked.
    """

    def __init__(
        self,
        dependencies: Dependencies,
        rollback_id: str,
        scope: RollbackScope,
        now: datetime,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._deps = dependencies
        self._rollback_id = rollback_id
        self._scope = scope
        self._now = now
        self._beat = beat

    def steps(self, effects: Sequence[Effect], *, only_new: bool = False) -> list[UndoStep]:
        """Steps for the effects that changed something, in the order given (newest first).

        Args:
            effects: The next effects in scope.
            only_new: Leave those out that the plan has already, because they were added for the sake of others.
        """
        relevant = [effect for effect in effects if not self._reads_only(effect)]
        if only_new:
            known = self._planned([effect.action_id for effect in relevant])
            relevant = [effect for effect in relevant if effect.action_id not in known]
        around = self._around(relevant)
        said = self._asked(self._askable(relevant, around))
        found: list[UndoStep] = []
        for effect in relevant:
            if effect.action_id in around.planned:
                continue
            step = self._step(effect, around, said)
            if step.verdict is Undoable.CONFLICT and step.later and self._scope.with_later:
                # Later work goes only where that lets the effect in scope be taken back; otherwise it stays.
                further = Around(around.nexts, dict(around.planned), around.outside)
                added = self._with_later(effect, further, MOST_ADDED)
                freed = self._step(effect, further, {}) if added else step
                if freed.verdict is Undoable.YES:
                    around.planned.update(further.planned)
                    found += added
                    step = freed
            around.planned[effect.action_id] = step
            found.append(step)
        return found

    def _with_later(self, effect: Effect, around: Around, most: int) -> list[UndoStep]:
        """Steps for later work that is in the way of an effect, the latest first; they go into the plan before it."""
        added: list[UndoStep] = []
        for name in _records(effect):
            action_id = around.nexts.get((effect.action_id, name))
            if action_id is None or action_id in around.planned or len(added) >= most:
                continue
            later = around.outside.get(action_id)
            if later is None or self._reads_only(later):
                continue
            theirs = self._around([later])
            theirs.planned.update(around.planned)
            added += self._with_later(later, theirs, most - len(added) - 1)
            around.planned.update(theirs.planned)
            step = self._step(later, theirs, {}).model_copy(update={"added": True})
            around.planned[action_id] = step
            added.append(step)
        return added

    def _around(self, effects: Sequence[Effect]) -> Around:
        with self._deps.database.read() as session:
            nexts = scoped_effects.next_touches(session, effects)
            wanted = list(dict.fromkeys(nexts.values()))
            planned = rollback_plans.planned(session, self._rollback_id, wanted)
            outside = scoped_effects.by_ids(session, [each for each in wanted if each not in planned])
        return Around(nexts, planned, outside)

    def _planned(self, action_ids: Sequence[str]) -> Mapping[str, UndoStep]:
        with self._deps.database.read() as session:
            return rollback_plans.planned(session, self._rollback_id, action_ids)

    def _askable(self, effects: Sequence[Effect], around: Around) -> list[Effect]:
        """Effects on whose records nobody worked since, as far as the plan is concerned: they can be asked for now."""
        here = {effect.action_id for effect in effects}
        return [
            effect
            for effect in effects
            if self._glance(effect)[0] is Undoable.YES
            and not any(
                next in here or _goes_first(around.planned.get(next))
                for name in _records(effect)
                if (next := around.nexts.get((effect.action_id, name))) is not None
            )
        ]

    def _step(self, effect: Effect, around: Around, said: Mapping[str, str]) -> UndoStep:
        operation = self._deps.registry.get(effect.type)
        verdict, why = self._glance(effect)
        step = described(effect, operation)
        if verdict is Undoable.YES:
            step = step.model_copy(update={"changes": reversed_changes(effect, operation)})
            verdict, why = self._against_others(effect, around, said)
        later = [] if verdict.needs_nothing else self._later(effect, around)
        task = "" if verdict is Undoable.YES else task_of(verdict, effect, operation)
        return step.model_copy(update={"verdict": verdict, "why": why, "later": later, "task": task})

    def _glance(self, effect: Effect) -> tuple[Undoable, str]:
        return at_a_glance(effect, self._deps.registry.get(effect.type), self._now)

    def _against_others(self, effect: Effect, around: Around, said: Mapping[str, str]) -> tuple[Undoable, str]:
        first = {
            name: step
            for name in _records(effect)
            if (step := around.planned.get(around.nexts.get((effect.action_id, name), ""))) is not None
            and _goes_first(step)
        }
        if first:
            odd = [change.resource for change in effect.changes if change.resource in first and _odd(change, first)]
            why = f"{odd[0]} was changed in between by somebody else." if odd else ""
        elif effect.action_id in said:
            why = said[effect.action_id]
        else:
            why = self._asked([effect])[effect.action_id]
        return (Undoable.CONFLICT, why) if why else (Undoable.YES, "")

    def _later(self, effect: Effect, around: Around) -> list[LaterWork]:
        found = []
        for name in _records(effect):
            next_id = around.nexts.get((effect.action_id, name))
            if next_id is None:
                continue
            planned = around.planned.get(next_id)
            if planned is not None and planned.done_at is not None:
                work = LaterWork(
                    resource=name,
                    action_id=next_id,
                    run_id=planned.run_id,
                    agent=planned.agent,
                    sentence=planned.sentence,
                    at=planned.done_at,
                    in_plan=True,
                )
                found.append(work)
            elif (other := around.outside.get(next_id)) is not None and other.finished_at is not None:
                found.append(scoped_effects.as_later_work(other, name))
        return sorted(found, key=lambda work: work.at)

    def _asked(self, effects: Sequence[Effect]) -> dict[str, str]:
        """What the connectors say against undoing each effect now; nothing where they have no objection."""
        said = {}
        for answer in in_lanes(
            [[effect] for effect in effects], self._ask, limit=ASK_LIMIT, beat=lambda _: self._beat()
        ):
            if isinstance(answer, Done):
                said[answer.item.action_id] = answer.result
            elif not isinstance(answer, Behind):
                seconds = int(ASK_LIMIT.total_seconds())
                said[answer.item.action_id] = f"The system could not be asked: no answer within {seconds} seconds."
        return said

    def _ask(self, effect: Effect) -> str:
        operation = self._deps.registry[effect.type]
        try:
            operation.undo_preview(undo_call(effect), effect.undo_data)
        except UndoConflict as error:
            return spoken(error) or "It conflicts with what happened since."
        except ConnectorUnavailable as error:
            return f"The system could not be asked: {spoken(error)}"
        except Exception as error:
            return f"The system could not be asked: {type(error).__name__}."
        return ""

    def _reads_only(self, effect: Effect) -> bool:
        operation = self._deps.registry.get(effect.type)
        return operation is not None and operation.type.reads_only


def undo_call(effect: Effect) -> Call:
    """The call of an operation's undo; its key differs from the effect's."""
    return Call(key=f"{effect.action_id}#undo", arguments=effect.arguments, agent=effect.agent, run_id=effect.run_id)


def reversed_changes(effect: Effect, operation: Operation | None) -> list[ResourceChange]:
    """What taking an effect back changes; what balances or corrects it leaves the records that it made."""
    undo = operation.type.undo if operation is not None else None
    leaves = undo is not None and undo.kind in _BALANCE
    return [
        ResourceChange(resource=each.resource, before=each.after, after=each.before)
        for each in effect.changes
        if each.before is not None or not leaves
    ]


def same_content(one: Json, other: Json) -> bool:
    """Whether two contents of a record are the same, as far as they are kept."""
    return stable_text(as_kept(one)) == stable_text(as_kept(other))


def still_as_left(operation: Operation, effect: Effect, performed: Performed) -> str:
    """What a record says against an undo that reported success, ``shop/orders/W1 still is …``; empty if nothing does.

    The connector is asked once more what an undo would change, and so how the records are now. An undo that puts a
    record back or makes it void has failed while that is as the effect left it. One that balances it by another
    operation, or by a message, may leave it so, and is held to what it says itself that it has changed; another
    operation that says nothing is held to the records that the effect changed, not to those it made.
    """
    try:
        seen = operation.undo_preview(undo_call(effect), effect.undo_data)
    except Exception:
        # It is no longer as the action left it, which is what was wanted, or it cannot be read again.
        return ""
    secrets, undo = operation.type.secrets, operation.type.undo
    now = {change.resource: change.before for change in changes_without_secrets(seen, secrets)}
    said = changes_without_secrets(performed.changes, secrets)
    if undo is not None and (undo.kind is UndoKind.COUNTER_MESSAGE or (undo.kind in _BALANCE and said)):
        untouched = _still_at(now, {change.resource: (change.before, change.after) for change in said})
        return f"{untouched} still is as it was before" if untouched else ""
    back = reversed_changes(effect, operation)
    untouched = _still_at(now, {change.resource: (change.before, change.after) for change in back})
    return f"{untouched} still is as the action left it" if untouched else ""


def _still_at(now: Mapping[str, Json], wanted: Mapping[str, tuple[Json, Json]]) -> str:
    """Name of a record that is as it was, of those that were to change from one content to another; empty if none."""
    for name, (was, becomes) in wanted.items():
        if name in now and not same_content(was, becomes) and same_content(now[name], was):
            return name
    return ""


def _goes_first(step: UndoStep | None) -> bool:
    return step is not None and step.verdict is Undoable.YES


def _odd(change: ResourceChange, first: Mapping[str, UndoStep]) -> bool:
    """Whether a record will not be as the effect left it once the newer effects on it are undone."""
    by_then = next((each for each in first[change.resource].changes if each.resource == change.resource), None)
    return by_then is None or not same_content(by_then.after, change.after)


def _records(effect: Effect) -> Iterable[str]:
    return dict.fromkeys(change.resource for change in effect.changes)
