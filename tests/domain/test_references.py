"""Plans: every action starts once, after what it waits for, with what it refers to; circles are refused."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.canonical import Json
from assent.domain.errors import InvalidInput
from assent.domain.references import dependencies, referred_keys, resolve
from assent.domain.runs import OnFailure
from assent_workflows.plan import PlanProgress
from tests.domain.json_values import json_values

ENDS = [ActionStatus.DONE, ActionStatus.SUGGESTED, ActionStatus.FAILED, ActionStatus.REJECTED, ActionStatus.WITHDRAWN]


@dataclass(frozen=True)
class Shape:
    """A plan without circles: for each action, in the order of the plan, what it comes after and what it refers to."""

    after: dict[str, list[str]]
    refers: dict[str, list[str]]

    def plan(self) -> list[ProposedAction]:
        return [
            ProposedAction(
                key=key,
                type="desk.note",
                arguments={place: {"$ref": f"{place}.value"} for place in self.refers[key]},
                after=self.after[key],
            )
            for key in self.after
        ]

    def waits(self, key: str) -> set[str]:
        return {*self.after[key], *self.refers[key]}


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Plans whose actions stand in any order, not only in one in which they could run."""
    order = [f"a{number}" for number in range(draw(st.integers(1, 9)))]
    after: dict[str, list[str]] = {}
    refers: dict[str, list[str]] = {}
    for place, key in enumerate(order):
        earlier = st.lists(st.sampled_from(order[:place]), unique=True, max_size=3) if place else st.just([])
        after[key], refers[key] = draw(earlier), draw(earlier)
    written = draw(st.permutations(order))
    return Shape({key: after[key] for key in written}, {key: refers[key] for key in written})


def settled(key: str, status: ActionStatus) -> ActionOutcome:
    return ActionOutcome(
        action_id=f"run-1:{key}", key=key, type="desk.note", status=status, result={"value": f"of {key}"}
    )


def begin(plan: list[ProposedAction], on_failure: OnFailure) -> PlanProgress:
    return PlanProgress(plan, results={}, finished={}, on_failure=on_failure)


def carried_over(progress: PlanProgress, on_failure: OnFailure, under_way: list[str]) -> PlanProgress:
    """What a run that continues as new makes of its plan."""
    results, finished = progress.needed()
    return PlanProgress(progress.left, results=results, finished=finished, on_failure=on_failure, under_way=under_way)


@given(shapes(), st.data())
def test_everything_starts_once_and_in_order(shape: Shape, data: st.DataObject) -> None:
    """Whatever ends first, whatever fails, and wherever the run continues as new."""
    on_failure = data.draw(st.sampled_from(OnFailure))
    progress = begin(shape.plan(), on_failure)
    under_way: list[tuple[ProposedAction, str]] = []
    ended: dict[str, ActionStatus] = {}
    started: set[str] = set()
    while True:
        for action, blocked in progress.start():
            assert action.key not in started
            started.add(action.key)
            assert shape.waits(action.key) <= set(ended)
            failed = {key for key in shape.waits(action.key) if not ended[key].succeeded}
            if on_failure is OnFailure.CONTINUE:
                failed &= set(shape.refers[action.key])
            assert bool(blocked) is bool(failed)
            assert all(key in blocked for key in failed)
            if not blocked:
                assert action.arguments == {key: f"of {key}" for key in shape.refers[action.key]}
            under_way.append((action, blocked))
        if not under_way:
            break
        if data.draw(st.booleans()):
            progress = carried_over(progress, on_failure, [action.key for action, _ in under_way])
        action, blocked = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
        ended[action.key] = ActionStatus.WITHDRAWN if blocked else data.draw(st.sampled_from(ENDS))
        progress.settle(settled(action.key, ended[action.key]))
    assert started == set(shape.after)
    assert progress.left == []


@given(shapes(), st.data())
def test_circles_are_refused(shape: Shape, data: st.DataObject) -> None:
    keys = list(shape.after)
    last = data.draw(st.sampled_from(keys))
    reachable, more = {last}, [last]
    while more:
        for key in shape.waits(more.pop()):
            if key not in reachable:
                reachable.add(key)
                more.append(key)
    first = data.draw(st.sampled_from(sorted(reachable)))
    circle = data.draw(st.sampled_from(["after", "refers"]))
    getattr(shape, circle)[first].append(last)
    with pytest.raises(InvalidInput, match="circle"):
        dependencies(shape.plan())


@given(shapes())
def test_an_unknown_or_doubled_key_is_refused(shape: Shape) -> None:
    plan = shape.plan()
    with pytest.raises(InvalidInput, match="which the plan does not have"):
        dependencies([*plan, ProposedAction(key="new", type="desk.note", after=["nobody"])])
    with pytest.raises(InvalidInput, match="Several actions have the key"):
        dependencies([*plan, plan[0]])


def test_without_a_word_an_action_waits_for_the_one_before_it() -> None:
    plan = [ProposedAction(key=key, type="desk.note") for key in "abc"]
    assert dependencies(plan) == {"a": set(), "b": {"a"}, "c": {"b"}}


@given(json_values, st.lists(st.sampled_from(["0", "1", "x", "y.z"]), max_size=4))
def test_a_reference_gives_what_is_there_or_says_what_is_not(result: Json, path: list[str]) -> None:
    parts = ".".join(path).split(".") if path else []
    expected, there = result, True
    for part in parts:
        if isinstance(expected, dict) and part in expected:
            expected = expected[part]
        elif isinstance(expected, list) and part.isdecimal() and int(part) < len(expected):
            expected = expected[int(part)]
        else:
            there = False
            break
    value = {"a": [{"$ref": ".".join(["key", *parts])}]}
    assert referred_keys(value) == {"key"}
    if there:
        assert resolve(value, {"key": result}) == {"a": [expected]}
    else:
        with pytest.raises(InvalidInput, match="has no"):
            resolve(value, {"key": result})


@given(json_values)
def test_a_value_without_references_stays_as_it_is(value: Json) -> None:
    if not referred_keys(value):
        assert resolve(value, {}) == value


@pytest.mark.parametrize("index", ["²", "١", "00", "-1", "1_0", "9" * 5000])
def test_odd_numbers_in_a_path_are_refused_or_count(index: str) -> None:
    value = {"$ref": f"key.{index}"}
    if index == "00":
        assert resolve(value, {"key": ["zero", "one"]}) == "zero"
    else:
        with pytest.raises(InvalidInput, match="has no"):
            resolve(value, {"key": ["zero", "one"]})
