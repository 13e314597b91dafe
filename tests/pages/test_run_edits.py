"""A run's page tells of edits, of talk, and of what was proposed instead of what."""

from __future__ import annotations

from typing import Any

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import Verb
from assent.store.people import Person
from tests.pages.reading import PageReader
from tests.site import HOSTILE, Site
from tests.world import AGENT, ANN, action


async def edit(site: Site, waiting: ActionOutcome, reason: str = "", **arguments: Any) -> None:
    gateway = site.world.gateway
    sent = await gateway.revise(
        waiting.approval_id or "", arguments, digest=waiting.digest or "", by=ANN, reason=reason
    )
    while await gateway.edited(sent.id, wait_seconds=10) is None:
        pass


async def test_edits_and_talk_are_told(site: Site, ada: Person) -> None:
    run_id = await site.world.start(action("pay", "desk.pay", to="bob", amount=40))
    waiting = await site.world.outcome(run_id, "pay", ActionStatus.AWAITING)
    await edit(site, waiting, to="mallory", amount=1)
    await edit(site, waiting, "Half of it arrived.", to=HOSTILE, amount=20)
    asked = await site.world.gateway.ask(waiting.approval_id or "", "Which half?", by=ANN)
    await site.world.gateway.answer(waiting.approval_id or "", asked.id, HOSTILE, by=AGENT)
    await site.world.decide(await site.world.outcome(run_id, "pay", ActionStatus.AWAITING), Verb.APPROVE)
    await site.world.result(run_id)
    async with site.browser(ada) as browser:
        page = (await browser.get(f"/runs/{run_id}")).text
    reader = PageReader(page)
    for told in (
        "changed the arguments",
        "revision 2",
        "Half of it arrived.",
        "It was refused, and the request stayed as it was. The card says never: Mallory is never paid.",
        "2 entries about the request",
        "They saw revision 2.",
    ):
        assert told in reader.words, told
    assert "<script>alert" not in page
    assert "\u202e" not in page


async def test_what_was_proposed_again_leads_to_what_was_refused(site: Site, ada: Person) -> None:
    run_id = await site.world.start(open=True)
    refused = await site.world.gateway.propose(run_id, action("first", "desk.pay", to="mallory", amount=1), by=AGENT)
    assert refused.status is ActionStatus.REFUSED
    again = action("second", "desk.note", text="Not paid.").model_copy(update={"instead_of": "first"})
    await site.world.gateway.propose(run_id, again, by=AGENT)
    async with site.browser(ada) as browser:
        page = (await browser.get(f"/runs/{run_id}")).text
    assert "Proposed instead of first." in PageReader(page).words
    assert 'href="#first"' in page
    assert 'id="first"' in page
