"""The effect protocol: each effect once, whatever dies, hangs or does not answer, and its outcome in the ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from assent.domain.actions import ActionStatus
from assent.domain.effects import EffectStatus, Performed, ResourceChange
from assent.domain.runs import RunStatus
from assent.store.database import Database
from assent.store.tables import ActionRow, EffectRow, UsageRow
from assent_activities.connectors import ActionFailed, Call, ConnectorUnavailable
from assent_activities.dependencies import Leases
from assent_activities.retrying import MAX_ATTEMPTS
from tests.activities.stage import Died, Stage, die_after_effect, die_before_effect, tried_again, until_settled
from tests.desk import unreachable
from tests.world import action

NOTE = action("a", "desk.note", text="milk")
READ = action("a", "desk.read", text="milk")
TIP = action("a", "desk.tip", to="bob", amount=5)
LETTER = action("a", "desk.letter", text="Dear Bob")
KEY = "run-1:a"


def test_claim_effect_and_outcome_are_in_the_ledger(stage: Stage) -> None:
    outcome = stage.submit(NOTE)
    assert outcome.status is ActionStatus.DONE
    assert stage.events() == ["card.published", "run.started", "action.proposed", "effect.claimed", "effect.done"]
    assert stage.claim(KEY).status == EffectStatus.DONE
    assert (stage.run().actions, stage.run().last_step) == (1, "Write down milk: done")
    stage.check_chain()


def test_submitting_again_gives_the_outcome(stage: Stage) -> None:
    first = stage.submit(NOTE)
    again = stage.submit(NOTE)
    assert (again.status, again.result) == (first.status, first.result)
    assert stage.desk.done == [KEY]


def test_a_refusal_by_the_system_had_no_effect(stage: Stage) -> None:
    outcome = stage.submit(action("a", "desk.tip", to="nobody", amount=1))
    assert (outcome.status, outcome.message) == (ActionStatus.FAILED, "There is nobody of that name.")
    assert stage.find(UsageRow, (KEY, "amount")) is None
    assert stage.events(action_id=KEY)[-1] == "effect.failed"


def test_an_attempt_that_finds_a_live_lease_waits(stage: Stage) -> None:
    die_before_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(NOTE)
    assert "may still be at" in tried_again(lambda: stage.submit(NOTE))
    stage.clock.turn(seconds=14)
    assert "may still be at" in tried_again(lambda: stage.submit(NOTE))
    assert stage.desk.done == []
    stage.clock.turn(seconds=2)
    assert stage.submit(NOTE).status is ActionStatus.DONE
    assert stage.desk.done == [KEY]
    assert stage.events(action_id=KEY) == [
        "action.proposed",
        "effect.claimed",
        "effect.released",
        "effect.claimed",
        "effect.done",
    ]


def test_what_the_system_says_was_done_is_not_repeated(stage: Stage) -> None:
    die_after_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(TIP)
    stage.clock.turn(seconds=16)
    outcome = stage.submit(TIP)
    assert outcome.status is ActionStatus.DONE
    assert outcome.result == {"ok": True, "echo": {"to": "bob", "amount": 5}}
    assert stage.desk.done == [KEY]
    assert stage.row(UsageRow, (KEY, "amount")).amount == 5


@pytest.mark.parametrize("die", [die_before_effect, die_after_effect])
def test_what_nobody_can_know_is_left_to_a_person(stage: Stage, die: Callable[..., None]) -> None:
    stage.desk.knows = False
    die(stage.desk)
    with pytest.raises(Died):
        stage.submit(TIP)
    done = list(stage.desk.done)
    stage.clock.turn(seconds=16)
    outcome = stage.submit(TIP)
    assert outcome.status is ActionStatus.UNKNOWN
    assert "a person must find out" in outcome.message
    assert stage.desk.done == done
    assert stage.claim(KEY).status == EffectStatus.UNKNOWN
    assert stage.row(UsageRow, (KEY, "amount")).amount == 5
    assert stage.submit(TIP).status is ActionStatus.UNKNOWN


@pytest.mark.parametrize("die", [die_before_effect, die_after_effect])
def test_what_is_idempotent_is_repeated(stage: Stage, die: Callable[..., None]) -> None:
    stage.declare("desk.note", idempotent=True)
    stage.desk.knows = False
    die(stage.desk)
    with pytest.raises(Died):
        stage.submit(NOTE)
    done = len(stage.desk.done)
    assert until_settled(stage, lambda: stage.submit(NOTE)).status is ActionStatus.DONE
    assert len(stage.desk.done) == done + 1
    assert "effect.repeated" in stage.events(action_id=KEY)


def test_looking_something_up_is_repeated(stage: Stage) -> None:
    stage.desk.knows = False
    die_before_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(READ)
    assert until_settled(stage, lambda: stage.submit(READ)).status is ActionStatus.DONE


def test_a_repetition_that_never_works_is_left_to_a_person(stage: Stage) -> None:
    stage.declare("desk.note", idempotent=True)
    stage.desk.knows = False
    die_after_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(NOTE)
    stage.desk.trouble = unreachable(100)
    outcome = until_settled(stage, lambda: stage.submit(NOTE))
    assert outcome.status is ActionStatus.UNKNOWN
    assert stage.events(action_id=KEY).count("effect.repeated") == MAX_ATTEMPTS
    assert stage.desk.done == [KEY]


def test_a_claim_on_a_system_that_is_away_is_given_back_and_tried_again(stage: Stage) -> None:
    stage.desk.trouble = unreachable(1)
    assert "The desk is closed." in tried_again(lambda: stage.submit(TIP))
    assert stage.row(ActionRow, KEY).status == ActionStatus.CLEARED
    assert stage.find(EffectRow, KEY) is None
    assert stage.find(UsageRow, (KEY, "amount")) is None
    assert stage.submit(TIP).status is ActionStatus.DONE
    assert stage.run().actions == 1
    assert stage.desk.done == [KEY]


def test_a_system_that_stays_away_fails_the_action(stage: Stage) -> None:
    stage.desk.trouble = unreachable(100)
    outcome = until_settled(stage, lambda: stage.submit(TIP))
    assert outcome.status is ActionStatus.FAILED
    assert f"Tried {MAX_ATTEMPTS} times." in outcome.message
    assert stage.events(action_id=KEY).count("effect.claimed") == MAX_ATTEMPTS
    assert stage.events(action_id=KEY)[-1] == "effect.failed"
    assert stage.find(EffectRow, KEY) is None
    assert stage.find(UsageRow, (KEY, "amount")) is None
    stage.check_chain()


def test_a_pause_between_two_attempts_holds_the_second(stage: Stage) -> None:
    stage.desk.trouble = unreachable(1)
    tried_again(lambda: stage.submit(TIP))
    stage.pause()
    held = stage.submit(TIP)
    assert (held.status, held.held_by) == (ActionStatus.HELD, ["pause-1"])
    stage.resume()
    assert stage.submit(TIP).status is ActionStatus.DONE
    assert stage.run().actions == 1


def test_a_pause_holds_a_repetition_too(stage: Stage) -> None:
    stage.declare("desk.note", idempotent=True)
    stage.desk.knows = False
    die_before_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(NOTE)
    stage.pause()
    held = until_settled(stage, lambda: stage.submit(NOTE))
    assert (held.status, held.held_by) == (ActionStatus.HELD, ["pause-1"])
    assert stage.desk.done == []
    stage.resume()
    assert until_settled(stage, lambda: stage.submit(NOTE)).status is ActionStatus.DONE
    assert stage.desk.done == [KEY]


@pytest.mark.parametrize("moment", ["trouble", "after"])
@pytest.mark.parametrize("knows", [True, False])
def test_a_call_that_breaks_off_is_looked_up(stage: Stage, moment: str, knows: bool) -> None:
    def breaks(call: Call) -> None:
        setattr(stage.desk, moment, lambda call: None)
        raise RuntimeError("The line went dead.")

    stage.desk.knows = knows
    setattr(stage.desk, moment, breaks)
    outcome = until_settled(stage, lambda: stage.submit(NOTE))
    assert outcome.status is (ActionStatus.DONE if knows else ActionStatus.UNKNOWN)
    assert stage.desk.done == [KEY] if knows or moment == "after" else not stage.desk.done
    if not knows:
        assert "RuntimeError: The line went dead." in outcome.message


def test_a_lookup_that_breaks_off_cannot_say(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(call: Call) -> None:
        raise RuntimeError("What was the question?")

    monkeypatch.setattr(stage.registry["desk.note"], "lookup", breaks)
    die_after_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(NOTE)
    stage.clock.turn(seconds=16)
    assert stage.submit(NOTE).status is ActionStatus.UNKNOWN


def test_a_system_that_cannot_be_asked_is_asked_until_it_answers(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    away = unreachable(MAX_ATTEMPTS * 2)
    asked = stage.registry["desk.note"].lookup

    def lookup(call: Call) -> Performed | bool | None:
        away(call)
        return asked(call)

    monkeypatch.setattr(stage.registry["desk.note"], "lookup", lookup)
    die_after_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(NOTE)
    assert until_settled(stage, lambda: stage.submit(NOTE)).status is ActionStatus.DONE
    assert stage.desk.done == [KEY]


def test_waiting_for_a_lease_uses_up_no_attempt(stage: Stage) -> None:
    """Temporal counts every try; what counts here is how often the system was called."""
    die_before_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(NOTE)
    for _ in range(MAX_ATTEMPTS * 2):
        tried_again(lambda: stage.submit(NOTE))
    stage.clock.turn(seconds=16)
    stage.desk.trouble = unreachable(MAX_ATTEMPTS - 2)
    assert until_settled(stage, lambda: stage.submit(NOTE)).status is ActionStatus.DONE


class SlowHolder:
    """A first attempt that hangs in the system while its lease runs out."""

    def __init__(self, stage: Stage, moment: str = "after") -> None:
        self._stage = stage
        self._arrived, self._go_on = threading.Event(), threading.Event()
        self._then: Exception | None = None
        self._moment = moment
        setattr(stage.desk, moment, self._wait)
        self._executor = ThreadPoolExecutor(1)
        self._attempt = self._executor.submit(stage.submit, TIP)
        self._arrived.wait()
        stage.clock.turn(seconds=16)

    def _wait(self, call: Call) -> None:
        setattr(self._stage.desk, self._moment, lambda call: None)
        self._arrived.set()
        self._go_on.wait()
        if self._then is not None:
            raise self._then

    def goes_on(self, then: Exception | None = None) -> object:
        """Let it go on, and give what its activity gives or raises."""
        self._then = then
        self._go_on.set()
        error = self._attempt.exception()
        self._executor.shutdown()
        return error or self._attempt.result()


def test_an_outcome_that_comes_late_changes_nothing(stage: Stage) -> None:
    slow = SlowHolder(stage)
    assert stage.submit(TIP).status is ActionStatus.DONE
    finished = stage.claim(KEY).finished_at
    slow.goes_on()
    assert stage.claim(KEY).finished_at == finished
    assert stage.events(action_id=KEY)[-2:] == ["effect.done", "effect.late"]
    assert stage.desk.done == [KEY]
    stage.check_chain()


def test_an_outcome_that_comes_late_settles_what_was_unknown(stage: Stage) -> None:
    slow = SlowHolder(stage)
    stage.desk.knows = False
    assert stage.submit(TIP).status is ActionStatus.UNKNOWN
    slow.goes_on()
    assert stage.submit(TIP).status is ActionStatus.DONE
    assert stage.claim(KEY).status == EffectStatus.DONE
    assert stage.events(action_id=KEY)[-2:] == ["effect.unknown", "effect.done"]


def test_a_refusal_that_comes_late_settles_what_was_unknown(stage: Stage) -> None:
    slow = SlowHolder(stage, "trouble")
    stage.desk.knows = False
    assert stage.submit(TIP).status is ActionStatus.UNKNOWN
    slow.goes_on(ActionFailed("Bob takes no tips."))
    assert stage.submit(TIP).message == "Bob takes no tips."
    assert stage.find(UsageRow, (KEY, "amount")) is None


@pytest.mark.parametrize("error", [ConnectorUnavailable("The line was dead."), RuntimeError("Broken.")])
def test_a_failure_that_comes_late_changes_nothing(stage: Stage, error: Exception) -> None:
    """Not even if the first holder had used up all its attempts."""
    stage.desk.trouble = unreachable(MAX_ATTEMPTS - 1)
    for _ in range(MAX_ATTEMPTS - 1):
        tried_again(lambda: stage.submit(TIP))
    slow = SlowHolder(stage)
    assert stage.submit(TIP).status is ActionStatus.DONE
    slow.goes_on(error)
    assert stage.submit(TIP).status is ActionStatus.DONE
    assert "effect.failed" not in stage.events(action_id=KEY)
    assert stage.row(UsageRow, (KEY, "amount")).amount == 5


def test_a_long_effect_keeps_its_lease(database: Database) -> None:
    stage = Stage(database, leases=Leases(long=timedelta(seconds=0.15)))
    seen: set[datetime] = set()

    def watch(call: Call) -> None:
        while len(seen) < 3:
            stage.clock.turn(seconds=1)
            seen.add(stage.claim(KEY).lease_until)

    stage.desk.after = watch
    cleared = stage.submit(LETTER)
    assert cleared.status is ActionStatus.CLEARED
    assert stage.execute(LETTER).status is ActionStatus.DONE
    assert stage.claim(KEY).attempts == 1
    assert stage.run().status == RunStatus.RUNNING


def test_a_repeated_long_effect_keeps_its_lease(database: Database) -> None:
    stage = Stage(database, leases=Leases(long=timedelta(seconds=0.15)))
    stage.declare("desk.letter", idempotent=True)
    stage.desk.knows = False
    stage.submit(LETTER)
    die_after_effect(stage.desk)
    with pytest.raises(Died):
        stage.execute(LETTER)
    stage.clock.turn(seconds=1)
    seen: set[datetime] = set()

    def watch(call: Call) -> None:
        while len(seen) < 3:
            stage.clock.turn(seconds=1)
            seen.add(stage.claim(KEY).lease_until)

    stage.desk.after = watch
    assert stage.execute(LETTER).status is ActionStatus.DONE


_BAD = {
    "not a number": float("nan"),
    "a time": datetime(2030, 1, 1, tzinfo=UTC),
    "bytes": b"\xff",
    "half a character": "\ud800",
    "nul": "a\x00b",
    "huge": 2**70,
}


@pytest.mark.parametrize("where", ["result", "changes", "undo_data"])
@pytest.mark.parametrize("what", list(_BAD))
def test_what_a_system_answers_never_hides_that_it_was_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, where: str, what: str
) -> None:
    def perform(call: Call) -> Performed:
        stage.desk.done.append(call.key)
        bad = {"of": _BAD[what]}
        answer: dict[str, object] = {where: [ResourceChange(resource="r", after=bad)] if where == "changes" else bad}
        return Performed.model_construct(**({"result": None, "changes": [], "undo_data": None} | answer))  # type: ignore[arg-type]

    monkeypatch.setattr(stage.registry["desk.note"], "perform", perform)
    outcome = until_settled(stage, lambda: stage.submit(NOTE))
    assert outcome.status is ActionStatus.DONE
    assert outcome.model_dump_json()
    assert stage.desk.done == [KEY]
    assert stage.submit(NOTE).status is ActionStatus.DONE
    stage.check_chain()


@pytest.mark.parametrize("text", ["a\x00b", "half \ud800 a character", "\u202egnp.exe", "x" * 100_000])
def test_hostile_words_are_kept_and_stop_nothing(stage: Stage, text: str) -> None:
    def fails(call: Call) -> None:
        raise ActionFailed(text)

    stage.desk.trouble = fails
    assert stage.submit(NOTE).status is ActionStatus.FAILED
    stage.check_chain()
