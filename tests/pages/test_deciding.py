"""Decisions are plain forms: they work without scripts, bind to what was shown, and lose nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.people import Role
from assent.gateway import Gateway
from assent.store.database import Database
from assent.store.people import Person
from tests.pages.reading import Form, PageReader
from tests.site import Site, build


async def _open(browser: httpx.AsyncClient, approval_id: str | None) -> tuple[PageReader, Form]:
    page = await browser.get(f"/approvals/{approval_id}")
    assert page.status_code == 200
    reader = PageReader(page.text)
    return reader, reader.form(f"/approvals/{approval_id}/decision")


async def test_approving_without_scripts(site: Site, ada: Person) -> None:
    waiting = await site.waiting(reason="Bob asked nicely.")
    async with site.browser(ada) as browser:
        reader, form = await _open(browser, waiting.approval_id)
        for shown in ("Pay 40 to bob", "desk/bob", "It moves money.", "Bob asked nicely.", "Take 40 back from bob"):
            assert shown in reader.words
        answer = await browser.post(form.action, data=form.fields | {"verb": "approve"})
        assert answer.status_code == 303
        done = await site.world.outcome(waiting.action_id.partition(":")[0], "pay", ActionStatus.DONE)
        assert done.status is ActionStatus.DONE
        after = PageReader((await browser.get(answer.headers["location"])).text)
    assert "Approved by Ada Admin (in the web page)" in after.words
    assert "Done" in after.words
    assert not [form for form in after.forms if form.action.endswith("/decision")]


async def test_rejecting_needs_a_reason_and_the_agent_gets_it(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    async with site.browser(ada) as browser:
        _, form = await _open(browser, waiting.approval_id)
        refused = await browser.post(form.action, data=form.fields | {"verb": "reject", "reason": "  "})
        assert refused.status_code == 422
        again = PageReader(refused.text)
        assert "A rejection needs a reason." in again.words
        answer = await browser.post(form.action, data=form.fields | {"verb": "reject", "reason": "Not <today>."})
        assert answer.status_code == 303
        outcome = await site.world.outcome(waiting.action_id.partition(":")[0], "pay")
        assert outcome.status is ActionStatus.REJECTED
        assert outcome.message == "Not <today>."
        assert "“Not <today>.”" in PageReader((await browser.get(f"/approvals/{waiting.approval_id}")).text).words


async def test_from_the_inbox_back_to_the_inbox(site: Site, ada: Person) -> None:
    first = await site.waiting()
    second = await site.waiting(to="carol")
    async with site.browser(ada) as browser:
        inbox = PageReader((await browser.get("/")).text)
        assert "2 requests wait for you" in inbox.words
        (form,) = [form for form in inbox.forms if form.action.endswith("/decision")]
        assert form.action == f"/approvals/{first.approval_id}/decision"
        answer = await browser.post(form.action, data=form.fields | {"verb": "approve"})
        assert answer.headers["location"] == f"/?decided={first.approval_id}"
        after = PageReader((await browser.get(answer.headers["location"])).text)
        assert f"/approvals/{second.approval_id}/decision" in [form.action for form in after.forms]
        assert "see what happens" in after.words


async def test_a_decision_on_something_else_is_not_sent(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    async with site.browser(ada) as browser:
        _, form = await _open(browser, waiting.approval_id)
        typed = form.fields | {"verb": "reject", "reason": "Too much.", "digest": "0" * 64}
        answer = await browser.post(form.action, data=typed)
    assert answer.status_code == 409
    reader = PageReader(answer.text)
    assert "It has changed since you opened it" in reader.words
    assert reader.form(form.action).fields["reason"] == "Too much."
    assert site.world.approval(waiting.approval_id or "").status == ApprovalStatus.PENDING


async def test_somebody_else_was_quicker(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    async with site.browser(ada) as browser:
        _, form = await _open(browser, waiting.approval_id)
        await site.world.decide(waiting, Verb.APPROVE)
        await site.world.outcome(waiting.action_id.partition(":")[0], "pay", ActionStatus.DONE)
        answer = await browser.post(form.action, data=form.fields | {"verb": "reject", "reason": "No."})
    assert answer.status_code == 409
    words = PageReader(answer.text).words
    assert "Somebody else was quicker" in words
    assert "Approved by Ann Approver" in words


@pytest.mark.parametrize("token", ["", "wrong", "ähnlich"])
async def test_a_form_that_is_not_ones_own_page_decides_nothing(site: Site, ada: Person, token: str) -> None:
    waiting = await site.waiting()
    async with site.browser(ada) as browser:
        _, form = await _open(browser, waiting.approval_id)
        answer = await browser.post(form.action, data=form.fields | {"verb": "approve", "csrf": token})
        assert answer.status_code == 403
        pause = await browser.post("/stop", data={"scope": "everything", "csrf": token})
        assert pause.status_code == 403
        undo = await browser.post("/rollbacks", data={"scope": "action", "id": waiting.action_id, "csrf": token})
        assert undo.status_code == 403
    assert site.world.approval(waiting.approval_id or "").status == ApprovalStatus.PENDING


async def test_who_may_not_decide_sees_why(site: Site) -> None:
    waiting = await site.waiting()
    async with site.browser(site.person("Olga Observer", Role.AUDITOR)) as browser:
        reader = PageReader((await browser.get(f"/approvals/{waiting.approval_id}")).text)
        assert "You can look, not decide." in reader.words
        assert "they need the role approver" in reader.words
        assert not [form for form in reader.forms if form.action.endswith("/decision")]
        csrf = reader.form("/sign-out").fields["csrf"]
        fields = {"csrf": csrf, "verb": "approve", "digest": waiting.digest or ""}
        answer = await browser.post(f"/approvals/{waiting.approval_id}/decision", data=fields)
    assert answer.status_code == 403
    assert site.world.approval(waiting.approval_id or "").status == ApprovalStatus.PENDING


async def test_sending_the_same_form_twice_counts_once(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    async with site.browser(ada) as browser:
        _, form = await _open(browser, waiting.approval_id)
        fields = form.fields | {"verb": "approve"}
        first = await browser.post(form.action, data=fields)
        second = await browser.post(form.action, data=fields)
    assert first.status_code == 303
    assert second.status_code in (303, 409)
    await site.world.outcome(waiting.action_id.partition(":")[0], "pay", ActionStatus.DONE)
    assert site.world.desk.done == [waiting.action_id]


async def test_while_temporal_is_away_nothing_is_decided_and_nothing_lost(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    cut_off = build(replace(site.world, gateway=Gateway(None, site.world.database)))
    async with cut_off.browser(ada) as browser:
        _, form = await _open(browser, waiting.approval_id)
        answer = await browser.post(form.action, data=form.fields | {"verb": "reject", "reason": "Too much."})
    assert answer.status_code == 503
    reader = PageReader(answer.text)
    assert "Your decision did not get through" in reader.words
    assert "Nothing was decided; send it again." in reader.words
    assert reader.form(form.action).fields["reason"] == "Too much."
    assert site.world.approval(waiting.approval_id or "").status == ApprovalStatus.PENDING


async def test_while_the_database_is_away_a_page_says_so(site: Site, ada: Person, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    away = build(replace(site.world, database=Database(f"sqlite:///{folder / 'assent.db'}")))
    shutil.rmtree(folder)
    async with site.browser(ada) as signed_in, away.browser() as browser:
        browser.cookies = signed_in.cookies
        page = await browser.get("/")
    assert page.status_code == 503
    words = PageReader(page.text).words
    assert "The database does not answer" in words
    assert "Nothing was lost." in words
