"""Stopping and undoing from pages: shown first, asked once, never in the dark."""

from __future__ import annotations

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.people import Role
from assent.domain.rollbacks import RollbackStatus
from assent.store.people import Person
from assent.store.queries import pauses, rollbacks
from assent.store.queries.pauses import PauseView
from assent.store.queries.rollbacks import RollbackView
from tests.pages.reading import PageReader
from tests.site import Site


async def test_stopping_an_agent_and_letting_it_go_on(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    run_id = waiting.action_id.partition(":")[0]
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get("/stop?scope=agent&name=desk-clerk")).text)
        assert "Stop agent desk-clerk, 1 run" in page.words
        answer = await browser.post("/stop", data=page.form("/stop").fields | {"cause": "It pays too much."})
        assert answer.status_code == 303
        pause = _active(site)
        assert pause.cause == "It pays too much."
        for address in ("/", "/runs", f"/runs/{run_id}", "/agents", "/system"):
            assert "Agent desk-clerk is paused" in PageReader((await browser.get(address)).text).words, address
        await site.world.decide(waiting, Verb.APPROVE)
        await site.world.outcome(run_id, "pay", ActionStatus.HELD)
        assert "Held by a pause" in (await browser.get(f"/runs/{run_id}")).text
        stop = PageReader((await browser.get("/stop")).text)
        form = stop.form(f"/stop/{pause.id}/resume")
        refused = await browser.post(form.action, data=form.fields | {"note": " "})
        assert refused.status_code == 422
        assert "Resuming needs a note." in PageReader(refused.text).words
        answer = await browser.post(form.action, data=form.fields | {"note": "The limit was lowered."})
        assert answer.status_code == 303
        await site.world.outcome(run_id, "pay", ActionStatus.DONE)
        after = PageReader((await browser.get("/stop")).text)
        assert "Nothing is stopped" in after.words
        assert "The limit was lowered." in after.words


async def test_undoing_a_run(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    run_id = waiting.action_id.partition(":")[0]
    await site.world.decide(waiting, Verb.APPROVE)
    await site.world.result(run_id)
    async with site.browser(ada) as browser:
        run = await browser.get(f"/runs/{run_id}")
        assert f"/rollbacks/new?scope=run&amp;id={run_id}" in run.text
        preview = PageReader((await browser.get(f"/rollbacks/new?scope=run&id={run_id}")).text)
        assert "1 effect can be undone" in preview.words
        assert site.world.desk.undone == []
        form = preview.form("/rollbacks")
        assert "Undo 1 effect" in preview.words
        answer = await browser.post("/rollbacks", data=form.fields | {"reason": "Wrong Bob."})
        assert answer.status_code == 303
        started = await browser.get(answer.headers["location"])
        assert started.status_code == 200
        found = await site.world.eventually(lambda: _ended(site, run_id))
        assert found.status is RollbackStatus.DONE
        page = PageReader((await browser.get(answer.headers["location"])).text)
        assert "1 effect undone" in page.words
        assert "Wrong Bob." in page.words
        assert "Undone" in PageReader((await browser.get(f"/runs/{run_id}")).text).words
    assert site.world.desk.undone == [f"{waiting.action_id}#undo"]


async def test_what_conflicts_is_left_for_a_person(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    run_id = waiting.action_id.partition(":")[0]
    await site.world.decide(waiting, Verb.APPROVE)
    await site.world.result(run_id)
    site.world.desk.balances["bob"] = 3
    async with site.browser(ada) as browser:
        words = PageReader((await browser.get(f"/rollbacks/new?scope=action&id={waiting.action_id}")).text).words
    assert "There is nothing to undo" in words
    assert "1 effect will be left for a person" in words
    assert "bob has spent some of it." in words


async def test_who_may_not_stop_or_undo_sees_why(site: Site) -> None:
    run_id = await site.finished("a")
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        stop = PageReader((await browser.get("/stop")).text)
        assert "need the role operator" in stop.words
        csrf = stop.form("/sign-out").fields["csrf"]
        assert (await browser.post("/stop", data={"scope": "everything", "csrf": csrf})).status_code == 403
        undo = await browser.post("/rollbacks", data={"scope": "run", "id": run_id, "csrf": csrf})
        assert undo.status_code == 403
        assert "You may not undo." in PageReader(undo.text).words
        assert "Undoing needs the role operator." in (await browser.get(f"/rollbacks/new?scope=run&id={run_id}")).text
    with site.world.database.read() as session:
        assert not pauses.active(session)


def _active(site: Site) -> PauseView:
    with site.world.database.read() as session:
        (pause,) = pauses.active(session)
    return pause


def _ended(site: Site, run_id: str) -> RollbackView | None:
    with site.world.database.read() as session:
        found = [item for item in rollbacks.of_scope(session, run_id) if item.finished_at is not None]
    return found[0] if found else None
