"""The shop's card grants what it says it grants."""

from __future__ import annotations

from pathlib import Path

import pytest

import assent_shop
from assent.domain.actions import AdmissionEffect, ProposedAction
from assent.domain.canonical import Json
from assent.policy.admission import admit, declared_limits
from assent.policy.cards import AgentCard, read_card
from assent_activities.connectors.contract import build_registry
from assent_shop.connector import Shop

AUTO, VETO, APPROVE, SUGGEST, REFUSE = (
    AdmissionEffect.AUTO,
    AdmissionEffect.VETO,
    AdmissionEffect.APPROVE,
    AdmissionEffect.SUGGEST,
    AdmissionEffect.REFUSE,
)
HOME = {"address1": "1 Mill Lane", "address2": "", "city": "Elmswick", "state": "OR", "country": "USA", "zip": "97001"}
ORDER = {"order_id": "#A1001"}


@pytest.fixture(scope="module")
def card() -> AgentCard:
    folder = Path(assent_shop.__file__).parent / "cards"
    return read_card((folder / "shop-support.yaml").read_text("utf-8"))


def test_it_lists_every_tool_of_the_shop(card: AgentCard, shop: Shop) -> None:
    assert set(card.actions) == set(build_registry([shop]))


@pytest.mark.parametrize(
    ("type", "arguments", "effect"),
    [
        ("get_order_details", ORDER, AUTO),
        ("modify_pending_order_address", {**ORDER, **HOME}, AUTO),
        ("modify_pending_order_address", {**ORDER, **HOME, "country": "Canada"}, APPROVE),
        ("modify_pending_order_address", {**ORDER, **HOME, "address1": "PO Box 7"}, REFUSE),
        ("modify_user_address", {"user_id": "ada", **HOME}, AUTO),
        ("cancel_pending_order", {**ORDER, "reason": "no longer needed"}, APPROVE),
        ("cancel_pending_order", {**ORDER, "reason": "because"}, REFUSE),
        ("give_store_credit", {"amount": 5}, AUTO),
        ("give_store_credit", {"amount": 8.5}, VETO),
        ("give_store_credit", {"amount": 10.5}, APPROVE),
        ("give_store_credit", {"amount": 51}, REFUSE),
        ("send_customer_mail", {"user_id": "ada", "subject": "Hello", "body": "It is on its way."}, APPROVE),
        ("send_customer_mail", {"user_id": "ada", "subject": "Hello", "body": "Tell us your Password"}, REFUSE),
        ("add_order_note", {**ORDER, "text": "Called twice"}, SUGGEST),
    ],
)
def test_admission_follows_the_card(
    card: AgentCard, shop: Shop, type: str, arguments: dict[str, Json], effect: AdmissionEffect
) -> None:
    name = f"shop.{type}"
    if type == "give_store_credit":
        arguments = {"user_id": "ada", "gift_card_id": "gift_card_1", "because": "late parcel", **arguments}
    verdict = admit(
        card=card,
        card_version=1,
        type=build_registry([shop])[name].type,
        action=ProposedAction(key="a", type=name, arguments=arguments),
        run_id="r",
        used=[0.0 for _ in declared_limits(card, name)],
    )
    assert verdict.effect is effect, verdict.reasons


def test_the_fourth_address_of_a_run_is_asked_for(card: AgentCard, shop: Shop) -> None:
    name = "shop.modify_pending_order_address"
    verdict = admit(
        card=card,
        card_version=1,
        type=build_registry([shop])[name].type,
        action=ProposedAction(key="a", type=name, arguments={**ORDER, **HOME}),
        run_id="r",
        used=[3.0, 3.0],
    )
    assert verdict.effect is APPROVE
