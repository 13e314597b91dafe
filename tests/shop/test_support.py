"""The scripted agent answers believable letters, and takes no for an answer."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from assent_shop.connector import Shop
from assent_shop.stock import sample_shop
from assent_shop.support import Letter, LetterWriter, Subject, handle
from assent_shop.support.letters import AUTOMATIC
from assent_shop.support.reading import Wish, read
from tests.shop.fake_run import FakeOutcome, FakeRun

STOCK = sample_shop()
MEANT = {
    Subject.CANCEL: Wish.CANCEL,
    Subject.ADDRESS: Wish.MOVE_ORDER,
    Subject.MOVED: Wish.MOVED,
    Subject.SWAP: Wish.SWAP,
    Subject.RETURN: Wish.RETURN,
    Subject.PAYMENT: Wish.PAY,
    Subject.LATE: Wish.LATE,
    Subject.ANGRY: Wish.MONEY,
    Subject.WHERE: Wish.WHERE,
    Subject.STOCK: Wish.STOCK,
    Subject.NOTE: Wish.NOTE,
}


@pytest.mark.parametrize("subject", Subject)
def test_every_letter_is_understood(subject: Subject) -> None:
    writer = LetterWriter(STOCK, random.Random(7))
    for _ in range(40):
        letter = writer.write(subject)
        reading = read(letter.text)
        assert reading.wish is MEANT[subject], letter.text
        if subject in (Subject.ADDRESS, Subject.MOVED):
            assert reading.address, letter.text


@pytest.mark.parametrize("subject", Subject)
def test_every_letter_gets_an_answer_and_nothing_fails(shop: Shop, subject: Subject) -> None:
    writer = LetterWriter(STOCK, random.Random(3))
    kinds: Counter[str] = Counter()
    for number in range(12):
        letter = writer.write(subject)
        run = FakeRun(f"{subject.name}-{number}", shop)
        summary = handle(run, letter)
        assert run.summary == summary
        assert not any(outcome.type == "shop.transfer_to_human_agents" for outcome in run.outcomes), summary
        assert all(outcome.reason for outcome in run.outcomes)
        failed = [outcome for outcome in run.outcomes if outcome.status == "failed"]
        assert not [outcome for outcome in failed if "gift card" not in outcome.message], (letter.text, failed)
        kinds.update(outcome.type for outcome in run.outcomes if "get_" not in outcome.type)
    assert len(kinds) >= 2


@pytest.mark.parametrize("subject", AUTOMATIC)
def test_automatic_subjects_ask_nobody(shop: Shop, subject: Subject) -> None:
    def person(outcome: FakeOutcome) -> str:
        raise AssertionError(f"{outcome.type} asked a person")

    writer = LetterWriter(STOCK, random.Random(5))
    for number in range(10):
        handle(FakeRun(f"auto-{number}", shop, person), writer.write(subject))


def _rejected(shop: Shop, subject: Subject, seed: int = 1, reason: str = "Not this time.") -> FakeRun:
    run = FakeRun("r", shop, lambda outcome: reason)
    handle(run, LetterWriter(STOCK, random.Random(seed)).write(subject))
    return run


def test_a_rejected_cancellation_becomes_a_suggestion_to_call(shop: Shop) -> None:
    run = _rejected(shop, Subject.CANCEL)
    assert [outcome.status for outcome in run.outcomes[-2:]] == ["rejected", "suggested"]
    assert "Not this time" in run.outcomes[-1].arguments["text"]


def test_a_demand_that_the_card_refuses_becomes_a_small_apology(shop: Shop) -> None:
    runs = [_rejected(shop, Subject.ANGRY, seed) for seed in range(8)]
    ends = {tuple((outcome.status, outcome.arguments.get("amount")) for outcome in run.outcomes[-2:]) for run in runs}
    assert ends == {
        (("refused", 80.0), ("done", 5.0)),
        (("rejected", 40.0), ("done", 5.0)),
        (("rejected", 25.0), ("done", 5.0)),
    }


def test_a_rejected_exchange_becomes_a_return(shop: Shop) -> None:
    runs = [_rejected(shop, Subject.SWAP, seed) for seed in range(12)]
    tools = [[outcome.type for outcome in run.outcomes if outcome.status == "rejected"] for run in runs]
    assert ["shop.exchange_delivered_order_items", "shop.return_delivered_order_items"] in tools


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": "Blue is a nice colour."}, "do not understand"),
        ({"text": "Please cancel my order."}, "names no order"),
        ({"text": "Please cancel order #A9999."}, "Order not found"),
        ({"sender": "nobody@example.com", "name": "No Body"}, "who No Body is"),
    ],
)
def test_what_the_agent_cannot_settle_goes_to_a_colleague(shop: Shop, change: dict[str, str], words: str) -> None:
    user = next(iter(STOCK["users"].values()))
    letter = {"sender": user["email"], "name": "Who Ever", "zip": "00000", "subject": "Hello", "text": "", **change}
    run = FakeRun("r", shop)
    assert words in handle(run, Letter(**letter))
    assert run.outcomes[-1].type == "shop.transfer_to_human_agents"


def test_nobody_gets_anything_done_about_the_orders_of_others(shop: Shop) -> None:
    order = next(iter(STOCK["orders"].values()))
    other = next(user for user in STOCK["users"].values() if user["user_id"] != order["user_id"])
    letter = Letter(other["email"], "x", "0", "Cancel", f"Please cancel {order['order_id']}, a mistake.")
    run = FakeRun("r", shop)
    assert "belongs to another customer" in handle(run, letter)
    assert not any("cancel" in outcome.type for outcome in run.outcomes)


def test_a_sender_without_a_known_address_is_found_by_name(shop: Shop) -> None:
    user = next(user for user in STOCK["users"].values() if user["orders"])
    name = f"{user['name']['first_name']} {user['name']['last_name']}"
    letter = Letter("other@example.com", name, user["address"]["zip"], "?", f"Where is {user['orders'][0]}?")
    run = FakeRun("r", shop)
    handle(run, letter)
    assert run.outcomes[1].result == user["user_id"]
