"""The content of a request on its page: every fact of a real run, links that work, and everything of any length."""

from __future__ import annotations

import json

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import RequestCard, Verb
from assent.domain.card_content import content
from assent.domain.card_text import plain_text
from assent.domain.hostile_text import reveal_text, written_out
from assent.domain.passages import BEGINNING
from assent.store.people import Person
from tests.pages.reading import PageReader
from tests.site import Site
from tests.world import action


async def test_the_facts_of_a_real_run_are_on_the_page(site: Site, ada: Person) -> None:
    before = await site.waiting(to="bob", amount=7)
    await site.world.decide(before, Verb.REJECT, reason="Bob is on holiday.")
    await site.world.result(before.action_id.partition(":")[0])
    run_id = await site.world.start(
        action("look", "desk.read", text="the ledger"),
        ProposedAction(key="pay", type="desk.pay", arguments={"to": "bob", "amount": 40.5}, reason="He did the work."),
        goal="Pay the plumber",
        received={"invoice": "No. 12"},
    )
    outcome = await site.world.outcome(run_id, "pay", ActionStatus.AWAITING)
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get(f"/approvals/{outcome.approval_id}")).text)
        for fact in [
            "Pay 40.50 to bob",
            "Moves 40.50",
            "desk/bob",
            "Why it stopped",
            "How it is undone Take 40.50 back from bob",
            "Only if: The record still is as the action left it. Until: 30 d after it was done",
            "If nobody decides within 1h, it is rejected.",
            "In the agent’s own words. Nobody has checked them. He did the work.",
            "Its task Pay the plumber",
            '"invoice": "No. 12"',
            "Read the ledger",
            "Rejected by Ann Approver: “Bob is on holiday.” — Pay 7 to bob",
        ]:
            assert fact in page.words, (fact, page.words)
        assert f"/approvals/{before.approval_id}" in page.addresses
        assert f"/runs/{run_id}" in page.addresses
        assert f"/approvals/{outcome.approval_id}/whole.txt" in page.addresses
        whole = await browser.get(f"/approvals/{outcome.approval_id}/whole.txt")
        kept = RequestCard.model_validate(site.world.approval(outcome.approval_id or "").card)
        assert whole.text == kept.text == plain_text(content(kept))


async def test_a_megabyte_is_an_excerpt_on_the_page_and_whole_as_text(site: Site, ada: Person) -> None:
    note = "<script>alert(1)</script>" + "word " * 190_000 + "\u202eend"
    outcome = await site.waiting(to=note)
    card = RequestCard.model_validate(site.world.approval(outcome.approval_id or "").card)
    async with site.browser(ada) as browser:
        page = await browser.get(f"/approvals/{outcome.approval_id}")
        assert len(page.text) < 300_000
        reader = PageReader(page.text)
        size = len(written_out(card.arguments))
        assert f"Arguments of the call: {size:,} characters; {size - BEGINNING:,} more characters below" in reader.words
        assert f"the whole call of {size:,} characters included" in reader.words
        whole = await browser.get(f"/approvals/{outcome.approval_id}/whole.txt")
        assert (whole.status_code, whole.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in whole.headers["content-security-policy"]
        assert whole.headers["cache-control"] == "no-store"
        assert "\u202e" not in whole.text
        call = whole.text.partition("THE WHOLE CALL\n")[2].splitlines()[1:]
        written = "\n".join(line.removeprefix("    | ") for line in call)
        assert written == reveal_text(written_out(card.arguments))
        assert json.loads(written_out(card.arguments))["to"] == note


async def test_everything_as_text_needs_a_person_and_a_request(site: Site, ada: Person) -> None:
    outcome = await site.waiting()
    address = f"/approvals/{outcome.approval_id}/whole.txt"
    async with site.browser() as stranger:
        answer = await stranger.get(address, follow_redirects=False)
        assert answer.status_code in {303, 401}
        assert "bob" not in answer.text
    async with site.browser(ada) as browser:
        assert (await browser.get(f"{address}?revision=1")).status_code == 200
        assert (await browser.get(f"{address}?revision=2")).status_code == 404
        assert (await browser.get("/approvals/ap-nothing/whole.txt")).status_code == 404
