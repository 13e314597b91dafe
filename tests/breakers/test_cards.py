"""A card's breakers and fallbacks are checked when it is published; what is wrong is said by name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from assent.domain.breakers import Measure
from assent.domain.errors import BrokenCard
from assent.domain.pauses import ScopeKind
from assent.policy.breakers_block import BreakerBlock, Fallback, rule_of
from assent.policy.cards import read_card
from assent.runtime.cards import checked_card
from tests.breakers.past import CARD, catalogue, types

FAULTS = {
    "{name: a, measure: errors}": "the breaker a needs `most`, or `share` for a part of the cases",
    "{name: a, measure: errors, most: 1, share: 0.5}": "and not both",
    "{name: a, measure: cost, share: 0.5}": "measures cost, which is no share of anything",
    "{name: a, measure: rate, most: 3, last: 10}": "use `within`",
    "{name: a, measure: errors, most: 1, within: 5s}": "breakers.0.within",
    "{name: a, measure: hunger, most: 1}": "breakers.0.measure",
    "{name: A b, measure: errors, most: 1}": "breakers.0.name",
    "{name: a, measure: errors, most: -1}": "breakers.0.most",
    "{name: a, measure: errors, most: .nan}": "breakers.0.most",
    "{name: a, measure: errors, most: 1, colour: red}": "breakers.0.colour",
    "{name: a, measure: errors, most: 1, wake: [Bob Smith]}": "is nobody who can be asked",
    "{name: a, measure: errors, most: 1, wake: []}": "breakers.0.wake",
    "{name: a, measure: errors, most: 1, of: desk.pay}": "which is neither an action type of the card nor a connector",
    "{name: a, measure: errors, most: 1, currency: USD}": "has a currency, but does not measure cost",
    "{name: a, measure: errors, most: 1, pause: type}": "pauses a type, so `of` names one",
    "{name: a, measure: errors, most: 1, pause: connector}": "pauses a connector, so `of` names it",
    "{name: a, measure: errors, most: 1, pause: label}": "cannot pause a label",
    "{name: a, measure: errors, most: 1, pause: record, of: desk.note}": "desk.note does not say which record",
    "{name: a, measure: cost, most: 1, of: desk.note}": "counts money, but none of its action types declares an amount",
    "{name: a, measure: cost, most: 1, currency: EUR}": "counts EUR; its action types declare USD",
    "{name: a, measure: probe, most: 1}": "so `of` names one",
    "{name: a, measure: probe, most: 1.5, of: desk}": "`most` is a whole number",
    "{name: a, measure: probe, most: 1, of: desk, pause: run}": "cannot measure probe for each run",
    "{name: a, measure: errors, most: 1, recover: 2}": "leave out `recover`",
    "{name: a, measure: probe, most: 1, of: desk, recover: 0}": "breakers.0.recover",
    "{name: a, measure: probe, most: 1, of: desk, recover: 2, pause: agent}": "holds its connector and nothing else",
    "{name: a, measure: probe, most: 1, of: desk, recover: 2, disposition: drain}": "leave out `pause` and",
    "{name: a, measure: probe, most: 1, of: desk, recover: 2}": "not each action type of desk has one",
    "{name: a, measure: drift, most: 1, of: desk.tip}": "needs `argument` and `baseline`",
    "{name: a, measure: drift, most: 1, of: desk, argument: to, baseline: 7d}": "so `of` names one action type",
    "{name: a, measure: drift, most: 1, of: desk.tip, argument: hat, baseline: 7d}": "desk.tip does not declare",
    "{name: a, measure: drift, most: 1, of: desk.tip, argument: to, baseline: 7d, least: 5}": "at least 30 cases",
}
FALLBACKS = {
    "{cook: {say: No.}}": "cook is neither an action type of the card nor the connector of one",
    "{desk: {say: No., instead: desk.pay}}": "names desk.pay, which is not among the card's actions",
    "{desk.tip: {say: No., instead: desk.tip}}": "cannot be held, or be itself",
    "{desk.tip: {say: No., instead: desk.note, then: hold}}": "cannot be held, or be itself",
    "{desk.tip: {say: ''}}": "fallback.desk.tip.say",
}


@pytest.mark.parametrize(("breaker", "said"), FAULTS.items(), ids=lambda value: value[:60])
def test_a_breaker_that_makes_no_sense(breaker: str, said: str) -> None:
    with pytest.raises(BrokenCard) as refused:
        checked_card(catalogue(), f"{CARD}breakers:\n  - {breaker}\n", where="card.yaml")
    assert said in str(refused.value)


@pytest.mark.parametrize(("fallback", "said"), FALLBACKS.items())
def test_a_fallback_that_makes_no_sense(fallback: str, said: str) -> None:
    with pytest.raises(BrokenCard) as refused:
        checked_card(catalogue(), f"{CARD}fallback: {fallback}\n", where="card.yaml")
    assert said in str(refused.value)


def test_names_are_unique_and_a_connector_must_be_able_to_tell() -> None:
    one = "  - {name: a, measure: unknown, most: 0}\n"
    with pytest.raises(BrokenCard, match="a is there twice"):
        checked_card(catalogue(), f"{CARD}breakers:\n{one}{one}", where="card.yaml")
    registry = catalogue()
    registry.probes.clear()
    with pytest.raises(BrokenCard, match="a connector that has no health check"):
        checked_card(registry, f"{CARD}breakers:\n  - {{name: a, measure: probe, of: desk, most: 1}}\n", where="card")


def test_a_whole_card_with_every_measure_has_its_defaults() -> None:
    page = Path(__file__).parents[2] / "docs" / "breakers.md"
    source = page.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    card = read_card(source)
    desk = types()["desk.tip"]
    declared = {name: desk.model_copy(update={"name": name}) for name in card.actions}
    rules = {block.name: rule_of(block, declared) for block in card.breakers}
    assert {rule.measure for rule in rules.values()} == set(Measure)
    assert rules["shop-down"].pause is ScopeKind.CONNECTOR
    assert (rules["shop-down"].recover, rules["too-quick"].recover) == (3, 0)
    assert rules["too-quick"].within == timedelta(minutes=1)
    assert rules["other-amounts"].least == 100
    assert rules["asks-too-much"].types == ("shop.note", "shop.refund")
    assert rules["money-in-an-hour"].wake == ("escalation",)


@pytest.mark.parametrize("model", [BreakerBlock, Fallback])
def test_every_field_is_described(model: type[BreakerBlock | Fallback]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "cards.md").read_text(encoding="utf-8")
    section = page.split("## Breakers")[1].split("## Versions")[0]
    assert all(f"`{name}`" in section for name in model.model_fields)
