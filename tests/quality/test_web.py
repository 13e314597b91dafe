"""What people see of the figures, and how the pages measure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from assent.domain.actions import ActionStatus
from assent.domain.people import Role
from assent.domain.quality import Measure
from assent.runtime.settings import Settings
from assent.store import ledger, quality
from assent.store.people import Person
from assent.store.tables import OpeningRow
from assent_ui.looks import Looks
from tests.desk import CARD
from tests.pages.reading import PageReader
from tests.quality import past
from tests.quality.past import Case
from tests.site import Site, build
from tests.world import make_world

OPENED = CARD.replace("expires: 1h", "expires: 1h\n    approval: {opened: true}")


@pytest_asyncio.fixture
async def site(temporal_server: str, settings: Settings) -> AsyncIterator[Site]:
    """The pages, with a worker behind them."""
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        yield build(world)
    world.database.close()


@pytest.fixture
def ada(site: Site) -> Person:
    """Somebody who may do everything."""
    return site.person("Ada Admin", Role.ADMIN)


async def _approve(site: Site, person: Person, approval_id: str, address: str, **more: str) -> OpeningRow | None:
    async with site.browser(person) as browser:
        page = PageReader((await browser.get(address)).text)
        form = page.form(f"/approvals/{approval_id}/decision")
        answer = await browser.post(form.action, data={**form.fields, **more, "verb": "approve"})
        assert answer.status_code == 303, answer.text
    with site.world.database.read() as session:
        return session.get(OpeningRow, (approval_id, form.fields["digest"], person.id))


@pytest.mark.parametrize("place", ["page", "inbox"])
async def test_a_card_that_must_be_opened_is_opened_by_its_page(site: Site, ada: Person, place: str) -> None:
    site.world.publish(OPENED)
    waiting = await site.waiting()
    address = f"/approvals/{waiting.approval_id}" if place == "page" else "/"
    opened = await _approve(site, ada, waiting.approval_id or "", address)
    assert opened is not None
    run_id = waiting.action_id.partition(":")[0]
    assert (await site.world.outcome(run_id, "pay", ActionStatus.DONE)).status is ActionStatus.DONE


async def test_the_time_on_the_card_is_what_the_script_saw_and_no_more_than_the_clock(site: Site, ada: Person) -> None:
    first, second, third = [await site.waiting(to=name) for name in ("bob", "carol", "dora")]
    plain = await _approve(site, ada, first.approval_id or "", f"/approvals/{first.approval_id}")
    assert plain is not None
    assert plain.measured == Measure.SERVED
    assert plain.seconds is not None
    assert 0 <= plain.seconds < 600
    told = await _approve(site, ada, second.approval_id or "", f"/approvals/{second.approval_id}", visible="999999999")
    assert told is not None
    assert told.measured == Measure.VISIBLE
    assert told.seconds is not None
    assert told.seconds < 600
    forged = await _approve(site, ada, third.approval_id or "", f"/approvals/{third.approval_id}", look="1.2")
    assert forged is None


async def test_opening_a_request_writes_nothing(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    async with site.browser(ada) as browser:
        page = await browser.get(f"/approvals/{waiting.approval_id}")
    digest = PageReader(page.text).form(f"/approvals/{waiting.approval_id}/decision").fields["digest"]
    with site.world.database.read() as session:
        assert session.get(OpeningRow, (waiting.approval_id, digest, ada.id)) is None


def test_a_note_is_good_for_one_person_request_and_digest() -> None:
    looks, at = Looks("k" * 32), datetime(2030, 1, 1, tzinfo=UTC)
    note, now = looks.note("ann", "ap-1", "d", at), at + timedelta(seconds=90)
    seen = looks.read(note, "ann", "ap-1", "d", now)
    assert seen is not None
    assert (seen.at, seen.seconds, seen.measured) == (at, 90, Measure.SERVED)
    visible = looks.read(note, "ann", "ap-1", "d", now, "1500")
    assert visible is not None
    assert (visible.seconds, visible.measured) == (1.5, Measure.VISIBLE)
    for person, approval, digest in (("eve", "ap-1", "d"), ("ann", "ap-2", "d"), ("ann", "ap-1", "e")):
        assert looks.read(note, person, approval, digest, now) is None
    for odd in ("", ".", "x.y", note + "0", "9" * 500, note.replace(".", ". ")):
        assert looks.read(odd, "ann", "ap-1", "d", now) is None
    assert looks.read(note, "ann", "ap-1", "d", at + timedelta(days=2)) is None
    assert looks.read(note, "ann", "ap-1", "d", at - timedelta(minutes=1)) is None
    assert Looks("j" * 32).read(note, "ann", "ap-1", "d", now) is None


async def test_real_decisions_appear_in_the_figures(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    await _approve(site, ada, waiting.approval_id or "", f"/approvals/{waiting.approval_id}")
    await site.world.result(waiting.action_id.partition(":")[0])
    await _count(site)
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get("/quality")).text)
        told = (await browser.get("/api/v1/quality?days=7")).json()["items"]
        refused = await browser.get("/api/v1/quality?days=8")
        page_refused = await browser.get("/quality?days=8")
    assert "desk-clerk desk.pay" in page.words
    assert "100% 1 of 1 approvals" in page.words
    pay = next(each for each in told if each["type"] == "desk.pay")["total"]
    assert (pay["asked"], pay["approved"], pay["opened"], pay["hasty"], pay["ran"]) == (1, 1, 1, 1, 1)
    assert refused.status_code == page_refused.status_code == 422


async def test_what_nobody_was_asked_for_is_named_and_not_drawn(site: Site, ada: Person) -> None:
    age = (past.NOW - datetime.now(UTC)).days + 1
    asked = Case(agent="desk-clerk", ago=age)
    past.write(site.world.database, [asked, replace(asked, type="desk.note", ago=age + 20)])
    await _count(site)
    async with site.browser(ada) as browser:
        week = PageReader((await browser.get("/quality?days=7")).text)
        month = PageReader((await browser.get("/quality?days=30")).text)
    assert "desk-clerk desk.pay" in week.words
    assert "desk-clerk desk.note" not in week.words
    assert "nothing of them was undone or became unknown: desk.note (desk-clerk)." in week.words
    assert "desk-clerk desk.note" in month.words
    assert "Nobody was asked" not in month.words


async def test_a_suggestion_leads_to_the_card_and_is_put_aside_with_a_reason(site: Site, ada: Person) -> None:
    case = Case(agent="desk-clerk", looks=(30.0,), took=60, effect="done")
    _write(site, [case] * 50)
    await _count(site)
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get("/quality")).text)
        assert "Pay could run without asking." in page.words
        assert "People decided 50 requests in 30 days, and changed or refused none." in page.words
        (found,) = (await browser.get("/api/v1/quality/suggestions")).json()["items"]
        assert (found["type"], found["direction"], found["tier"]) == ("desk.pay", "freer", "auto")
        form = page.form("/quality/dismissals")
        unsaid = await browser.post(form.action, data={**form.fields, "reason": " "})
        assert unsaid.status_code == 422
        done = await browser.post(form.action, data={**form.fields, "reason": "Not before the audit."})
        assert done.status_code == 303
        after = PageReader((await browser.get("/quality")).text)
        assert "Pay could run without asking." not in after.words
        assert "Not before the audit." in after.words
    assert "quality.dismissed" in site.world.events(agent="desk-clerk")


async def test_only_owners_put_a_suggestion_aside(site: Site) -> None:
    _write(site, [Case(agent="desk-clerk", ended="rejected", looks=())] * 25)
    await _count(site)
    pia = site.person("Pia Plain", Role.APPROVER)
    async with site.browser(pia) as browser:
        page = PageReader((await browser.get("/quality")).text)
        assert "Pay should only suggest." in page.words
        assert [form for form in page.forms if form.action == "/quality/dismissals"] == []
        body = {"agent": "desk-clerk", "type": "desk.pay", "direction": "stricter", "reason": "No."}
        csrf = page.form("/sign-out").fields["csrf"]
        assert (await browser.post("/quality/dismissals", data={**body, "csrf": csrf})).status_code == 403


def _write(site: Site, cases: list[Case]) -> None:
    age = (past.NOW - datetime.now(UTC)).days + 1
    past.write(site.world.database, [replace(case, ago=age) for case in cases])


async def _count(site: Site) -> None:
    def work() -> None:
        ledger.seal_all(site.world.database)
        while quality.count(site.world.database, datetime.now(UTC)):
            pass

    await asyncio.to_thread(work)
