"""``assent rollback``: scopes with periods, approval, and the rest."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col

from assent.store.tables import PersonRow
from assent_activities.retrying import MAX_ATTEMPTS
from tests.cli.conftest import Shell
from tests.desk import CARD, unreachable
from tests.world import EVE, action


async def tipped(shell: Shell, *amounts: float) -> str:
    plan = [action("abcd"[place], "desk.tip", to="bob", amount=amount) for place, amount in enumerate(amounts)]
    run_id = await shell.world.start(*plan)
    await shell.world.result(run_id)
    return run_id


async def test_an_agent_since_a_time(shell: Shell) -> None:
    await tipped(shell, 1, 2)
    preview = (await shell("rollback", "agent", "desk-clerk", "--since", "1h", "--preview", "--json")).json
    assert (preview["to_undo"], preview["complete"]) == (2, True)
    assert (await shell("rollback", "agent", "desk-clerk", "--since", "2h", "--until", "1h", "--preview")).code == 0
    assert (await shell("rollback", "agent", "desk-clerk", "--since", "yesterday", "--preview")).code == 2
    assert (await shell("rollback", "agent", "desk-clerk", "--since", "1h", "--until", "2h", "--preview")).code == 2
    assert (await shell("rollback", "agent", "desk-clerk", "--since", "2100-01-01", "--preview")).code == 2
    assert (await shell("rollback", "record", "desk/nobody", "--preview")).code == 3
    done = await shell("rollback", "record", "desk/bob", "--yes")
    assert (done.code, "Everything that could be undone" in done.out) == (0, True)
    assert shell.world.desk.balances == {"bob": 0}


async def test_a_mass_undo_is_approved_at_the_console(shell: Shell) -> None:
    shell.world.publish(CARD + "rollback: {tier: approve}\n")
    with shell.world.database.write() as session:
        session.execute(update(PersonRow).where(col(PersonRow.id) == EVE.id).values(roles=["approver"]))
    run_id = await tipped(shell, 1)
    asked = await shell("rollback", "run", run_id, "--yes", "--reason", "Wrong.")
    assert (asked.code, "It awaits approval" in asked.out) == (1, True)
    (waiting,) = (await shell("rollback", "list", "--status", "awaiting", "--json")).json["items"]
    shown = await shell("rollback", "show", waiting["id"])
    assert "one approver" in shown.out
    assert (await shell("rollback", "hold", waiting["id"])).code == 5
    assert (await shell("rollback", "approve", waiting["id"], "--as", "eve@example.com", "--yes")).code == 0
    await shell.world.client.get_workflow_handle(waiting["id"]).result()
    assert shell.world.desk.balances == {"bob": 0}
    assert (await shell("rollback", "withdraw", waiting["id"])).code == 5


async def test_the_rest(shell: Shell) -> None:
    run_id = await tipped(shell, 1, 1)
    shell.world.desk.undo_trouble = unreachable(2 * MAX_ATTEMPTS)
    begun = await shell("rollback", "run", run_id, "--yes", "--json")
    assert begun.code == 1
    shell.world.desk.undo_trouble = lambda call: None
    (found,) = (await shell("rollback", "list", "--json")).json["items"]
    left = (await shell("rollback", "show", found["id"], "--outcome", "left", "--json")).json
    assert [each["ordinal"] for each in left["steps"]] == [0, 1]
    closed = await shell("rollback", "by-hand", found["id"], "1", "--note", "From the till", "--json")
    assert closed.json["status"] == "needs_person"
    assert (await shell("rollback", "accepted", found["id"], "1", "--note", "Again")).code == 5
    assert (await shell("rollback", "retry", found["id"], "7")).code == 3
    assert (await shell("rollback", "retry", found["id"], "0", "--json")).json["steps"] == 1
    await shell.world.client.get_workflow_handle(f"{found['id']}-1").result()
    assert (await shell("rollback", "list", "--json")).json["items"][0]["status"] == "done"
