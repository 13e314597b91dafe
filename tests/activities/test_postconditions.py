"""After an undo that reported success the records are looked at: what is held against it depends on what it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from assent.domain.canonical import Json
from assent.domain.catalogue import UndoDeclaration
from assent.domain.effects import EffectStatus, Performed, ResourceChange
from assent.domain.undo_kinds import CounterMessage, UndoKind
from assent.store.scoped_effects import Effect
from assent_activities.connectors import Call, UndoConflict
from assent_activities.rollback_preview import still_as_left
from tests.desk import Desk, DeskOperation

CREDIT = "desk/credit/W1"
BOOKS = "desk/books"
EFFECT = Effect(
    action_id="run-1:a",
    run_id="run-1",
    agent="desk-clerk",
    type="desk.tip",
    sentence="Tip bob",
    arguments={"to": "bob", "amount": 5},
    status=EffectStatus.DONE,
    finished_at=datetime(2030, 1, 1, tzinfo=UTC),
    changes=[ResourceChange(resource=CREDIT, before=None, after={"amount": 5})],
    undo_data={},
    undone=None,
)


class Counter(DeskOperation):
    """Its records are as the test says."""

    def __init__(self, kind: UndoKind, **now: Json) -> None:
        message = CounterMessage(subject="Sorry", text="Sorry.") if kind is UndoKind.COUNTER_MESSAGE else None
        undo = UndoDeclaration(sentence="Take it back", kind=kind, message=message)
        super().__init__(Desk(), "tip", "Tip {to}", {"type": "object"}, undo=undo)
        self.now: dict[str, Json] = {CREDIT: {"amount": 5}, BOOKS: 0, **now}

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        return [ResourceChange(resource=name, before=content) for name, content in self.now.items()]


def says(*changes: ResourceChange) -> Performed:
    return Performed(changes=list(changes))


BOOKED = ResourceChange(resource=BOOKS, before=0, after=-5)


@pytest.mark.parametrize("kind", [UndoKind.INVERSE, UndoKind.COUNTER_MESSAGE])
def test_what_balances_an_effect_may_leave_its_record_as_it_is(kind: UndoKind) -> None:
    honest = Counter(kind, **{BOOKS: -5})
    assert still_as_left(honest, EFFECT, says(BOOKED)) == ""
    # Sent again after its worker died, it has nothing to change any more, and says so.
    assert still_as_left(honest, EFFECT, says()) == ""
    same = ResourceChange(resource=CREDIT, before={"amount": 0}, after={"amount": 5})
    assert still_as_left(honest, EFFECT, says(same)) == ""


@pytest.mark.parametrize("kind", [UndoKind.INVERSE, UndoKind.COUNTER_MESSAGE])
def test_what_balances_an_effect_is_held_to_what_it_says(kind: UndoKind) -> None:
    liar = Counter(kind)
    assert still_as_left(liar, EFFECT, says(BOOKED)) == f"{BOOKS} still is as it was before"
    gone = ResourceChange(resource=CREDIT, before={"amount": 5}, after=None)
    assert still_as_left(liar, EFFECT, says(gone)) == f"{CREDIT} still is as it was before"


def test_another_operation_that_says_nothing_is_held_to_the_records_that_were_changed() -> None:
    changed = ResourceChange(resource=CREDIT, before={"amount": 0}, after={"amount": 5})
    effect = replace(EFFECT, changes=[changed])
    still = f"{CREDIT} still is as the action left it"
    assert still_as_left(Counter(UndoKind.INVERSE), effect, says()) == still
    assert still_as_left(Counter(UndoKind.INVERSE, **{CREDIT: {"amount": 0}}), effect, says()) == ""
    assert still_as_left(Counter(UndoKind.COUNTER_MESSAGE), effect, says()) == ""


@pytest.mark.parametrize("kind", [UndoKind.BEFORE_IMAGE, UndoKind.REVOKE])
def test_what_puts_a_record_back_must_not_leave_it_as_the_effect_did(kind: UndoKind) -> None:
    gone = ResourceChange(resource=CREDIT, before={"amount": 5}, after=None)
    assert still_as_left(Counter(kind), EFFECT, says(gone)) == f"{CREDIT} still is as the action left it"
    assert still_as_left(Counter(kind, **{CREDIT: None}), EFFECT, says(gone)) == ""


def test_a_record_that_cannot_be_read_again_says_nothing() -> None:
    class Gone(Counter):
        def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
            raise UndoConflict("It is not as the action left it.")

    assert still_as_left(Gone(UndoKind.BEFORE_IMAGE), EFFECT, says()) == ""
