"""Stopping from pages: from anywhere in two taps, shown as it is, and let go with answers."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.pauses import Disposition, PausePhase
from assent.domain.people import Role
from assent.store.people import Person
from assent.store.queries import pauses
from assent.store.queries.pauses import PauseView
from assent_activities.connectors import Call, ConnectorUnavailable
from tests.desk import CARD
from tests.pages.reading import Form, PageReader
from tests.site import HOSTILE, Site
from tests.world import action

ANSWERS = {
    "cause": "The limit was wrong.",
    "changed": "It is 50 now.",
    "checks": "by hand\r\nunit tests",
    "at_once": "",
}


async def test_stopping_an_agent_and_letting_it_go_on(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    run_id = waiting.action_id.partition(":")[0]
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get("/stop?scope=agent&name=desk-clerk")).text)
        assert "Stop agent desk-clerk, 1 run" in page.words
        answer = await browser.post("/stop", data=page.form("/stop").fields | {"cause": "It pays too much."})
        assert answer.status_code == 303
        pause = only(site)
        assert (pause.cause, pause.disposition) == ("It pays too much.", Disposition.FREEZE)
        for address in ("/", "/runs", f"/runs/{run_id}", "/agents", "/system"):
            assert "Agent desk-clerk is paused" in PageReader((await browser.get(address)).text).words, address
        await site.world.decide(waiting, Verb.APPROVE)
        await site.world.outcome(run_id, "pay", ActionStatus.HELD)
        assert "Held by a pause" in (await browser.get(f"/runs/{run_id}")).text
        stop = PageReader((await browser.get("/stop")).text)
        assert "1 action held Pay 40 to bob" in stop.words
        assert "waits for this pause alone" in stop.words
        await _lead_to_their_place(browser, stop, run_id)
        form = stop.form(f"/stop/{pause.id}/resume")
        refused = await browser.post(form.action, data=form.fields | ANSWERS | {"changed": " "})
        assert refused.status_code == 422
        again = PageReader(refused.text)
        assert "Resuming needs the cause and what was changed." in again.words
        assert again.form(form.action).fields["cause"] == "The limit was wrong."
        answer = await browser.post(form.action, data=form.fields | ANSWERS)
        assert answer.status_code == 303
        await site.world.outcome(run_id, "pay", ActionStatus.DONE)
        ended = await site.world.eventually(lambda: _ended(site, pause.id))
        assert ended.answers is not None
        assert ended.answers.checks == ["by hand", "unit tests"]
        after = PageReader((await browser.get("/stop")).text)
        assert "Nothing is stopped" in after.words
        assert "It is 50 now." in after.words


async def test_every_page_has_a_control_that_stops_what_it_is_about(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    run_id = waiting.action_id.partition(":")[0]
    first = {
        f"/runs/{run_id}": f"run:{run_id}",
        f"/approvals/{waiting.approval_id}": f"run:{run_id}",
        "/agents/desk-clerk": "agent:desk-clerk",
        "/": "everything:",
        "/ledger": "everything:",
        "/account": "everything:",
    }
    async with site.browser(ada) as browser:
        for address, wanted in first.items():
            page = PageReader((await browser.get(address)).text)
            offered = [each["value"] for tag, each in page.tags if tag == "input" and each.get("name") == "what"]
            assert offered[0] == wanted, address
            assert offered[-1] == "everything:", address
        page = PageReader((await browser.get(f"/approvals/{waiting.approval_id}")).text)
        fields = page.form("/stop/at-once").fields | {"what": "type:desk.pay", "cause": "Wrong bank"}
        answer = await browser.post("/stop/at-once", data=fields)
        pause = only(site)
        assert (pause.scope.sentence, pause.cause) == ("action type desk.pay", "Wrong bank")
        assert answer.headers["location"] == f"/stop#{pause.id}"
        wrong = await browser.post("/stop/at-once", data=fields | {"what": "run:nobody"})
        assert wrong.status_code == 404
        assert (await browser.post("/stop/at-once", data=fields | {"what": "odd"})).status_code == 422
    async with site.browser(site.person("Pia Plain")) as browser:
        page = PageReader((await browser.get(f"/runs/{run_id}")).text)
        assert not [form for form in page.forms if form.action == "/stop/at-once"]
        assert "/stop" in page.addresses
        assert "You can look, not stop" in PageReader((await browser.get("/stop")).text).words


async def test_all_scopes_and_dispositions(site: Site, ada: Person) -> None:
    run_id = await site.world.start(open=True, labels=["eu"])
    async with site.browser(ada) as browser:
        for kind, name, words in (
            ("version", "desk-clerk@1", "Stop agent version desk-clerk@1"),
            ("connector", "desk", "Stop system desk"),
            ("type", "desk.pay", "Stop action type desk.pay"),
            ("label", "eu", "Stop label eu, 1 run"),
            ("record", "desk/bob", "Stop record desk/bob"),
            ("run", run_id, "Stop this run"),
        ):
            page = PageReader((await browser.get("/stop", params={"scope": kind, "name": name})).text)
            assert words in page.words, kind
            form = page.form("/stop")
            answer = await browser.post(form.action, data=form.fields | {"disposition": "drain"})
            assert answer.status_code == 303, kind
        with site.world.database.read() as session:
            active = pauses.active(session)
        assert {pause.scope.kind.value for pause in active} == {
            "version",
            "connector",
            "type",
            "label",
            "record",
            "run",
        }
        assert {pause.disposition for pause in active} == {Disposition.DRAIN}
        page = PageReader((await browser.get("/stop")).text)
        for words in ("System desk", "Label eu", "Record desk/bob", "Agent version desk-clerk@1"):
            assert words in page.words
        change = page.form(f"/stop/{active[0].id}/disposition")
        await browser.post(change.action, data=change.fields | {"disposition": "freeze"})
        with site.world.database.read() as session:
            assert pauses.one(session, active[0].id).disposition is Disposition.FREEZE
        odd = await browser.post(change.action, data=change.fields | {"disposition": "odd"})
        assert odd.status_code == 422


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/stop?scope=agent&name=nobody", "There is no agent nobody."),
        ("/stop?scope=type&name=desk.fly", "There is nothing of that name"),
        ("/stop?scope=run&name=none", "There is no run none."),
        ("/stop?scope=version&name=desk-clerk@7", "has no version 7"),
    ],
)
async def test_scopes_of_nothing(site: Site, ada: Person, address: str, words: str) -> None:
    async with site.browser(ada) as browser:
        page = await browser.get(address)
    assert page.status_code == 200
    reader = PageReader(page.text)
    assert words in reader.words
    assert not [form for form in reader.forms if form.action == "/stop"]


async def test_what_is_under_way_can_be_asked_to_stop_and_is_shown_until_it_has(site: Site, ada: Person) -> None:
    async with site.browser(ada) as browser, stopped_in_the_middle(site, browser) as middle:
        shown = PageReader((await browser.get("/stop")).text)
        assert "1 effect still under way Send the letter to bob" in shown.words
        assert "At rest" not in shown.words
        await _lead_to_their_place(browser, shown, middle.run_id)
        form = shown.form(f"/stop/{middle.pause.id}/ask")
        assert (await browser.post(form.action, data=form.fields)).status_code == 303
        asked = PageReader((await browser.get("/stop")).text)
        assert "asked to stop" in asked.words
        assert "At rest" not in asked.words
        assert "under way" in asked.words
        middle.go_on.set()
        await site.world.outcome(middle.run_id, "letter")
        await site.world.eventually(lambda: _quiet(site, middle.pause.id))
        assert "At rest" in PageReader((await browser.get("/stop")).text).words


async def test_what_was_given_back_without_an_effect_is_not_under_way(site: Site, ada: Person) -> None:
    closed = ConnectorUnavailable("The post is closed.")
    async with site.browser(ada) as browser, stopped_in_the_middle(site, browser, closed) as middle:
        middle.go_on.set()
        await site.world.outcome(middle.run_id, "letter", ActionStatus.HELD)
        await site.world.eventually(lambda: _quiet(site, middle.pause.id))
        shown = PageReader((await browser.get("/stop")).text)
        assert "What was under way Send the letter to bob" in shown.words
        assert "given back, nothing was done" in shown.words
        assert "still under way" not in shown.words
        await _lead_to_their_place(browser, shown, middle.run_id)


@dataclass
class Middle:
    """Everything was stopped while a letter is under way."""

    run_id: str
    pause: PauseView
    go_on: threading.Event


@contextlib.asynccontextmanager
async def stopped_in_the_middle(
    site: Site, browser: httpx.AsyncClient, comes_of_it: Exception | None = None
) -> AsyncIterator[Middle]:
    """Stop everything while a letter is under way, which is sent, or breaks off, once the test lets it go on."""
    go_on, begun = threading.Event(), threading.Event()

    def slow(call: Call) -> None:
        begun.set()
        go_on.wait()
        if comes_of_it is not None:
            raise comes_of_it

    site.world.desk.trouble = slow
    run_id = await site.world.start(action("letter", "desk.letter", text="to bob"))
    try:
        await asyncio.to_thread(begun.wait)
        page = PageReader((await browser.get("/stop")).text)
        await browser.post("/stop", data=page.form("/stop").fields)
        yield Middle(run_id, only(site), go_on)
    finally:
        go_on.set()


async def test_a_second_person_confirms_and_runs_are_let_go_step_by_step(site: Site, ada: Person) -> None:
    site.world.publish(CARD + "stopping: {second: true, ramp: 1h}\n")
    waiting = [await site.waiting(to=f"bob{each}") for each in range(3)]
    async with site.browser(ada) as browser, site.browser(site.person("Oli Other", Role.OPERATOR)) as other:
        page = PageReader((await browser.get("/stop?scope=agent&name=desk-clerk")).text)
        await browser.post("/stop", data=page.form("/stop").fields)
        pause = only(site)
        for each in waiting:
            await site.world.decide(each, Verb.APPROVE)
            await site.world.outcome(each.action_id.partition(":")[0], "pay", ActionStatus.HELD)
        form = await _form(browser, f"/stop/{pause.id}/resume")
        await browser.post(form.action, data=form.fields | ANSWERS)
        assert only(site).phase is PausePhase.SECOND_WANTED
        mine = PageReader((await browser.get("/stop")).text)
        assert "You asked for it yourself" in mine.words
        assert not [one for one in mine.forms if one.action.endswith("/agree")]
        refused = await browser.post(f"/stop/{pause.id}/agree", data={"csrf": form.fields["csrf"]})
        assert refused.status_code == 403
        theirs = PageReader((await other.get("/stop")).text)
        assert "Ada Admin wants it to go on" in theirs.words
        assert "It is 50 now." in theirs.words
        agree = theirs.form(f"/stop/{pause.id}/agree")
        assert (await other.post(agree.action, data=agree.fields)).status_code == 303
        assert only(site).phase is PausePhase.RELEASING
        shown = PageReader((await other.get("/stop")).text)
        assert "Letting runs go" in shown.words
        assert "First run" in shown.words
        assert not [one for one in shown.forms if one.action == f"/stop/{pause.id}/resume"], "two agreed to steps"
        hurried = await other.post(f"/stop/{pause.id}/resume", data={**ANSWERS, "csrf": agree.fields["csrf"]})
        assert hurried.status_code == 409
        assert only(site).phase is PausePhase.RELEASING


async def test_a_pause_that_compensates_leads_to_the_rollbacks(site: Site, ada: Person) -> None:
    run_id = await site.open_run([action("note", "desk.note", text="milk")])
    await site.world.outcome(run_id, "note", ActionStatus.DONE)
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get(f"/stop?scope=run&name={run_id}")).text)
        sent = await browser.post("/stop", data=page.form("/stop").fields | {"disposition": "compensate"})
        pause_id = sent.headers["location"].partition("#")[2]
        await site.world.eventually(lambda: site.world.desk.undone)
        shown = await _shown(browser, "its rollback")
        assert "Rolling back" in shown.words
        (link,) = [found for found in shown.addresses if found.startswith("/rollbacks/rollback-")]
        assert (await browser.get(link)).status_code == 200
        assert f"/stop/{pause_id}/disposition" not in {form.action for form in shown.forms}


async def test_what_cannot_be_done_to_a_pause_is_said(site: Site, ada: Person) -> None:
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get("/stop")).text)
        csrf = page.form("/stop").fields["csrf"]
        for what in ("ask", "agree", "disposition", "resume"):
            answer = await browser.post(f"/stop/pause-none/{what}", data=ANSWERS | {"csrf": csrf})
            assert answer.status_code == 404, what
            assert "There is no pause pause-none." in PageReader(answer.text).words
        await browser.post("/stop", data=page.form("/stop").fields | {"cause": HOSTILE})
        pause = only(site)
        assert "<script>alert" not in (await browser.get("/stop")).text
        form = await _form(browser, f"/stop/{pause.id}/resume")
        long = await browser.post(form.action, data=form.fields | ANSWERS | {"cause": "x" * 9_000, "at_once": "yes"})
        assert long.status_code == 303
        assert (await browser.post(form.action, data=form.fields | ANSWERS)).status_code == 409
        for what in ("ask", "agree", "disposition"):
            assert (await browser.post(f"/stop/{pause.id}/{what}", data={"csrf": csrf})).status_code == 409, what
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        csrf = PageReader((await browser.get("/stop")).text).form("/sign-out").fields["csrf"]
        stopped = await browser.post("/stop", data={"scope": "everything", "csrf": csrf})
        assert stopped.status_code == 303
        pause = only(site)
        shown = PageReader((await browser.get("/stop")).text)
        assert not [one for one in shown.forms if one.action.endswith("/resume")]
        refused = await browser.post(f"/stop/{pause.id}/resume", data=ANSWERS | {"csrf": csrf})
        assert refused.status_code == 403
        rolled = await browser.post("/stop", data={"scope": "everything", "disposition": "compensate", "csrf": csrf})
        assert rolled.status_code == 403
    async with site.browser(site.person("Ned Nobody")) as browser:
        csrf = PageReader((await browser.get("/stop")).text).form("/sign-out").fields["csrf"]
        assert (await browser.post("/stop", data={"scope": "everything", "csrf": csrf})).status_code == 403
        assert (await browser.post("/stop/at-once", data={"what": "everything:", "csrf": csrf})).status_code == 403


def only(site: Site) -> PauseView:
    """The one pause in force."""
    with site.world.database.read() as session:
        (pause,) = pauses.active(session)
    return pause


async def _form(browser: httpx.AsyncClient, action: str) -> Form:
    return PageReader((await browser.get("/stop")).text).form(action)


async def _lead_to_their_place(browser: httpx.AsyncClient, page: PageReader, run_id: str) -> None:
    """Links to an action lead to where the page of its run shows it."""
    places = {address.partition("#")[2] for address in page.addresses if address.startswith(f"/runs/{run_id}#")}
    assert places
    assert places <= set(PageReader((await browser.get(f"/runs/{run_id}")).text).ids)


async def _shown(browser: httpx.AsyncClient, words: str) -> PageReader:
    """The page, once it says something."""
    while True:
        page = PageReader((await browser.get("/stop")).text)
        if words in page.words:
            return page
        await asyncio.sleep(0.1)


def _ended(site: Site, pause_id: str) -> PauseView | None:
    with site.world.database.read() as session:
        found = pauses.one(session, pause_id)
    return None if found.active else found


def _quiet(site: Site, pause_id: str) -> bool:
    with site.world.database.read() as session:
        return pauses.one(session, pause_id).quiesced_at is not None
