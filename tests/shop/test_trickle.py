"""Letters come at a pace, and never more than people can keep up with."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

from assent_shop.connector import Shop
from assent_shop.stock import sample_shop
from assent_shop.support import Letter, LetterWriter, Subject, handle
from assent_shop.support.letters import AUTOMATIC
from assent_shop.trickle import FIRST, Pace, Trickle
from tests.shop.fake_run import FakeRun

FAST = Pace(seconds=0.001, burst_seconds=0.001)


def _trickle(answered: list[Letter], waiting: int, seed: int = 1) -> Trickle:
    chance = random.Random(seed)
    return Trickle(LetterWriter(sample_shop(), chance), chance, answered.append, waiting=lambda: waiting, pace=FAST)


def _settle(answered: list[Letter], letters: int) -> None:
    deadline = time.monotonic() + 10
    while len(answered) < letters and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(answered) == letters


def test_the_page_is_alive_at_once_with_every_tier() -> None:
    answered: list[Letter] = []
    _trickle(answered, 0).run(threading.Event(), letters=len(FIRST))
    _settle(answered, len(FIRST))
    assert Counter(letter.subject for letter in answered) == Counter(subject.value for subject in FIRST)


def test_while_many_wait_only_letters_come_that_need_nobody() -> None:
    answered: list[Letter] = []
    _trickle(answered, 12).run(threading.Event(), letters=40)
    _settle(answered, 40)
    assert {letter.subject for letter in answered} == {subject.value for subject in AUTOMATIC}


def test_it_ends_when_told() -> None:
    stop = threading.Event()
    trickle = Trickle(
        LetterWriter(sample_shop(), random.Random(1)),
        random.Random(1),
        lambda letter: stop.set(),
        waiting=lambda: 0,
        pace=Pace(),
    )
    thread = threading.Thread(target=trickle.run, args=(stop,))
    thread.start()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_case_that_breaks_off_does_not_stop_the_others(shop: Shop) -> None:
    summaries: list[str] = []

    def answer(letter: Letter) -> None:
        if letter.subject == Subject.CANCEL.value:
            raise RuntimeError("boom")
        summaries.append(handle(FakeRun(letter.text, shop), letter))

    chance = random.Random(2)
    trickle = Trickle(LetterWriter(sample_shop(), chance), chance, answer, waiting=lambda: 0, pace=FAST)
    trickle.run(threading.Event(), letters=len(FIRST))
    deadline = time.monotonic() + 10
    while len(summaries) < len(FIRST) - 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(summaries) == len(FIRST) - 1
