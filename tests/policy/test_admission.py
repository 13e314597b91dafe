"""Admission: the strictest reason wins, every reason is kept, and nothing is freer than the card says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assent.domain.actions import STRICTNESS, AdmissionEffect, ProposedAction, Verdict
from assent.domain.catalogue import ActionType, UndoDeclaration
from assent.domain.tiers import Risk, Tier
from assent.policy.admission import admit, measured
from assent.policy.cards import ActionRule, AgentCard, Contact, Limit, NeverRule, Over, Per, StopRule
from assent.policy.conditions import check_condition

TYPE = "desk.pay"
check_condition("true")  # CEL raises Python's recursion limit when it is first used, which Hypothesis would notice.
_BO = Contact(name="Bo", email="bo@example.com")
_MET = st.sampled_from(["true", "false", "args.amount > 5.0", "args.missing == 1"])
_EFFECTS = {
    Tier.SUGGEST: AdmissionEffect.SUGGEST,
    Tier.APPROVE: AdmissionEffect.APPROVE,
    Tier.VETO: AdmissionEffect.VETO,
    Tier.AUTO: AdmissionEffect.AUTO,
}


def _with_a_window(rule: ActionRule) -> ActionRule:
    """The rule with the time that a veto needs."""
    return rule.model_copy(update={"veto": timedelta(minutes=10) if rule.asks_for_veto else None})


limits = st.builds(
    Limit,
    argument=st.sampled_from(["amount", "missing"]),
    per=st.sampled_from(Per),
    max=st.floats(0, 20),
    over=st.sampled_from(Over),
)
stops = st.builds(StopRule, when=_MET, then=st.sampled_from(AdmissionEffect), because=st.just("It says so."))
nevers = st.builds(
    NeverRule, action=st.sampled_from([TYPE, "*", "desk.other"]), when=_MET, because=st.just("Never ever.")
)
rules = st.builds(
    ActionRule,
    tier=st.sampled_from(Tier),
    limits=st.lists(limits, max_size=2),
    stop=st.lists(stops, max_size=2),
).map(_with_a_window)
types = st.builds(
    ActionType,
    name=st.just(TYPE),
    title=st.just("Pay"),
    sentence=st.just("Pay {amount}"),
    arguments=st.just({"type": "object", "required": ["amount"]}),
    risks=st.frozensets(st.sampled_from(Risk)),
    undo=st.none() | st.just(UndoDeclaration(sentence="Take it back")),
)
amounts = st.one_of(
    st.integers(-3, 30),
    st.floats(allow_nan=True, allow_infinity=True),
    st.just(10**400),
    st.just("much"),
    st.booleans(),
)


def card(rule: ActionRule, never: list[NeverRule]) -> AgentCard:
    return AgentCard(
        name="desk-clerk",
        purpose="Keeps notes.",
        business_owner=_BO,
        technical_owner=_BO,
        model_steward=_BO,
        escalation=_BO,
        actions={TYPE: rule},
        never=never,
    )


def weigh(rule: ActionRule, never: list[NeverRule], type: ActionType, amount: Any, used: list[float]) -> Verdict:
    return admit(
        card=card(rule, never),
        card_version=3,
        type=type,
        action=ProposedAction.model_construct(key="a", type=TYPE, arguments={"amount": amount}, reason="", after=None),
        run_id="run-1",
        used=used[: len(rule.limits)],
    )


def strictness(verdict: Verdict) -> int:
    """The smaller the stricter."""
    return STRICTNESS.index(verdict.effect)


_USED = st.lists(st.floats(0, 30), min_size=2, max_size=2)


@given(rules, st.lists(nevers, max_size=3), types, amounts, _USED)
def test_the_strictest_wins_and_nothing_is_freer_than_the_card(
    rule: ActionRule, never: list[NeverRule], type: ActionType, amount: Any, used: list[float]
) -> None:
    verdict = weigh(rule, never, type, amount, used)
    order = [STRICTNESS.index(reason.effect) for reason in verdict.reasons]
    assert order == sorted(order)
    assert order[0] == strictness(verdict)
    assert strictness(verdict) <= STRICTNESS.index(_EFFECTS[rule.tier])
    assert (verdict.tier is None) is (verdict.effect is AdmissionEffect.REFUSE)
    assert verdict.card_version == 3
    assert all(reason.sentence for reason in verdict.reasons)


@given(rules, st.lists(nevers, max_size=3), types, st.integers(0, 30), _USED)
def test_every_reason_is_kept(
    rule: ActionRule, never: list[NeverRule], type: ActionType, amount: int, used: list[float]
) -> None:
    def met(condition: str) -> bool:
        return {"true": True, "false": False, "args.amount > 5.0": amount > 5, "args.missing == 1": True}[condition]

    reasons = [reason.rule for reason in weigh(rule, never, type, amount, used).reasons]
    assert reasons.count("tier") == 1
    assert reasons.count("never-do") == sum(met(one.when) for one in never if one.action in (TYPE, "*"))
    assert reasons.count("stop-rule") == sum(met(one.when) for one in rule.stop)
    over = 0
    for limit, already in zip(rule.limits, used, strict=False):
        over += limit.argument == "missing" or already + amount > limit.max
    assert reasons.count("limit") == over
    granted = rule.tier in (Tier.AUTO, Tier.VETO) and type.undo is not None and rule.limits
    assert [one for one in reasons if one.startswith("risk:")] == (
        [] if granted else [f"risk:{risk}" for risk in sorted(type.risks)]
    )


@given(rules, types, amounts, _USED)
def test_a_risk_runs_by_itself_only_within_limits_and_with_an_undo(
    rule: ActionRule, type: ActionType, amount: Any, used: list[float]
) -> None:
    verdict = weigh(rule, [], type, amount, used)
    if verdict.effect in (AdmissionEffect.AUTO, AdmissionEffect.VETO) and type.risks:
        assert rule.limits
        assert type.undo is not None


@given(rules, types, amounts, _USED)
def test_only_a_number_within_every_limit_runs_by_itself(
    rule: ActionRule, type: ActionType, amount: Any, used: list[float]
) -> None:
    if weigh(rule, [], type, amount, used).effect in (AdmissionEffect.AUTO, AdmissionEffect.VETO):
        for limit, already in zip(rule.limits, used, strict=False):
            counted = measured(limit, {"amount": amount})
            assert counted is not None
            assert counted >= 0
            assert already + counted <= limit.max


@given(rules, st.lists(nevers, max_size=2), types, amounts, _USED, stops, nevers, st.floats(0, 10))
def test_more_rules_and_more_use_never_make_anything_freer(
    rule: ActionRule,
    never: list[NeverRule],
    type: ActionType,
    amount: Any,
    used: list[float],
    stop: StopRule,
    another: NeverRule,
    more: float,
) -> None:
    now = strictness(weigh(rule, never, type, amount, used))
    stopped = _with_a_window(rule.model_copy(update={"stop": [*rule.stop, stop]}))
    assert strictness(weigh(stopped, never, type, amount, used)) <= now
    assert strictness(weigh(rule, [*never, another], type, amount, used)) <= now
    assert strictness(weigh(rule, never, type, amount, [already + more for already in used])) <= now


@given(rules, types, amounts)
def test_what_the_card_or_the_catalogue_does_not_know_is_refused(
    rule: ActionRule, type: ActionType, amount: Any
) -> None:
    unlisted = ProposedAction.model_construct(key="a", type="desk.burn", arguments={}, reason="", after=None)
    known = unlisted.model_copy(update={"type": TYPE, "arguments": {"amount": amount}})
    for action, declared in ((unlisted, type), (known, None)):
        verdict = admit(card=card(rule, []), card_version=1, type=declared, action=action, run_id="run-1", used=[])
        assert verdict.effect is AdmissionEffect.REFUSE
