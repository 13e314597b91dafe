"""Standing grants: what a pattern covers, and which terms are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from assent.domain.actions import AdmissionEffect, ProposedAction, Reason, Verdict
from assent.domain.catalogue import ActionType
from assent.domain.errors import InvalidInput
from assent.domain.grants import GrantStatus, GrantTerms, Pattern, PatternKind, standing
from assent.policy.approval_block import GrantRule
from assent.policy.granting import check_terms, coverable, covers, samples, terms_for

NOW = datetime(2030, 1, 1, tzinfo=UTC)
RULE = GrantRule(by=["finance"], uses=20, lasts=timedelta(days=30))
PAY = ActionType(
    name="desk.pay",
    title="Pay",
    sentence="Pay {amount} to {to}",
    arguments={
        "type": "object",
        "properties": {
            "to": {"type": "string"},
            "amount": {"type": "number"},
            "pieces": {"type": "integer"},
            "urgent": {"type": "boolean"},
            "card": {"type": "object"},
        },
        "required": ["to", "amount"],
    },
    secrets=frozenset({"card.number"}),
)


def pattern(kind: str, **fields: Any) -> Pattern:
    return Pattern(kind=PatternKind(kind), **fields)


TO_BOB = {"to": pattern("is", values=["bob"]), "amount": pattern("range", min=0, max=50)}


def terms(arguments: dict[str, Pattern] | None = None, **fields: Any) -> GrantTerms:
    given: dict[str, Any] = {"uses": 5, "expires_at": NOW + timedelta(days=1)} | fields
    return GrantTerms(
        agent="clerk", action_type="desk.pay", arguments=TO_BOB if arguments is None else arguments, **given
    )


def covered(granted: GrantTerms, **arguments: Any) -> bool:
    action = ProposedAction(key="a", type="desk.pay", arguments=arguments)
    return covers(granted, PAY, action, run_id="run-1")


def test_a_grant_covers_what_fits_each_pattern() -> None:
    assert covered(terms(), to="bob", amount=50)
    assert covered(terms(), to="bob", amount=0.0)
    assert not covered(terms(), to="bob", amount=50.01)
    assert not covered(terms(), to="bob", amount=-1)
    assert not covered(terms(), to="Bob", amount=5)


def test_an_argument_that_is_not_named_is_not_covered() -> None:
    assert not covered(terms(), to="bob", amount=5, urgent=True)
    assert not covered(terms(), to="bob")
    with_any = terms({**TO_BOB, "urgent": pattern("any")})
    assert covered(with_any, to="bob", amount=5, urgent=True)
    assert covered(with_any, to="bob", amount=5)


def test_another_type_is_not_covered() -> None:
    action = ProposedAction(key="a", type="desk.tip", arguments={"to": "bob", "amount": 5})
    assert not covers(terms(), PAY, action, run_id="run-1")


@pytest.mark.parametrize("value", ["5", True, None, [5], float("nan"), float("inf"), 10**400])
def test_a_range_covers_numbers_alone(value: Any) -> None:
    assert not covered(terms(), to="bob", amount=value)


def test_values_are_the_same_as_json_values_are() -> None:
    exact = terms({"to": pattern("one_of", values=["bob", {"name": "ann"}]), "amount": pattern("is", values=[5])})
    assert covered(exact, to="bob", amount=5.0)
    assert covered(exact, to={"name": "ann"}, amount=5)
    assert not covered(exact, to="bob", amount=True)
    assert not covered(exact, to="bob", amount=2**60)
    assert not covered(terms({**TO_BOB, "urgent": pattern("is", values=[True])}), to="bob", amount=5, urgent=1)


def test_a_beginning_covers_no_text_that_hides_something() -> None:
    granted = terms({"to": pattern("prefix", prefix="team-"), "amount": pattern("any")})
    assert covered(granted, to="team-a", amount=1)
    assert not covered(granted, to="team-a\u202egro.live", amount=1)
    assert not covered(granted, to="team-\u0430", amount=1), "a Cyrillic letter that looks like a Latin one"
    assert not covered(granted, to=["team-a"], amount=1)


def test_the_condition_must_hold_and_doubt_does_not_cover() -> None:
    granted = terms(condition="args.amount * 2.0 < 20.0")
    assert covered(granted, to="bob", amount=9)
    assert not covered(granted, to="bob", amount=10)
    doubtful = terms({**TO_BOB, "pieces": pattern("any")}, condition="args.pieces > 1")
    assert covered(doubtful, to="bob", amount=1, pieces=2)
    assert not covered(doubtful, to="bob", amount=1)


def test_a_condition_sees_neither_secrets_nor_the_agents_words() -> None:
    curious = terms({**TO_BOB, "card": pattern("any")}, condition='args.card.number == "4111"')
    assert not covered(curious, to="bob", amount=1, card={"number": "4111"})
    wordy = terms(condition='reason.contains("please")')
    action = ProposedAction(key="a", type="desk.pay", arguments={"to": "bob", "amount": 1}, reason="please")
    assert not covers(wordy, PAY, action, run_id="run-1")


@pytest.mark.parametrize(
    ("rule", "effect", "fine"),
    [
        ("tier", "approve", True),
        ("risk:money", "approve", True),
        ("stop-rule", "approve", False),
        ("limit", "approve", False),
        ("something-new", "approve", False),
        ("limit", "refuse", False),
        ("tier", "suggest", False),
        ("tier", "veto", False),
        ("tier", "auto", False),
    ],
)
def test_only_tier_and_risks_give_way_to_a_grant(rule: str, effect: str, fine: bool) -> None:
    reason = Reason(rule=rule, effect=AdmissionEffect(effect), sentence="Because.")
    tier = Reason(rule="tier", effect=AdmissionEffect.APPROVE, sentence="The card asks.")
    strict = AdmissionEffect(effect) if effect in ("refuse", "suggest") else AdmissionEffect.APPROVE
    reasons = [reason] if effect in ("veto", "auto") else [reason, tier]
    verdict = Verdict(
        effect=AdmissionEffect(effect) if effect in ("veto", "auto") else strict,
        tier=None,
        reasons=reasons,
        card_version=1,
    )
    assert coverable(verdict) is fine


def test_good_terms_are_taken() -> None:
    check_terms(terms(condition="args.amount < 40.0"), PAY, RULE, now=NOW)
    check_terms(terms(uses=20, expires_at=NOW + timedelta(days=30)), PAY, RULE, now=NOW)
    check_terms(terms({**TO_BOB, "card": pattern("any")}), PAY, RULE, now=NOW)


@pytest.mark.parametrize(
    ("made", "where", "says"),
    [
        (lambda: terms(uses=21), "uses", "at most 20"),
        (lambda: terms(expires_at=NOW), "expires_at", "passed already"),
        (lambda: terms(expires_at=NOW + timedelta(days=31)), "expires_at", "30d at most"),
        (lambda: terms({**TO_BOB, "colour": pattern("any")}), "arguments.colour", "no argument 'colour'"),
        (lambda: terms({"to": pattern("any")}), "arguments", "amount"),
        (lambda: terms({**TO_BOB, "card": pattern("is", values=[{}])}), "arguments.card", "secret"),
        (lambda: terms({**TO_BOB, "to": pattern("range", min=1)}), "arguments.to", "no number"),
        (lambda: terms({**TO_BOB, "amount": pattern("prefix", prefix="1")}), "arguments.amount", "no text"),
        (lambda: terms({**TO_BOB, "to": pattern("is", values=[7])}), "arguments.to", "never be this"),
        (lambda: terms(condition="args.amount >"), "condition", "not a CEL expression"),
        (lambda: terms(condition="args.colour == 'red'"), "condition", "no argument 'colour'"),
        (lambda: terms(condition="args.card.number == '4111'"), "condition", "secret"),
        (lambda: terms(condition="args['card']['number'] == '4111'"), "condition", "secret"),
        (lambda: terms(condition="args.amount + 1.0"), "condition", "cannot be evaluated"),
        (lambda: terms(condition="nonsense(args.amount)"), "condition", "cannot be evaluated"),
    ],
)
def test_terms_that_are_too_wide_or_cover_nothing_are_refused(made: Any, where: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_terms(made(), PAY, RULE, now=NOW)
    assert caught.value.where == where
    assert says in str(caught.value)


@pytest.mark.parametrize("uses", [0, -1, 10**9])
def test_uses_are_a_small_positive_number(uses: int) -> None:
    with pytest.raises(ValidationError):
        terms(uses=uses)


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        terms(expires_at=datetime(2030, 1, 2))  # noqa: DTZ001


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "is", "values": []},
        {"kind": "is", "values": [1, 2]},
        {"kind": "one_of", "values": list(range(101))},
        {"kind": "range"},
        {"kind": "range", "min": 2, "max": 1},
        {"kind": "range", "max": float("nan")},
        {"kind": "prefix"},
        {"kind": "any", "prefix": "x"},
        {"kind": "is", "values": [1], "max": 5},
        {"kind": "regex", "prefix": ".*"},
    ],
)
def test_a_pattern_is_one_thing(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Pattern.model_validate(fields)


def test_samples_reach_the_ends_of_every_pattern() -> None:
    found = list(
        samples(terms({"to": pattern("any"), "amount": pattern("range", min=1), "pieces": pattern("any")}), PAY)
    )
    assert {each["amount"] for each in found} >= {1.0, 1e12}
    assert any("pieces" not in each for each in found)
    assert {each.get("pieces") for each in found} >= {0, 10**12}
    assert all("card" not in each for each in found)


def test_terms_for_a_request_fit_exactly_it() -> None:
    arguments = {"to": "bob", "amount": 5, "card": {"number": "4111"}}
    made = terms_for("clerk", PAY, arguments, uses=1, expires_at=NOW + timedelta(hours=1))
    check_terms(made, PAY, RULE, now=NOW)
    assert covered(made, **arguments)
    assert covered(made, **(arguments | {"card": {"number": "5500"}})), "a secret is not written into a grant"
    assert not covered(made, **(arguments | {"amount": 6}))
    assert "4111" not in made.model_dump_json()


def test_words_say_what_a_pattern_asks() -> None:
    granted = terms(
        {"to": pattern("one_of", values=["bob", "ann"]), "amount": pattern("range", max=1000)}, condition="true"
    )
    assert granted.sentences == ["amount is at most 1,000", 'to is one of "bob", "ann"', "the condition holds: true"]


def test_where_a_grant_is_in_its_life() -> None:
    def now(status: GrantStatus, *, used: int = 0, now: datetime = NOW) -> GrantStatus:
        return standing(status, used=used, uses=2, expires_at=NOW + timedelta(1), now=now)

    assert now(GrantStatus.ACTIVE) is GrantStatus.ACTIVE
    assert now(GrantStatus.ACTIVE, used=2) is GrantStatus.SPENT
    assert now(GrantStatus.PENDING) is GrantStatus.PENDING
    assert now(GrantStatus.PENDING, now=NOW + timedelta(2)) is GrantStatus.EXPIRED
    assert now(GrantStatus.REVOKED, now=NOW + timedelta(2)) is GrantStatus.REVOKED


def test_values_of_any_size_are_held_against_all_that_are_allowed() -> None:
    long = [[number, {"text": "x"}] for number in range(50_000)]
    allowed = pattern("one_of", values=[*([number] for number in range(98)), {"a": 1}, long])
    assert allowed.covers([*long])
    assert not allowed.covers([*long[:-1], [0, {"text": "y"}]])
    assert not allowed.covers([*long, 1])
    assert allowed.covers({"a": 1.0})
    assert not allowed.covers({"a": True})
    assert not pattern("is", values=[1]).covers(True)
