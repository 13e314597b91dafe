"""Everything on the page of a request works by plain posts, binds to what was shown, and shows agents' words safely."""

from __future__ import annotations

import httpx
import pytest

from assent.domain.actions import ActionStatus
from assent.domain.people import Role
from assent.store.people import Person
from tests.browser.cards import GENEROUS, PROVEN
from tests.pages.reading import Form, PageReader
from tests.site import HOSTILE, Site
from tests.world import AGENT, action


async def _form(browser: httpx.AsyncClient, page: str, to: str) -> Form:
    answer = await browser.get(page)
    assert answer.status_code == 200
    return PageReader(answer.text).form(to)


async def test_a_quorum_counts_votes_and_takes_one_back(site: Site, ada: Person) -> None:
    site.world.publish(GENEROUS)
    waiting = await site.waiting(amount=900)
    page, to = f"/approvals/{waiting.approval_id}", f"/approvals/{waiting.approval_id}/decision"
    async with site.browser(ada) as browser:
        form = await _form(browser, page, to)
        answer = await browser.post(to, data=form.fields | {"verb": "approve"})
        after = PageReader((await browser.get(answer.headers["location"])).text)
        assert "1 of 2 approvals" in after.words
        assert "You approved it." in after.words
        taken = await browser.post(to, data=after.form(to).fields | {"verb": "withdraw"})
        back = PageReader((await browser.get(taken.headers["location"])).text)
    assert "0 of 2 approvals" in back.words
    assert "took it back" in back.words
    assert site.world.desk.done == []


async def test_editing_by_posts_alone(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    to = f"/approvals/{waiting.approval_id}/edit"
    async with site.browser(ada) as browser:
        form = await _form(browser, to, to)
        assert form.fields["/amount"] == "40"
        wrong = await browser.post(to, data=form.fields | {"/amount": "-1"} | {"step": "send"})
        assert wrong.status_code == 422
        assert "needs another look" in PageReader(wrong.text).words
        look = PageReader((await browser.post(to, data=form.fields | {"/amount": "35", "step": "look"})).text)
        assert "Votes that were given count no more" in look.words
        sent = await browser.post(to, data=look.form(to).fields | {"step": "send"})
        assert sent.status_code == 303
        after = PageReader((await browser.get(sent.headers["location"])).text)
        assert "Pay 35 to bob" in after.words
        assert "This is revision 2." in after.words
        again = await browser.post(to, data=look.form(to).fields | {"step": "send", "click": "another"})
    assert again.status_code == 409
    assert "It has changed since you opened it" in PageReader(again.text).words


async def test_hostile_arguments_survive_an_edit_of_something_else(site: Site, ada: Person) -> None:
    waiting = await site.waiting(to=HOSTILE)
    to = f"/approvals/{waiting.approval_id}/edit"
    async with site.browser(ada) as browser:
        page = await browser.get(to)
        assert not set(page.text) & set("\u202e\u2066\u200b\x07")
        form = PageReader(page.text).form(to)
        assert "\\u202eelbisivni" in form.fields["/to"]
        look = PageReader((await browser.post(to, data=form.fields | {"/amount": "35", "step": "look"})).text)
        assert [tag for tag, _ in look.tags].count("script") == 1
        sent = await browser.post(to, data=look.form(to).fields | {"step": "send"})
        assert sent.status_code == 303
    card = site.world.approval(waiting.approval_id or "").card
    assert card["arguments"] == {"to": HOSTILE, "amount": 35}


@pytest.mark.parametrize("typed", ["⟨U+202E ×999999999999⟩", f"⟨U+202E ×{'9' * 5000}⟩", "⟨U+110000⟩", "⟨U+D800⟩"])
async def test_marks_that_nobody_made_do_no_harm(site: Site, ada: Person, typed: str) -> None:
    waiting = await site.waiting()
    to = f"/approvals/{waiting.approval_id}/edit"
    async with site.browser(ada) as browser:
        fields = (await _form(browser, to, to)).fields
        answers = [await browser.post(to, data=fields | {"/to": typed, "step": step}) for step in ("look", "send")]
    assert {answer.status_code for answer in answers} <= {200, 303, 422}
    assert site.world.desk.done == []


async def test_talk_by_posts_alone_and_the_agents_answer_is_marked(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    to = f"/approvals/{waiting.approval_id}/comments"
    async with site.browser(ada) as browser:
        form = await _form(browser, f"/approvals/{waiting.approval_id}", to)
        empty = await browser.post(to, data=form.fields | {"text": " ", "kind": "comment"})
        assert empty.status_code == 422
        asked = await browser.post(to, data=form.fields | {"text": "Which invoice?", "kind": "question"})
        assert asked.status_code == 303
        (question,) = await site.world.gateway.questions(waiting.action_id.partition(":")[0])
        await site.world.gateway.answer(waiting.approval_id or "", question.id, HOSTILE, by=AGENT)
        page = await browser.get(f"/approvals/{waiting.approval_id}")
    reader = PageReader(page.text)
    assert "The agent answers. Nobody has checked it." in reader.words
    assert "⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩" in "".join(reader.marks)
    assert not set(page.text) & set("\u202e\u2066\u200b\x07")


async def test_several_by_posts_alone_each_with_its_own_digest(site: Site, ada: Person) -> None:
    first = await site.waiting()
    second = await site.waiting(to="carol")
    async with site.browser(ada) as browser:
        page = await browser.get("/decide", params={"id": [first.approval_id, second.approval_id, "nothing"]})
        reader = PageReader(page.text)
        items = [attributes["value"] for tag, attributes in reader.tags if attributes.get("name") == "item"]
        assert items == [f"{each.approval_id}:{each.digest}" for each in (first, second)]
        assert "1 request is not known here." in reader.words
        stale = [items[0], f"{second.approval_id}:{'0' * 64}"]
        fields = {name: value for name, value in reader.form("/decide").fields.items() if name != "item"}
        answer = await browser.post("/decide", data=fields | {"verb": "approve", "item": stale})
    words = PageReader(answer.text).words
    assert "1 of 2 sent" in words
    assert "The request no longer shows what you saw." in words
    await site.world.outcome(first.action_id.partition(":")[0], "pay", ActionStatus.DONE)
    assert site.world.approval(second.approval_id or "").status == "pending"


async def test_a_grant_by_posts_alone(site: Site, ada: Person) -> None:
    site.world.publish(GENEROUS)
    waiting = await site.waiting()
    to = f"/approvals/{waiting.approval_id}/grant"
    async with site.browser(ada) as browser:
        form = await _form(browser, to, to)
        values = form.fields | {
            "kind:amount": "range",
            "max:amount": "50",
            "kind:to": "is",
            "uses": "999",
            "step": "send",
        }
        refused = await browser.post(to, data=values)
        assert refused.status_code == 422
        assert "Choose a whole number from 1 to 20." in PageReader(refused.text).words
        look = PageReader((await browser.post(to, data=values | {"uses": "2", "step": "look"})).text)
        assert "amount is at most 50" in look.words
        given = await browser.post(to, data=look.form(to).fields | {"step": "send"})
    assert given.status_code == 303
    run_id = await site.world.start(action("pay", "desk.pay", to="bob", amount=12))
    assert (await site.world.outcome(run_id, "pay")).status is ActionStatus.DONE


async def test_what_needs_a_fresh_proof_is_not_sent_and_says_where_to_go(site: Site, ada: Person) -> None:
    waiting = await site.waiting()
    async with site.browser(ada) as browser:
        form = await _form(browser, f"/approvals/{waiting.approval_id}", f"/approvals/{waiting.approval_id}/decision")
        site.world.publish(PROVEN)
        needing = await site.waiting(to="carol")
        to = f"/approvals/{needing.approval_id}/decision"
        fields = form.fields | {"digest": needing.digest or "", "verb": "approve"}
        answer = await browser.post(to, data=fields)
    assert answer.status_code == 403
    reader = PageReader(answer.text)
    assert "Confirm that it is you" in reader.words
    assert f"/account/confirm?next=%2Fapprovals%2F{needing.approval_id}" in reader.addresses
    assert site.world.approval(needing.approval_id or "").status == "pending"


async def test_somebody_without_a_voice_gets_no_controls(site: Site) -> None:
    waiting = await site.waiting()
    async with site.browser(site.person("Olga Observer", Role.AUDITOR)) as browser:
        for page in ("edit", "grant", "plan", "hand"):
            answer = await browser.get(f"/approvals/{waiting.approval_id}/{page}")
            assert answer.status_code == 200
            reader = PageReader(answer.text)
            assert not [form for form in reader.forms if form.action.endswith(page) and form.method == "post"], page


async def test_views_are_ones_own_and_their_links_are_for_all(site: Site, ada: Person) -> None:
    await site.waiting(amount=300)
    async with site.browser(ada) as browser, site.browser(site.person("Bo Other", Role.APPROVER)) as other:
        csrf = PageReader((await browser.get("/")).text).form("/sign-out").fields["csrf"]
        fields = {"csrf": csrf, "name": f"Big {HOSTILE}"[:60], "query": "who=all&least=100&sort=amount&unknown=1"}
        saved = await browser.post("/views", data=fields)
        link = saved.headers["location"]
        followed = await other.get(link)
        assert followed.headers["location"].startswith("/?who=all&least=100&sort=amount&view=")
        words = PageReader((await other.get(followed.headers["location"])).text).words
        assert "of Ada Admin" in words
        theirs = PageReader((await other.get("/")).text).form("/sign-out").fields["csrf"]
        assert (await other.post(f"{link}/remove", data={"csrf": theirs})).status_code == 404
        assert (await browser.post(f"{link}/remove", data={"csrf": csrf})).status_code == 303
        assert (await browser.get(link)).status_code == 404
        assert (await browser.post("/views", data=fields | {"name": " "})).status_code == 422


async def test_filters_that_make_no_sense(site: Site, ada: Person) -> None:
    async with site.browser(ada) as browser:
        for query in ("sort=odd", "least=much", "older=2y", "due=never", "who=me", "cursor=odd", f"agent={'x' * 300}"):
            page = await browser.get(f"/?{query}")
            assert page.status_code == 422, query
            assert "Not understood" in PageReader(page.text).words
