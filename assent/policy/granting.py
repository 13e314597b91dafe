"""Standing grants: whether one covers an action, and whether its terms make sense. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain, islice, product
from typing import Any

from jsonschema import Draft202012Validator

from assent.domain import paths
from assent.domain.actions import AdmissionEffect, ProposedAction, Verdict
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, without_secrets
from assent.domain.errors import InvalidInput
from assent.domain.grants import GrantTerms, Pattern, PatternKind
from assent.policy.approval_block import GrantRule
from assent.policy.conditions import ConditionError, check_condition, holds
from assent.policy.durations import write_duration

MAX_SAMPLES = 400
"""Sets of arguments that are tried to find out what a pattern reaches."""

_FAR = 1e12
"""Stands for a number without limit."""

_NAMED = re.compile(r"""\bargs\s*((?:\.\s*[A-Za-z_][A-Za-z0-9_]*\s*|\[\s*(?:"[^"]*"|'[^']*'|[0-9]+)\s*\]\s*)+)""")
_PART = re.compile(r"""[A-Za-z_][A-Za-z0-9_]*|[0-9]+|"[^"]*"|'[^']*'""")
_COVERABLE = ("tier", "risk:")
"""Rules whose demand for a person a grant satisfies: stop rules and limits ask all the same."""


def coverable(verdict: Verdict) -> bool:
    """Whether a standing grant may stand for the people that a verdict asks for.

    It may where the card's tier or the risks of the type ask. A stop rule or a limit that asks is stricter than any
    grant, and what is refused or only suggested stays so.
    """
    return verdict.effect is AdmissionEffect.APPROVE and all(
        reason.rule.startswith(_COVERABLE) for reason in verdict.reasons if reason.effect is AdmissionEffect.APPROVE
    )


def covers(terms: GrantTerms, type: ActionType, action: ProposedAction, *, run_id: str) -> bool:
    """Whether a grant's terms fit an action; what cannot be evaluated does not fit.

    The condition is not shown declared secrets, nor the agent's own words.
    """
    if terms.action_type != action.type:
        return False
    arguments = action.arguments
    if any(name not in terms.arguments for name in arguments):
        return False
    for name, pattern in terms.arguments.items():
        if not pattern.covers(arguments.get(name), present=name in arguments):
            return False
    return not terms.condition or _met(terms.condition, type, arguments, terms.agent, run_id)


def terms_for(
    agent: str, type: ActionType, arguments: Mapping[str, Json], *, uses: int, expires_at: datetime
) -> GrantTerms:
    """Terms that fit exactly these arguments, secrets left open: what a form starts from."""
    patterns = {
        name: Pattern(kind=PatternKind.ANY)
        if paths.touches([name], type.secrets)
        else Pattern(kind=PatternKind.IS, values=[value])
        for name, value in arguments.items()
    }
    return GrantTerms(agent=agent, action_type=type.name, arguments=patterns, uses=uses, expires_at=expires_at)


def check_terms(terms: GrantTerms, type: ActionType, rule: GrantRule, *, now: datetime) -> None:
    """Make sure that a grant is within what the card allows and can cover anything at all.

    Args:
        terms: What is to be granted.
        type: The action type, as its connector declares it.
        rule: What the card allows.
        now: The time.

    Raises:
        InvalidInput: With the first fault found.
    """
    if terms.uses > rule.uses:
        raise InvalidInput(
            f"The card allows at most {rule.uses:,} uses of a grant, not {terms.uses:,}.",
            where="uses",
            todo="Give fewer.",
        )
    _check_end(terms.expires_at, rule.lasts, now)
    properties = _properties(type)
    for name, pattern in terms.arguments.items():
        _check_pattern(name, pattern, type, properties)
    missing = [name for name in type.arguments.get("required", []) if name not in terms.arguments]
    if missing:
        raise InvalidInput(
            f"The grant does not name {', '.join(missing)}, which every action of this type has, so it would cover "
            "nothing.",
            where="arguments",
            todo="Say what it may be; the pattern `any` is possible.",
        )
    if terms.condition:
        _check_condition(terms, type, properties)


def samples(terms: GrantTerms, type: ActionType) -> Iterator[dict[str, Json]]:
    """Arguments that terms cover, from the corners of each pattern; at most :data:`MAX_SAMPLES`.

    They find out which raises of a card a grant reaches. They are no proof, and need not be one: raises are looked at
    again whenever the grant is used.
    """
    properties = _properties(type)
    required = set(type.arguments.get("required", []))
    corners = {
        name: _corners(pattern, properties.get(name, {}), optional=name not in required)
        for name, pattern in terms.arguments.items()
        if not paths.touches([name], type.secrets)
    }
    names = list(corners)
    edges = ({**{n: corners[n][-1] for n in names}, name: value} for name in names for value in corners[name])
    grid = (dict(zip(names, values, strict=True)) for values in product(*corners.values()))
    for found in islice(chain(edges, grid), MAX_SAMPLES):
        yield {name: value for name, value in found.items() if value is not _ABSENT}


_ABSENT: Any = object()


def _met(condition: str, type: ActionType, arguments: Mapping[str, Json], agent: str, run_id: str) -> bool:
    seen = without_secrets(arguments, type.secrets)
    try:
        return holds(condition, arguments=seen, agent=agent, run_id=run_id, reason="")
    except ConditionError:
        return False


def _check_end(expires_at: datetime, longest: timedelta, now: datetime) -> None:
    if expires_at <= now:
        raise InvalidInput("The end of the grant has passed already.", where="expires_at", todo="Name a later time.")
    if expires_at - now > longest + timedelta(minutes=1):
        raise InvalidInput(
            f"The card lets a grant stand for {write_duration(longest)} at most.",
            where="expires_at",
            todo="Name an earlier time.",
        )


def _properties(type: ActionType) -> dict[str, Any]:
    found = type.arguments.get("properties", {})
    return found if isinstance(found, dict) else {}


def _check_pattern(name: str, pattern: Pattern, type: ActionType, properties: Mapping[str, Any]) -> None:
    where = f"arguments.{name}"
    if properties and name not in properties:
        raise InvalidInput(
            f"{type.name} has no argument {name!r}.",
            where=where,
            todo=f"It has {', '.join(sorted(properties))}.",
        )
    if paths.touches([name], type.secrets) and pattern.kind is not PatternKind.ANY:
        raise InvalidInput(
            f"{name} is or holds a declared secret, and a grant is there for everybody to read.",
            where=where,
            todo="Leave it open with the pattern `any`, or do without the grant.",
        )
    declared = properties.get(name, {})
    kinds = _types(declared)
    if pattern.kind is PatternKind.RANGE and kinds and not kinds & {"number", "integer"}:
        raise InvalidInput(f"{name} is no number, so it has no range.", where=where, todo="Use is, one_of or prefix.")
    if pattern.kind is PatternKind.PREFIX and kinds and "string" not in kinds:
        raise InvalidInput(f"{name} is no text, so it has no beginning.", where=where, todo="Use is, one_of or range.")
    if pattern.values and isinstance(declared, dict):
        schema = {**declared, "$defs": type.arguments.get("$defs", {})}
        if any(not Draft202012Validator(schema).is_valid(value) for value in pattern.values):
            raise InvalidInput(f"{name} can never be this: it breaks the type's schema.", where=where)


def _check_condition(terms: GrantTerms, type: ActionType, properties: Mapping[str, Any]) -> None:
    where = "condition"
    try:
        check_condition(terms.condition)
    except ConditionError as error:
        raise InvalidInput(str(error), where=where, todo="Write CEL over `args`, `args.amount < 50` say.") from error
    named = [[part.strip("\"'") for part in _PART.findall(found)] for found in _NAMED.findall(terms.condition)]
    if secret := sorted(".".join(path) for path in named if paths.touches(path, type.secrets)):
        raise InvalidInput(f"{secret[0]} is or holds a declared secret; no condition may be on it.", where=where)
    if properties and (unknown := sorted({path[0] for path in named} - properties.keys())):
        raise InvalidInput(
            f"{type.name} has no argument {unknown[0]!r}.", where=where, todo=f"It has {', '.join(sorted(properties))}."
        )
    for arguments in samples(terms, type):
        try:
            holds(terms.condition, arguments=arguments, agent=terms.agent, run_id="run", reason="")
        except ConditionError:
            continue
        return
    raise InvalidInput(
        f"The condition {terms.condition!r} cannot be evaluated for anything that the grant covers.",
        where=where,
        todo="It must give true or false; check the names and the kinds of the arguments.",
    )


def _corners(pattern: Pattern, declared: Any, *, optional: bool) -> list[Json]:
    match pattern.kind:
        case PatternKind.IS | PatternKind.ONE_OF:
            return list(pattern.values)
        case PatternKind.RANGE:
            low = -_FAR if pattern.min is None else pattern.min
            high = _FAR if pattern.max is None else pattern.max
            whole = _types(declared) == {"integer"}
            return [int(low), int(high)] if whole else [low, high]
        case PatternKind.PREFIX:
            return [pattern.prefix, f"{pattern.prefix}x"]
    anything = _anything(declared)
    return [_ABSENT, *anything] if optional else anything


def _anything(declared: Any) -> list[Json]:
    """Values that a declaration allows, the extremes last."""
    if isinstance(declared, dict) and isinstance(declared.get("enum"), list) and declared["enum"]:
        return list(declared["enum"])
    if isinstance(declared, dict) and "const" in declared:
        return [declared["const"]]
    kinds = _types(declared)
    values: list[Json] = []
    for kind, some in _SOME.items():
        if not kinds or kind in kinds:
            values += some
    return values or [None]


_SOME: dict[str, list[Json]] = {
    "null": [None],
    "object": [{}],
    "array": [[], ["x"]],
    "boolean": [True, False],
    "string": ["", "x"],
    "integer": [0, int(-_FAR), int(_FAR)],
    "number": [0.0, -_FAR, _FAR],
}


def _types(declared: Any) -> set[str]:
    found = declared.get("type") if isinstance(declared, dict) else None
    if isinstance(found, str):
        return {found}
    return set(found) if isinstance(found, list) else set()
