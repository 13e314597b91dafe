"""Conditions of cards, in CEL, the Common Expression Language (https://cel.dev)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import celpy
import celpy.celtypes
from celpy.adapter import json_to_cel
from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError

from assent.domain.canonical import Json

MAX_LENGTH = 1_000
"""Characters of a condition."""


class ConditionError(ValueError):
    """A condition cannot be read, or cannot be evaluated for these arguments."""


@lru_cache(maxsize=1_000)
def _program(expression: str) -> celpy.Runner:
    if len(expression) > MAX_LENGTH:
        raise ConditionError(f"A condition has at most {MAX_LENGTH} characters.")
    environment = celpy.Environment()
    try:
        return environment.program(environment.compile(expression))
    except CELParseError as error:
        raise ConditionError(f"This is not a CEL expression: {expression!r}") from error


def check_condition(expression: str) -> str:
    """Make sure that a condition can be read.

    Raises:
        ConditionError: It cannot.
    """
    _program(expression)
    return expression


def holds(expression: str, *, arguments: dict[str, Json], agent: str, run_id: str, reason: str) -> bool:
    """Evaluate a condition for one action.

    Args:
        expression: CEL over ``args``, ``agent``, ``run`` and ``reason``.
        arguments: The action's arguments, ``args`` in the expression.
        agent: The agent's name.
        run_id: The run's id, ``run`` in the expression.
        reason: The agent's own words.

    Raises:
        ConditionError: It does not give true or false for these arguments, because one is missing, say.
    """
    try:
        return _evaluated(expression, arguments, agent, run_id, reason)
    except ConditionError:
        # A whole number does not compare with a fraction here: look again with every number as a fraction.
        try:
            fractions = _as_fractions(arguments)
        except OverflowError as error:
            raise ConditionError(f"{expression!r} cannot be evaluated for a number of this size.") from error
        return _evaluated(expression, fractions, agent, run_id, reason)


def _as_fractions(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _as_fractions(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_fractions(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _evaluated(expression: str, arguments: Json, agent: str, run_id: str, reason: str) -> bool:
    program = _program(expression)
    try:
        activation: dict[str, Any] = {
            "args": json_to_cel(arguments),
            "agent": celpy.celtypes.StringType(agent),
            "run": celpy.celtypes.StringType(run_id),
            "reason": celpy.celtypes.StringType(reason),
        }
        value = program.evaluate(activation)
    except (CELEvalError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ConditionError(f"{expression!r} cannot be evaluated for these arguments.") from error
    if not isinstance(value, celpy.celtypes.BoolType | bool):
        raise ConditionError(f"{expression!r} gives neither true nor false.")
    return bool(value)
