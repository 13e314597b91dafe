"""``assent verify``: what agrees is said to agree, and every disagreement is found."""

from __future__ import annotations

from sqlalchemy import text

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.runtime.verify import VerifyReport, verify
from assent.store.tables import RollbackRow
from tests.world import AGENT, ANN, World, action


async def checked(world: World) -> VerifyReport:
    return await verify(world.database, world.client, lambda phase: None)


async def busy(world: World) -> str:
    """A run with an approved, a rejected, an automatic and an undone action."""
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("note", "desk.note", text="milk"), by=AGENT)
    pay = await world.gateway.propose(run_id, action("pay", "desk.pay", to="bob", amount=4), by=AGENT)
    await world.decide(pay, Verb.APPROVE)
    await world.outcome(run_id, "pay")
    no = await world.gateway.propose(run_id, action("no", "desk.pay", to="bob", amount=9), by=AGENT)
    await world.decide(no, Verb.REJECT, reason="Too much.")
    await world.outcome(run_id, "no")
    await world.gateway.end_run(run_id, by=AGENT)
    await world.result(run_id)
    scope = RollbackScope(kind=RollbackScopeKind.ACTION, id=f"{run_id}:pay")
    rollback_id = (await world.gateway.rollback(scope, by=ANN)).id

    def finished() -> bool:
        with world.database.read() as session:
            row = session.get(RollbackRow, rollback_id)
            return row is not None and row.finished_at is not None

    await world.eventually(finished)
    return run_id


async def test_everything_agrees(world: World) -> None:
    await busy(world)
    report = await checked(world)
    assert report.faults == []
    assert (report.effects, report.runs, report.adopted) == (2, 1, 0)
    assert "Everything agrees." in report.text()


async def test_a_changed_row_is_found(world: World) -> None:
    run_id = await busy(world)
    with world.database.write() as session:
        session.execute(text("UPDATE actions SET status = 'failed' WHERE key = 'note'"))
        session.execute(text("UPDATE effects SET changes = '[]' WHERE type = 'desk.pay'"))
    found = {(fault.where, fault.what) for fault in (await checked(world)).faults}
    note, pay = f"action {run_id}:note", f"action {run_id}:pay"
    assert (note, "is failed and its effect is done") in found
    assert (note, "is done in the history and failed in the database") in found
    assert (pay, "has an effect whose changes are not those in the ledger") in found


async def test_a_deleted_action_is_found_by_the_history(world: World) -> None:
    run_id = await busy(world)
    with world.database.write() as session:
        session.execute(text("DELETE FROM actions WHERE key = 'no'"))
    faults = (await checked(world)).faults
    assert [(f.where, f.what) for f in faults] == [(f"action {run_id}:no", "is rejected in the history and has no row")]


async def test_a_changed_ledger_is_found(world: World) -> None:
    await busy(world)
    await checked(world)
    with world.database.write() as session:
        session.execute(text("DROP TRIGGER ledger_events_no_update"))
        session.execute(text("UPDATE ledger_events SET body = replace(body, 'milk', 'beer') WHERE body LIKE '%milk%'"))
    assert any("was changed" in fault.what for fault in (await checked(world)).faults)


async def test_without_temporal_the_rest_is_checked(world: World) -> None:
    await busy(world)
    report = await verify(world.database, None, lambda phase: None)
    assert report.clean
    assert "not compared" in report.temporal


async def test_an_action_only_the_database_knows_is_counted(world: World) -> None:
    run_id = await busy(world)
    with world.database.write() as session:
        session.execute(
            text(
                "INSERT INTO actions (action_id, run_id, key, agent, type, arguments, reason, sentence, status, tier,"
                " reasons, card_version, result, message, proposed_at, settled_at)"
                " SELECT action_id || '2', run_id, 'note2', agent, type, arguments, reason,"
                " sentence, 'refused', tier, reasons, card_version, result, message, proposed_at, settled_at"
                " FROM actions WHERE key = 'note'"
            )
        )
    report = await checked(world)
    assert report.adopted == 1
    assert [fault.what for fault in report.faults] == ["has a row and no ledger event of its proposal"]
    assert (await world.outcome(run_id, "note2")).status is ActionStatus.REFUSED
