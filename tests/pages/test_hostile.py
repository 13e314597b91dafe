"""What an agent wrote never becomes markup, never hides and is never cut."""

from __future__ import annotations

import html

import httpx

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.hostile_text import reveal_text
from assent.domain.people import Via
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.store.people import Person
from tests.pages.reading import PageReader
from tests.site import HOSTILE, Site

_OWN_SCRIPTS = ("/static/app.js?", "/static/inbox.js?", "/static/request.js?")


async def test_markup_and_hidden_characters_on_every_page(site: Site, ada: Person) -> None:
    proposal = ProposedAction(key="pay", type="desk.pay", arguments={"to": HOSTILE, "amount": 1}, reason=HOSTILE)
    run_id = await site.world.start(
        ProposedAction(key="note", type="desk.note", arguments={"text": HOSTILE}, reason=HOSTILE),
        proposal,
        goal=HOSTILE,
        received={HOSTILE: [HOSTILE]},
    )
    outcome = await site.world.outcome(run_id, "pay", ActionStatus.AWAITING)
    scope = RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)
    plan = await site.world.gateway.preview_rollback(scope, by=ada.acting(Via.WEB))
    async with site.browser(ada) as browser:
        await browser.post("/stop", data=await _form(browser, "/stop", "/stop", cause=HOSTILE))
        for address in (
            "/",
            f"/approvals/{outcome.approval_id}",
            "/runs",
            f"/runs/{run_id}",
            "/ledger",
            "/stop",
            "/stop?scope=agent&name=desk-clerk",
            f"/rollbacks/new?scope=run&id={run_id}",
            f"/rollbacks/{plan.rollback_id}",
        ):
            page = await browser.get(address, follow_redirects=True)
            assert page.status_code == 200, address
            reader = PageReader(page.text)
            assert "⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩" in "".join(reader.marks) or address.startswith("/stop?"), address
            assert not set(page.text) & set("\u202e\u2066\u200b\x07"), address
            for tag, attributes in reader.tags:
                assert not [name for name in attributes if name.startswith("on") or name == "style"], (address, tag)
                assert tag != "script" or attributes["src"].startswith(_OWN_SCRIPTS), address


async def test_a_long_argument_is_shown_completely_and_safely(site: Site, ada: Person) -> None:
    text = "<i>" + "long words " * 90_000 + "\u202e</i>end"
    outcome = await site.waiting(to=text)
    run_id = outcome.action_id.partition(":")[0]
    async with site.browser(ada) as browser:
        page = await browser.get(f"/approvals/{outcome.approval_id}")
        assert page.status_code == 200
        reader = PageReader(page.text)
        assert html.escape(text[:200]) in page.text
        assert f"{len(f'Pay 40 to {text}'):,} characters" in reader.words
        whole = await browser.get(f"/approvals/{outcome.approval_id}/whole.txt")
        assert whole.headers["content-type"].startswith("text/plain")
        assert reveal_text(text) in whole.text
        assert f"/approvals/{outcome.approval_id}/whole.txt" in reader.addresses
        assert "i" not in {tag for tag, _ in reader.tags}
        inbox = await browser.get("/")
        assert "more characters" in inbox.text
        run = await browser.get(f"/runs/{run_id}")
        assert reveal_text(text) in PageReader(run.text).text


async def test_a_key_cannot_break_out_of_an_attribute(site: Site, ada: Person) -> None:
    run_id = await site.finished("a")
    async with site.browser(ada) as browser:
        page = await browser.get("/runs", params={"agent": '"><script>x</script>\u202e'})
        reader = PageReader(page.text)
        assert page.status_code == 200
        assert [tag for tag, _ in reader.tags].count("script") == 1
        ledger = await browser.get("/ledger", params={"run": f'"{run_id}\u202e<'})
        assert 'value="&#34;' in ledger.text
        assert "\u202e" not in ledger.text


async def _form(browser: httpx.AsyncClient, page: str, action: str, **fields: str) -> dict[str, str]:
    return PageReader((await browser.get(page)).text).form(action).fields | fields
