"""An incident on the pages, from opening it to closing it, as people without scripts do it."""

from __future__ import annotations

import csv
import io
import json

import httpx
import pytest

from assent.domain.approvals import Verb
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Role, Via
from assent.store.people import Person
from tests.pages.reading import PageReader
from tests.site import HOSTILE, Site


async def send(browser: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    """Fill in the first form of a page that goes to an address, and send it."""
    form = PageReader((await browser.get(page)).text).form(action)
    return await browser.post(action, data={**form.fields, **fields})


async def test_from_a_run_to_the_post_mortem(site: Site, olga: Person) -> None:
    decided = await site.waiting(to="carol")
    await site.world.decide(decided, Verb.APPROVE)
    run_id = decided.action_id.partition(":")[0]
    await site.world.result(run_id)
    async with site.browser(olga) as browser:
        opened = await send(browser, f"/runs/{run_id}", "/incidents")
        assert opened.status_code == 303, opened.text
        here = opened.headers["location"]
        again = await send(browser, f"/runs/{run_id}", "/incidents")
        assert again.headers["location"] == here
        page = PageReader((await browser.get(here)).text)
        for told in (
            "Run Pay carol",
            "Olga Operator leads",
            "40.00 moved",
            "Opened, high",
            "1 run added",
            "Not stopped",
        ):
            assert told in page.words, told
        stopped = await send(browser, here, f"{here}/pause", scope="agent", name="desk-clerk")
        assert stopped.status_code == 303, stopped.text
        page = PageReader((await browser.get(here)).text)
        assert "Agent desk-clerk" in page.words
        assert "From open to stopped" in page.words
        assert "Paused and fenced: agent desk-clerk" in page.words
        noted = await send(browser, here, f"{here}/notes", text="Called Bo.")
        assert noted.status_code == 303
        sent = await send(browser, here, f"{here}/told", text="We are on it.", channel="")
        assert sent.status_code == 303
        early = await send(browser, here, f"{here}/state", state="mended")
        assert early.status_code == 303
        refused = await browser.post(
            f"{here}/state", data={"csrf": page.form(f"{here}/notes").fields["csrf"], "state": "closed"}
        )
        assert refused.status_code == 409
        assert "The post-mortem is not written: what happened, cause, changes." in PageReader(refused.text).words
        report = f"{here}/report"
        for section in ("what_happened", "cause", "changes"):
            kept = await send(browser, report, f"{report}/{section}", text=f"Words on {section}.")
            assert kept.status_code == 303, kept.text
        agreed = await send(browser, report, f"{here}/actions", text="Ask twice", owner=olga.id, due="2020-01-31")
        assert agreed.status_code == 303
        todo = PageReader((await browser.get("/incidents/actions")).text)
        assert "1 action is overdue" in todo.words
        assert "Ask twice" in todo.words
        closed = await send(browser, here, f"{here}/state", state="closed")
        assert closed.status_code == 303
        page = PageReader((await browser.get(here)).text)
        assert "Called Bo." in page.words
        assert "We are on it." in page.words
        change = next(form.action for form in todo.forms if form.action.startswith("/incidents/actions/"))
        done = await send(browser, "/incidents/actions", change, state="done")
        assert done.status_code == 303
        assert "No action is open" in PageReader((await browser.get("/incidents/actions")).text).words
    kinds = site.world.events()
    for kind in ("opened", "grouped", "moved", "noted", "told", "written", "action_agreed", "action_moved", "closed"):
        assert f"incident.{kind}" in kinds, kind


async def test_a_pause_says_nothing_of_an_incident_that_not_everybody_may_read(site: Site, olga: Person) -> None:
    async with site.browser(olga) as browser:
        opened = await send(browser, "/incidents/new", "/incidents", title="Carol was paid twice")
        here = opened.headers["location"]
        stopped = await send(browser, here, f"{here}/pause", scope="agent", name="desk-clerk")
        assert stopped.status_code == 303, stopped.text
        assert "Carol was paid twice" in PageReader((await browser.get(here)).text).words
    async with site.browser(site.person("Nora None")) as browser:
        shown = PageReader((await browser.get("/stop")).text).words
    assert f"Incident {here.removeprefix('/incidents/')}, opened by Olga Operator" in shown
    assert "Carol" not in shown


async def test_records_are_found_added_and_exported(site: Site, olga: Person) -> None:
    run_id = await site.finished("=1+1", "milk")
    async with site.browser(olga) as browser:
        opened = await send(browser, "/incidents/new", "/incidents", title="Notes are wrong", began="2020-01-01T00:00")
        here = opened.headers["location"]
        find = f"{here}/find"
        table = PageReader((await browser.get(find, params={"by": "table", "name": "desk", "since": ""})).text)
        assert "Write down milk" in table.words
        record = next(each for each in table.addresses if each.startswith("/runs/"))
        assert run_id in record
        nothing = await browser.get(find, params={"by": "record", "name": "none", "since": ""})
        assert "Nothing was done to it" in nothing.text
        form = table.form(find)
        added = await browser.post(find, data={**table.forms[-1].fields, "kind": "record"})
        assert added.status_code == 303, (form, added.text)
        page = PageReader((await browser.get(here)).text)
        assert "records added" in page.words or "1 record added" in page.words
        again = await browser.post(find, data={**table.forms[-1].fields, "kind": "run"})
        assert again.status_code == 303
        exported = await browser.get(f"{here}/affected.csv")
        assert exported.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(exported.text)))
        assert {row["run_id"] for row in rows} == {run_id}
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
        objects = json.loads((await browser.get(f"{here}/affected.json")).text)
        assert len(objects) == len(rows) == 2
        assert {each["sentence"] for each in objects} == {"Write down =1+1", "Write down milk"}


async def test_from_a_pause(site: Site, olga: Person) -> None:
    pause_id = await site.world.gateway.pause(
        Scope(kind=ScopeKind.AGENT, name="desk-clerk"), by=olga.acting(Via.WEB), cause="Too many refunds"
    )
    async with site.browser(olga) as browser:
        opened = await send(browser, f"/incidents/new?pause={pause_id}", "/incidents")
        assert opened.status_code == 303, opened.text
        page = PageReader((await browser.get(opened.headers["location"])).text)
    assert "Too many refunds" in page.words
    assert "From open to stopped" in page.words


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR])
async def test_who_may(site: Site, olga: Person, role: Role) -> None:
    async with site.browser(olga) as browser:
        here = (await send(browser, "/incidents/new", "/incidents", title="x")).headers["location"]
    async with site.browser(site.person("Pia Plain", role)) as browser:
        page = await browser.get(here)
        assert page.status_code == (200 if role is Role.AUDITOR else 403)
        csrf = PageReader((await browser.get("/account")).text).forms[-1].fields["csrf"]
        for address in ("/incidents", f"{here}/notes", f"{here}/state", f"{here}/report/cause", f"{here}/find"):
            assert (await browser.post(address, data={"csrf": csrf, "text": "x"})).status_code == 403, address
        front = (await browser.get("/")).text
        assert ('href="/incidents"' in front) == (role is Role.AUDITOR)


async def test_hostile_words_stay_words(site: Site, olga: Person) -> None:
    async with site.browser(olga) as browser:
        opened = await send(
            browser, "/incidents/new", "/incidents", title=HOSTILE.replace("\x07", ""), record=HOSTILE[:50]
        )
        here = opened.headers["location"]
        assert (await send(browser, here, f"{here}/notes", text=HOSTILE)).status_code == 303
        report = f"{here}/report"
        assert (await send(browser, report, f"{report}/cause", text=HOSTILE)).status_code == 303
        for address in (here, report, "/incidents", f"{here}/find?name=x"):
            page = await browser.get(address)
            assert page.status_code == 200
            reader = PageReader(page.text)
            assert not [tag for tag, _ in reader.tags if tag == "b"], address
            assert "<script>alert" not in page.text, address


async def test_two_writers_of_one_section(site: Site, olga: Person) -> None:
    async with site.browser(olga) as browser:
        here = (await send(browser, "/incidents/new", "/incidents", title="x")).headers["location"]
        report = f"{here}/report"
        assert (await send(browser, report, f"{report}/cause", text="Mine.")).status_code == 303
        late = await send(browser, report, f"{report}/cause", text="Theirs.", after="0")
        assert late.status_code == 409
        page = PageReader(late.text)
        assert "Somebody else has changed this section" in page.words
        assert page.form(f"{report}/cause").fields["text"].strip() == "Theirs."


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/incidents?state=odd", 422),
        ("/incidents/none", 404),
        ("/incidents/a%00b", 404),
        ("/incidents/actions?state=odd", 422),
    ],
)
async def test_what_makes_no_sense(site: Site, olga: Person, path: str, status: int) -> None:
    async with site.browser(olga) as browser:
        assert (await browser.get(path)).status_code == status


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("state", {"state": "odd"}, 422),
        ("state", {"state": "closed"}, 409),
        ("parts", {"kind": "run", "refs": "run-none"}, 404),
        ("parts", {"kind": "odd", "refs": "x"}, 422),
        ("notes", {"text": "  "}, 422),
        ("told", {"text": "x", "channel": "pigeon"}, 422),
        ("pause", {"scope": "agent", "name": "nobody"}, 404),
        ("change", {"title": ""}, 422),
        ("change", {"title": "x", "began": "2999-01-01T00:00"}, 409),
        ("find", {"by": "odd", "name": "x", "kind": "run"}, 422),
        ("actions", {"text": "x", "owner": "nobody", "due": "2030-01-01"}, 404),
        ("actions", {"text": "x", "due": "someday"}, 422),
    ],
)
async def test_bad_input_is_refused_with_words(
    site: Site, olga: Person, action: str, fields: dict[str, str], status: int
) -> None:
    async with site.browser(olga) as browser:
        here = (await send(browser, "/incidents/new", "/incidents", title="x")).headers["location"]
        csrf = PageReader((await browser.get(here)).text).form(f"{here}/notes").fields["csrf"]
        page = await browser.post(f"{here}/{action}", data={"csrf": csrf, **fields})
    assert page.status_code == status, page.text
    assert 'role="alert"' in page.text
