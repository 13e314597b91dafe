"""Scopes of pauses beyond agent and run, dispositions, and letting go step by step: with a real Temporal server."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import update
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import Verb
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.pause_hooks import terms_of
from assent.domain.pauses import Disposition, PausePhase, ResumeAnswers, ResumeState, Scope, ScopeKind
from assent.domain.people import SYSTEM, Actor, Role, Via
from assent.domain.rollbacks import RollbackStatus
from assent.domain.runs import RunStatus
from assent.domain.signed_calls import SignedCall, signature
from assent.gateway import Gateway
from assent.store import pauses as stored
from assent.store.queries import pauses, stopping
from assent.store.sealing import Sealer
from assent.store.tables import ApprovalRow, PauseClaimRow, PauseRow, PersonRow
from assent.store.webhooks import SEALED_FOR
from assent_activities.connectors import Call
from tests.desk import CARD
from tests.world import AGENT, ANN, ANSWERS, EVE, World, action

BEN = Actor(id="ben", name="Ben Second", via=Via.WEB)
CLEO = Actor(id="cleo", name="Cleo Third", via=Via.WEB)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
NOTES = Scope(kind=ScopeKind.TYPE, name="desk.note")
EVERYTHING = Scope(kind=ScopeKind.EVERYTHING)


async def note(world: World, run_id: str, key: str) -> ActionOutcome:
    return await world.gateway.propose(run_id, action(key, "desk.note", text=key), by=AGENT)


async def tip(world: World, run_id: str, key: str, to: str = "bob") -> ActionOutcome:
    return await world.gateway.propose(run_id, action(key, "desk.tip", to=to, amount=1), by=AGENT)


def phase(world: World, pause_id: str) -> str:
    return world.row(PauseRow, pause_id).phase


@pytest.mark.parametrize(
    ("scope", "held", "free"),
    [
        (NOTES, "note", "tip"),
        (Scope(kind=ScopeKind.RECORD, name="desk/bob"), "tip", "note"),
        (Scope(kind=ScopeKind.RECORD, name="desk/notes"), "note", "tip"),
    ],
)
async def test_a_pause_of_a_type_or_a_record_holds_it_alone(world: World, scope: Scope, held: str, free: str) -> None:
    run_id = await world.start(open=True)
    does = {"note": note, "tip": tip}
    pause_id = await world.gateway.pause(scope, by=ANN)
    first = await does[held](world, run_id, "a")
    assert (first.status, first.held_by) == (ActionStatus.HELD, [pause_id])
    assert (await does[free](world, run_id, "b")).status is ActionStatus.DONE
    assert world.desk.done == [f"{run_id}:b"]
    assert await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS) is ResumeState.ENDED
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE


async def test_a_pause_of_a_record_holds_no_other_record(world: World) -> None:
    run_id = await world.start(open=True)
    await world.gateway.pause(Scope(kind=ScopeKind.RECORD, name="desk/bob"), by=ANN)
    assert (await tip(world, run_id, "a", "carl")).status is ActionStatus.DONE
    assert (await tip(world, run_id, "b", "bob")).status is ActionStatus.HELD


async def test_an_approved_payment_to_a_paused_record_waits(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.RECORD, name="desk/bob"), by=ANN)
    await world.decide(waiting, Verb.APPROVE)
    await world.outcome(run_id, "a", ActionStatus.HELD)
    with world.database.read() as session:
        [run] = stopping.held_runs(session, pause_id).items
    [held] = run.actions
    assert (held.pauses, held.approved, held.approval_id) == ((pause_id,), True, waiting.approval_id)
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED


async def test_a_pause_of_a_label_holds_the_runs_that_carry_it(world: World) -> None:
    labelled = await world.start(open=True, labels=["night shift", " vip ", "vip"])
    plain = await world.start(open=True)
    for run_id in (labelled, plain):
        await note(world, run_id, "before")
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.LABEL, name="vip"), by=ANN)
    assert (await note(world, labelled, "a")).held_by == [pause_id]
    assert (await note(world, plain, "a")).status is ActionStatus.DONE
    await world.eventually(lambda: world.row(PauseRow, pause_id).known_at)
    assert world.row(PauseRow, pause_id).affected == 1


async def test_a_pause_of_a_version_lets_the_next_one_work(world: World) -> None:
    run_id = await world.start(open=True)
    await world.gateway.pause(Scope(kind=ScopeKind.VERSION, name="desk-clerk@1"), by=ANN)
    assert (await note(world, run_id, "a")).status is ActionStatus.HELD
    world.publish(CARD.replace("Keeps notes", "Keeps all notes"))
    assert (await note(world, run_id, "b")).status is ActionStatus.DONE
    with pytest.raises(NotFound, match="no version 7"):
        await world.gateway.pause(Scope(kind=ScopeKind.VERSION, name="desk-clerk@7"), by=ANN)


async def test_a_pause_of_a_connector_holds_its_types(world: World) -> None:
    run_id = await world.start(open=True)
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.CONNECTOR, name="desk"), by=ANN)
    assert (await note(world, run_id, "a")).held_by == [pause_id]


@pytest.mark.parametrize(
    ("scope", "error"),
    [
        (Scope(kind=ScopeKind.TYPE, name="desk.fly"), NotFound),
        (Scope(kind=ScopeKind.CONNECTOR, name="shop"), NotFound),
        (Scope(kind=ScopeKind.VERSION, name="desk-clerk"), InvalidInput),
        (Scope(kind=ScopeKind.VERSION, name="nobody@1"), NotFound),
        (Scope(kind=ScopeKind.EVERYTHING, name="x"), InvalidInput),
        (Scope(kind=ScopeKind.LABEL, name=" "), InvalidInput),
        (Scope(kind=ScopeKind.AGENT), InvalidInput),
    ],
)
async def test_what_is_not_there_cannot_be_paused(world: World, scope: Scope, error: type[Exception]) -> None:
    with pytest.raises(error):
        await world.gateway.pause(scope, by=ANN)
    with world.database.read() as session:
        assert pauses.active(session) == ()


async def test_a_drain_lets_finish_what_was_approved_before_it(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    freeze = await world.gateway.pause(EVERYTHING, by=ANN)
    decision = await world.decide(waiting, Verb.APPROVE)
    await world.outcome(run_id, "a", ActionStatus.HELD)
    drain = await world.gateway.pause(EVERYTHING, by=ANN, disposition=Disposition.DRAIN)
    assert decision.at < world.row(PauseRow, drain).requested_at
    await world.gateway.resume(freeze, by=ANN, answers=ANSWERS, at_once=True)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    other = await world.start(open=True)
    assert (await note(world, other, "new")).held_by == [drain]


async def test_a_freeze_that_becomes_a_drain_lets_go_what_was_cleared(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    first = await world.gateway.pause(EVERYTHING, by=ANN)
    await world.decide(waiting, Verb.APPROVE)
    await world.outcome(run_id, "a", ActionStatus.HELD)
    second = await world.gateway.pause(Scope(kind=ScopeKind.AGENT, name="desk-clerk"), by=ANN)
    await world.gateway.resume(first, by=ANN, answers=ANSWERS, at_once=True)
    await asyncio.sleep(0.2)
    assert (await world.outcome(run_id, "a", ActionStatus.HELD)).status is ActionStatus.HELD
    assert await world.gateway.change_disposition(second, Disposition.DRAIN, by=ANN)
    assert not await world.gateway.change_disposition(second, Disposition.DRAIN, by=ANN)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    assert "pause.changed" in world.events(agent="desk-clerk")


async def test_compensating_rolls_back_open_runs_once_nothing_is_under_way(world: World) -> None:
    ended = await world.start(action("a", "desk.note", text="x"))
    await world.result(ended)
    touched, idle = await world.start(open=True), await world.start(open=True)
    await tip(world, touched, "a")
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN, disposition=Disposition.COMPENSATE, cause="A flood.")

    def done() -> bool:
        with world.database.read() as session:
            found = stopping.rollbacks(session, pause_id).items
        return [(each.run_id, each.status) for each in found] == [(touched, RollbackStatus.DONE)]

    await world.eventually(done)
    assert [key.partition("#")[0] for key in world.desk.undone] == [f"{touched}:a"]
    assert (await world.result(touched)).status is RunStatus.STOPPED
    assert world.row(PauseRow, pause_id).compensated_at is not None
    with pytest.raises(Conflict, match="rolling its runs back"):
        await world.gateway.change_disposition(pause_id, Disposition.FREEZE, by=ANN)
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS)
    assert (await note(world, idle, "a")).status is ActionStatus.DONE


async def test_what_compensates_is_counted_together(world: World) -> None:
    """One rollback for each run does not get around what a card lets be undone without approval."""
    world.publish(CARD + "rollback: {effects: 1}\n")
    runs = [await world.start(open=True) for _ in range(2)]
    for run_id in runs:
        await tip(world, run_id, "a")
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN, disposition=Disposition.COMPENSATE, cause="A flood.")

    def awaiting() -> bool:
        with world.database.read() as session:
            found = stopping.rollbacks(session, pause_id).items
        return [each.status for each in found] == [RollbackStatus.AWAITING] * 2

    await world.eventually(awaiting)
    assert world.desk.undone == []


async def _held(world: World, number: int) -> tuple[str, list[str]]:
    """So many open runs with a held note each, in the order in which they were held."""
    runs = [await world.start(open=True) for _ in range(number)]
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN)
    for run_id in runs:
        assert (await note(world, run_id, "held")).status is ActionStatus.HELD
    return pause_id, runs


async def test_runs_are_let_go_one_then_a_few_then_all(world: World) -> None:
    pause_id, runs = await _held(world, 8)
    answers = ResumeAnswers(cause="A typo.", changed="The typo.", checks=["The notes are legible."])
    assert await world.gateway.resume(pause_id, by=ANN, answers=answers) is ResumeState.RELEASING
    for run_id in runs:
        assert (await world.outcome(run_id, "held")).status is ActionStatus.DONE
    assert world.desk.done[0] == f"{runs[0]}:held"
    assert set(world.desk.done[1:6]) == {f"{run_id}:held" for run_id in runs[1:6]}
    await world.eventually(lambda: phase(world, pause_id) == PausePhase.ENDED)
    row = world.row(PauseRow, pause_id)
    assert row.answers == answers.model_dump(mode="json")
    assert row.resume_note == "A typo. The typo. Checked: The notes are legible."
    assert [kind for kind in world.events() if kind in ("pause.releasing", "pause.released", "pause.resumed")] == [
        "pause.releasing",
        "pause.released",
        "pause.released",
        "pause.resumed",
    ]


async def test_while_runs_are_let_go_others_are_held_and_it_can_be_taken_back(world: World) -> None:
    pause_id, runs = await _held(world, 3)
    started, go_on = threading.Event(), threading.Event()

    def trouble(call: Call) -> None:
        started.set()
        go_on.wait()

    world.desk.trouble = trouble
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS)
    await asyncio.to_thread(started.wait)
    assert (await note(world, runs[1], "more")).held_by == [pause_id]
    with pytest.raises(Conflict, match="letting its runs go"):
        await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS)
    with world.database.write() as session:
        assert stored.fall_back(session, pause_id, "The error rate is 60 %.", datetime.now(UTC))
    go_on.set()
    assert (await world.outcome(runs[0], "held")).status is ActionStatus.DONE
    assert (await note(world, runs[0], "again")).held_by == [pause_id]
    row = world.row(PauseRow, pause_id)
    assert (row.phase, row.fell_back_why) == (PausePhase.HOLDING, "The error rate is 60 %.")
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS)
    for run_id, key in [(runs[0], "again"), (runs[1], "held"), (runs[1], "more"), (runs[2], "held")]:
        assert (await world.outcome(run_id, key)).status is ActionStatus.DONE


async def test_a_pause_that_lets_go_can_be_ended_at_once(world: World) -> None:
    pause_id, runs = await _held(world, 3)
    away = Gateway(None, world.database)
    assert await away.resume(pause_id, by=ANN, answers=ANSWERS) is ResumeState.RELEASING
    assert await away.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True) is ResumeState.ENDED
    for run_id in runs:
        assert (await world.outcome(run_id, "held")).status is ActionStatus.DONE


async def test_where_the_card_says_so_a_second_person_must_agree(world: World) -> None:
    world.publish(f"{CARD}\nstopping: {{second: true, resume: [operator], ramp: 2s}}\n")
    with world.database.write() as session:
        session.add(
            PersonRow(
                id=BEN.id, email="ben@example.com", name=BEN.name, roles=[Role.OPERATOR], created_at=datetime.now(UTC)
            )
        )
    run_id = await world.start(open=True)
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN)
    assert (await note(world, run_id, "a")).status is ActionStatus.HELD
    with pytest.raises(Conflict, match="waits for no second person"):
        await world.gateway.second_resume(pause_id, by=BEN)
    assert await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS) is ResumeState.SECOND_WANTED
    assert (await note(world, run_id, "b")).held_by == [pause_id]
    with pytest.raises(Forbidden, match="a second person must agree"):
        await world.gateway.second_resume(pause_id, by=ANN.model_copy(update={"via": Via.SLACK}))
    with pytest.raises(Forbidden):
        await world.gateway.second_resume(pause_id, by=EVE)
    assert await world.gateway.second_resume(pause_id, by=BEN) is ResumeState.ENDED
    for key in ("a", "b"):
        assert (await world.outcome(run_id, key)).status is ActionStatus.DONE
    with world.database.read() as session:
        view = pauses.one(session, pause_id)
    assert (view.resumed_by, view.second_by) == (ANN, BEN)


async def test_nobody_gets_around_the_second_person(world: World) -> None:
    world.publish(f"{CARD}\nstopping: {{second: true}}\n")
    with world.database.write() as session:
        for person in (BEN, CLEO):
            address = f"{person.id}@example.com"
            row = PersonRow(id=person.id, email=address, name=person.name, roles=[Role.OPERATOR], created_at=NOON)
            session.add(row)
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN)
    await world.decide(waiting, Verb.APPROVE)
    await world.outcome(run_id, "a", ActionStatus.HELD)
    with pytest.raises(Forbidden, match="drain alone"):
        await world.gateway.change_disposition(pause_id, Disposition.DRAIN, by=ANN)
    assert await world.gateway.resume(pause_id, by=BEN, answers=ANSWERS) is ResumeState.SECOND_WANTED
    with world.database.write() as session:
        session.execute(update(PersonRow).where(col(PersonRow.id) == BEN.id).values(disabled=True))
    with pytest.raises(Forbidden, match="Ben Second asked for this resume, and may not"):
        await world.gateway.second_resume(pause_id, by=ANN)
    assert world.desk.done == []
    assert await world.gateway.resume(pause_id, by=CLEO, answers=ANSWERS) is ResumeState.SECOND_WANTED
    seen = world.row(PauseRow, pause_id).resume_asked_at
    await world.gateway.resume(pause_id, by=CLEO, answers=ANSWERS, at_once=True)
    with pytest.raises(Conflict, match="asked for anew"):
        await world.gateway.second_resume(pause_id, by=ANN, asked_at=seen)
    with world.database.read() as session:
        shown = pauses.one(session, pause_id)
    assert shown.answers is not None
    assert shown.answers.at_once
    assert await world.gateway.second_resume(pause_id, by=ANN, asked_at=shown.resume_asked_at) is ResumeState.ENDED
    assert (await world.result(run_id)).status is RunStatus.COMPLETED


async def test_nobody_hurries_alone_what_two_agreed_to_let_go_step_by_step(world: World) -> None:
    world.publish(f"{CARD}\nstopping: {{second: true, ramp: 1h}}\n")
    with world.database.write() as session:
        for person in (BEN, CLEO):
            address = f"{person.id}@example.com"
            row = PersonRow(id=person.id, email=address, name=person.name, roles=[Role.OPERATOR], created_at=NOON)
            session.add(row)
    # What was let go never ends, so that the first step lasts.
    go_on = threading.Event()

    def trouble(call: Call) -> None:
        go_on.wait()

    world.desk.trouble = trouble
    pause_id, runs = await _held(world, 3)
    assert await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS) is ResumeState.SECOND_WANTED
    assert await world.gateway.second_resume(pause_id, by=BEN) is ResumeState.RELEASING
    try:
        for person in (ANN, BEN, CLEO):
            with pytest.raises(Forbidden, match="nobody lets all the rest go alone"):
                await world.gateway.resume(pause_id, by=person, answers=ANSWERS, at_once=True)
        assert phase(world, pause_id) == PausePhase.RELEASING
    finally:
        go_on.set()
    for run_id in runs:
        assert (await world.outcome(run_id, "held")).status is ActionStatus.DONE


async def test_a_hook_compensates_in_the_name_of_who_made_it(world: World) -> None:
    run_id = await world.start(open=True)
    await tip(world, run_id, "a")
    sealer = Sealer("a key of the tests, 32 characters or more", SEALED_FOR)
    terms = terms_of(
        name="flood", kind="everything", scope_name="", cause="A flood.", disposition="compensate", when=""
    )
    _, secret = await world.gateway.add_pause_hook(terms, sealer, by=ANN)
    sent = int(datetime.now(UTC).timestamp())
    call = SignedCall("msg_1", str(sent), signature(secret, "msg_1", sent, b""), b"")
    pause_id = (await world.gateway.pause_by_hook("flood", call, sealer)).pause_id

    def done() -> bool:
        with world.database.read() as session:
            found = stopping.rollbacks(session, pause_id).items
        return [(each.run_id, each.status) for each in found] == [(run_id, RollbackStatus.DONE)]

    await world.eventually(done)
    assert [key.partition("#")[0] for key in world.desk.undone] == [f"{run_id}:a"]
    row = world.row(PauseRow, pause_id)
    assert (row.requested_by["id"], row.disposition_by) == ("hook:flood", ANN.model_dump(mode="json"))


async def test_no_cause_is_too_much_for_a_pause(world: World) -> None:
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN, cause="half \ud800, none \0, " + "x" * 3_000_000)
    cause = world.row(PauseRow, pause_id).cause
    assert cause.startswith("half ?, none ␀, xxx")
    assert len(cause) == 4_000
    assert cause.endswith("…")
    with pytest.raises(InvalidInput, match="no character"):
        await world.gateway.pause(Scope(kind=ScopeKind.RECORD, name="none \0"), by=ANN)


async def test_the_card_says_who_may_stop_and_who_may_let_go_on(world: World) -> None:
    world.publish(f"{CARD}\nstopping: {{pause: [role:auditor], resume: [eve@example.com]}}\n")
    agent = Scope(kind=ScopeKind.AGENT, name="desk-clerk")
    with pytest.raises(Forbidden):
        await world.gateway.pause(agent, by=ANN)
    assert not await world.gateway.may_pause(ANN, agent)
    assert await world.gateway.may_resume(EVE, agent)
    pause_id = await world.gateway.pause(agent, by=SYSTEM)
    with pytest.raises(Forbidden):
        await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS)
    with pytest.raises(InvalidInput, match="cause"):
        await world.gateway.resume(pause_id, by=EVE, answers=ResumeAnswers(changed="x"))
    assert await world.gateway.resume(pause_id, by=EVE, answers=ANSWERS) is ResumeState.ENDED


async def test_what_is_under_way_is_listed_and_can_be_asked_to_stop(world: World) -> None:
    started, go_on = threading.Event(), threading.Event()

    def trouble(call: Call) -> None:
        started.set()
        while not call.asked_to_stop() and not go_on.wait(0.02):
            call.heartbeat("still at it")

    world.desk.trouble = trouble
    run_id = await world.start(action("a", "desk.letter", text="Dear all"))
    await asyncio.to_thread(started.wait)
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN)
    with world.database.read() as session:
        [claim] = stopping.claims(session, pause_id).items
    assert (claim.action_id, claim.asked_at, claim.finished_at) == (f"{run_id}:a", None, None)
    assert await world.gateway.ask_to_stop(pause_id, by=ANN) == 1
    assert await world.gateway.ask_to_stop(pause_id, by=ANN) == 0
    assert world.row(PauseClaimRow, (pause_id, f"{run_id}:a")).asked_at is not None
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE
    await world.eventually(lambda: world.row(PauseRow, pause_id).quiesced_at)
    go_on.set()


@pytest.mark.parametrize(
    "scope",
    [
        Scope(kind=ScopeKind.TYPE, name="desk.pay"),
        Scope(kind=ScopeKind.CONNECTOR, name="desk"),
        Scope(kind=ScopeKind.VERSION, name="desk-clerk@1"),
        Scope(kind=ScopeKind.LABEL, name="vip"),
        Scope(kind=ScopeKind.RECORD, name="desk/bob"),
    ],
)
async def test_the_time_of_a_request_stands_still_in_every_scope(world: World, scope: Scope) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40), labels=["vip"])
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    before = world.row(ApprovalRow, waiting.approval_id or "").expires_at
    pause_id = await world.gateway.pause(scope, by=ANN)
    await asyncio.sleep(0.3)
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS)
    row = world.row(PauseRow, pause_id)
    assert row.resumed_at is not None
    after = world.row(ApprovalRow, waiting.approval_id or "").expires_at
    assert after - before == row.resumed_at - row.requested_at
