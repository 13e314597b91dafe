"""Undoing from pages: chosen, shown first, bound to what was shown, watched, and dealt with to the end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from assent.domain.approvals import Verb
from assent.domain.people import Role
from assent.domain.rollbacks import RollbackStatus
from assent.store.people import Person
from assent.store.queries import rollbacks
from assent.store.queries.rollbacks import RollbackView
from assent.store.tables import NoticeRow, RollbackRow
from assent_activities.connectors import ActionFailed
from tests.desk import CARD
from tests.pages.reading import PageReader
from tests.site import HOSTILE, Site
from tests.world import action

ASKS = CARD + "\nrollback: {tier: approve}\n"


async def _tips(site: Site, *people: str) -> list[str]:
    runs = []
    for to in people:
        runs.append(await site.world.start(action("tip", "desk.tip", to=to, amount=2)))
        await site.world.result(runs[-1])
    return runs


async def _looked(browser: httpx.AsyncClient, address: str) -> httpx.Response:
    """What comes of the button that has this address."""
    csrf = (await _page(browser, "/undo")).form("/sign-out").fields["csrf"]
    return await browser.post(address, data={"csrf": csrf}, follow_redirects=True)


async def _preview(browser: httpx.AsyncClient, address: str) -> PageReader:
    """A preview, as a browser that follows comes to it."""
    answer = await _looked(browser, address)
    assert answer.status_code == 200, answer.text
    return PageReader(answer.text)


async def _confirm(browser: httpx.AsyncClient, preview: PageReader, reason: str = "") -> str:
    """Press the button; gives the address that it leads to."""
    answer = await browser.post("/rollbacks", data=preview.form("/rollbacks").fields | {"reason": reason})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def _page(browser: httpx.AsyncClient, address: str) -> PageReader:
    return PageReader((await browser.get(address)).text)


def _told(site: Site) -> list[NoticeRow]:
    """What contacts were told of."""
    with site.world.database.read() as session:
        return list(session.execute(select(NoticeRow)).scalars())


async def _until(site: Site, address: str, *wanted: RollbackStatus) -> RollbackView:
    rollback_id = address.removeprefix("/rollbacks/").partition("?")[0]

    def there() -> RollbackView | None:
        with site.world.database.read() as session:
            found = rollbacks.header(session, rollback_id)
        return found if found.status in wanted else None

    return await site.world.eventually(there)


async def test_every_kind_of_scope_can_be_chosen(site: Site, ada: Person) -> None:
    (run_id,) = await _tips(site, "bob")
    async with site.browser(ada) as browser:
        choices = await _page(browser, "/undo")
        kinds = [each for each in choices.addresses if each.startswith("/undo?kind=")]
        assert len(kinds) == 7
        for address in kinds:
            page = await _page(browser, address)
            assert page.form("/rollbacks/new").fields["scope"] == address.partition("=")[2]
        assert "desk.pay" in (await browser.get("/undo?kind=type")).text
        assert f"/rollbacks/new?scope=run&id={run_id}" in (await _page(browser, "/undo?kind=run")).addresses
        for query in (
            "scope=agent&id=desk-clerk&ago=60",
            "scope=version&id=desk-clerk&version=1&ago=60",
            "scope=type&id=desk.tip&ago=60",
            "scope=record&id=desk/bob",
            f"scope=run&id={run_id}",
            f"scope=action&id={run_id}:tip",
        ):
            preview = await _preview(browser, f"/rollbacks/new?{query}")
            assert "1 effect can be undone" in preview.words, query
            assert "Take 2 back from bob" in preview.words, query
    assert site.world.desk.undone == []


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("scope=agent&id=nobody&ago=60", 404, "There is no agent"),
        ("scope=run&id=none", 404, "There is no run"),
        ("scope=action&id=none:a", 404, "There is no action"),
        ("scope=agent&id=desk-clerk", 422, "says since when"),
        ("scope=agent&id=desk-clerk&since=2999-01-01T00:00", 422, "is in the future"),
        ("scope=agent&id=desk-clerk&since=2020-01-02T00:00&until=2020-01-01T00:00", 422, "ends before it begins"),
        ("scope=agent&id=desk-clerk&since=soon", 422, "This is no time."),
        ("scope=agent&id=", 422, "Nothing is chosen."),
    ],
)
async def test_what_cannot_be_meant_is_asked_again(
    site: Site, ada: Person, query: str, status: int, words: str
) -> None:
    async with site.browser(ada) as browser:
        answer = await _looked(browser, f"/rollbacks/new?{query}")
    page = PageReader(answer.text)
    assert answer.status_code == status
    assert words in page.words
    assert page.form("/rollbacks/new").fields["scope"] == query.partition("&")[0].partition("=")[2]


async def test_a_link_alone_has_nothing_looked_at(site: Site, ada: Person) -> None:
    (run_id,) = await _tips(site, "bob")
    async with site.browser(ada) as browser:
        for query, wanted in (
            (f"scope=run&id={run_id}", {"id": run_id}),
            (f"scope=run&id={run_id}&later=1", {"id": run_id, "later": "1"}),
            ("scope=agent&id=desk-clerk&since=2030-01-31T14:00:05%2B02:00", {"since": "2030-01-31T12:00:05"}),
            ("scope=version&id=desk-clerk@1&ago=60", {"version": "1"}),
            # What is not to be chosen from stays as it was named.
            ("scope=agent&id=nobody&ago=60", {"id": "nobody"}),
        ):
            shown = await browser.get(f"/rollbacks/new?{query}")
            assert shown.status_code == 200
            page = PageReader(shown.text)
            # What is to be chosen comes first on a phone, so nothing is offered that was chosen already.
            assert "/undo" in page.addresses
            assert not [each for each in page.addresses if each.startswith("/undo?kind=")]
            form = page.form("/rollbacks/new")
            assert (form.method, form.fields["scope"]) == ("post", query[6:].partition("&")[0])
            assert wanted.items() <= form.fields.items(), query
        with site.world.database.read() as session:
            assert session.execute(select(RollbackRow)).all() == []
        fields = (await _page(browser, f"/rollbacks/new?scope=run&id={run_id}")).form("/rollbacks/new").fields
        preview = await browser.post("/rollbacks/new", data=fields, follow_redirects=True)
        assert "1 effect can be undone" in PageReader(preview.text).words
        foreign = await browser.post("/rollbacks/new", data=fields | {"csrf": "x"})
        assert foreign.status_code == 403


async def test_a_preview_is_for_those_who_have_to_do_with_undoing(site: Site, ada: Person) -> None:
    (run_id,) = await _tips(site, "bob")
    address = f"/rollbacks/new?scope=run&id={run_id}"
    nobody = site.person("Nora None")
    async with site.browser(nobody) as browser:
        assert "Looking needs a role" in (await _page(browser, "/undo")).words
        refused = await _looked(browser, address)
        assert refused.status_code == 403
        assert "Nora None may not look at what undoing would do." in PageReader(refused.text).words
        for scope in ("scope=record&id=desk/bob", "scope=type&id=desk.tip&ago=60"):
            assert (await _looked(browser, f"/rollbacks/new?{scope}")).status_code == 403
        # Whom the agent's card lets undo needs no role.
        site.world.publish(CARD + f"rollback: {{by: [{nobody.email}]}}\n")
        assert (await _looked(browser, address)).status_code == 200
    with site.world.database.read() as session:
        assert [row.requested_by["name"] for row in session.execute(select(RollbackRow)).scalars()] == ["Nora None"]


async def test_a_mass_undo_with_a_conflict_says_what_is_left_and_why(site: Site, ada: Person) -> None:
    await _tips(site, "bob", "carol", "dora")
    site.world.desk.balances["carol"] = 1
    async with site.browser(ada) as browser:
        preview = await _preview(browser, "/rollbacks/new?scope=agent&id=desk-clerk&ago=60")
        assert "2 effects can be undone" in preview.words
        assert "Will be undone 2 Changed since 1" in preview.words
        assert "1 effect will be left for a person" in preview.words
        assert "carol has spent some of it." in preview.words
        alone = next(each for each in preview.addresses if "verdict=conflict" in each)
        conflicts = await _page(browser, alone.partition("#")[0])
        assert "carol has spent some of it." in conflicts.words
        assert "Tip bob" not in conflicts.words
        address = await _confirm(browser, preview, "The wrong list.")
        found = await _until(site, address, RollbackStatus.NEEDS_PERSON)
        assert found.reason == "The wrong list."
        (told,) = _told(site)
        assert told.headline == "A rollback left something for a person"
        assert "2 effects undone, 1 left" in told.text
        page = await _page(browser, address)
        assert "2 effects undone, 1 left for a person" in page.words
        assert "The wrong list." in page.words
        left = await _page(browser, f"{address}?outcome=left")
        assert "Tip bob" not in left.words
        listed = await _page(browser, "/rollbacks?status=needs_person")
        assert address in listed.addresses
    assert sorted(site.world.desk.undone) == sorted(site.world.desk.undone)
    assert site.world.desk.balances == {"bob": 0, "carol": 1, "dora": 0}


async def test_later_work_of_agents_is_named_and_can_be_included(site: Site, ada: Person) -> None:
    first, second = await _tips(site, "bob", "bob")
    async with site.browser(ada) as browser:
        preview = await _preview(browser, f"/rollbacks/new?scope=run&id={first}")
        assert "There is nothing to undo" in preview.words
        assert "was changed later by the agent desk-clerk" in preview.words
        assert f"/runs/{second}#tip" in preview.addresses
        assert "Later work of agents stands in the way" in preview.words
        included = next(each for each in preview.addresses if each.startswith("/rollbacks/new") and "later=1" in each)
        both = await _preview(browser, included)
        assert "2 effects can be undone" in both.words
        assert "Included" in both.words
        address = await _confirm(browser, both)
        await _until(site, address, RollbackStatus.DONE)
    assert site.world.desk.balances == {"bob": 0}


async def test_a_preview_that_the_world_left_behind_leads_to_the_new_one(site: Site, ada: Person) -> None:
    await _tips(site, "bob", "carol")
    async with site.browser(ada) as browser:
        preview = await _preview(browser, "/rollbacks/new?scope=agent&id=desk-clerk&ago=60")
        site.world.desk.balances["carol"] = 1
        await _tips(site, "dora")
        address = await _confirm(browser, preview, "The wrong list.")
        assert site.world.desk.undone == []
        anew = await _page(browser, address)
        assert "Nothing was undone: the world changed since you looked" in anew.words
        assert "was “will be undone”, now is “changed since”: carol has spent some of it." in anew.words
        assert "“Tip dora with 2” was not in it: will be undone." in anew.words
        form = anew.form("/rollbacks")
        assert form.fields["reason"] == "The wrong list."
        assert form.fields["digest"] != preview.form("/rollbacks").fields["digest"]
        address = await _confirm(browser, anew, form.fields["reason"])
        await _until(site, address, RollbackStatus.NEEDS_PERSON)
    assert site.world.desk.balances == {"bob": 0, "carol": 1, "dora": 0}


async def test_a_run_is_undone_from_its_page_and_tells_so(site: Site, ada: Person) -> None:
    (run_id,) = await _tips(site, "bob")
    async with site.browser(ada) as browser:
        run = await _page(browser, f"/runs/{run_id}")
        link = next(each for each in run.addresses if each.startswith("/rollbacks/new?scope=run"))
        address = await _confirm(browser, await _preview(browser, link), "Wrong Bob.")
        await _until(site, address, RollbackStatus.DONE)
        told = await _page(browser, f"/runs/{run_id}")
        assert "Undone" in told.words
        assert address in told.addresses
        record = await _page(browser, "/records/desk/bob")
        assert "Taken back" in record.words
        assert address in record.addresses
    (action_id,) = site.world.desk.undone
    assert action_id == f"{run_id}:tip#undo"


async def test_nothing_is_undone_without_a_preview(site: Site, ada: Person) -> None:
    (run_id,) = await _tips(site, "bob")
    async with site.browser(ada) as browser:
        csrf = (await _page(browser, "/undo")).form("/sign-out").fields["csrf"]
        answer = await browser.post("/rollbacks", data={"scope": "run", "id": run_id, "csrf": csrf})
        assert answer.status_code == 422
        assert "Undoing begins with a preview." in PageReader(answer.text).words
    assert site.world.desk.undone == []


async def test_a_rollback_is_held_and_goes_on(site: Site, ada: Person) -> None:
    await _tips(site, *(f"p{number}" for number in range(6)))
    reached, go = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        reached.set()
        go.wait(30)

    site.world.desk.undo_trouble = wait
    async with site.browser(ada) as browser:
        preview = await _preview(browser, "/rollbacks/new?scope=agent&id=desk-clerk&ago=60")
        address = await _confirm(browser, preview)
        await site.world.eventually(reached.is_set)
        page = await _page(browser, address)
        assert "Undoing 6 effects" in page.words
        hold = page.form(f"{address}/hold")
        assert (await browser.post(hold.action, data=hold.fields)).status_code == 303
        go.set()
        held = await _page(browser, address)
        assert "It is held" in held.words
        assert "Ada Admin" in held.words
        go_on = held.form(f"{address}/continue")
        assert (await browser.post(go_on.action, data=go_on.fields)).status_code == 303
        await _until(site, address, RollbackStatus.DONE)
        assert "6 effects undone" in (await _page(browser, address)).words
        again = await browser.post(hold.action, data=hold.fields)
        assert again.status_code == 409
        assert "6 effects undone" in PageReader(again.text).words
    assert len(site.world.desk.undone) == 6


async def test_the_rest_is_tried_again_resolved_by_hand_or_accepted(site: Site, ada: Person) -> None:
    people = ["bob", "carol", "dora", "eve"]
    await _tips(site, *people)
    for person in people:
        site.world.desk.balances[person] = 1
    async with site.browser(ada) as browser:
        first = await _preview(browser, "/rollbacks/new?scope=agent&id=desk-clerk&ago=60")
        assert "4 effects will be left for a person" in first.words
        for person in people:
            site.world.desk.balances[person] = 2
        preview = await _preview(browser, "/rollbacks/new?scope=agent&id=desk-clerk&ago=60")

        def refused(_: object) -> None:
            raise ActionFailed("The desk keeps it.")

        site.world.desk.undo_trouble = refused
        address = await _confirm(browser, preview)
        await _until(site, address, RollbackStatus.NEEDS_PERSON)
        page = await _page(browser, address)
        assert "4 left for a person" in page.words
        csrf = page.form("/sign-out").fields["csrf"]
        rest = f"{address}/rest"
        nothing = await browser.post(rest, data={"csrf": csrf, "do": "retry"})
        assert nothing.status_code == 422
        assert "Nothing is ticked." in PageReader(nothing.text).words
        silent = await browser.post(rest, data={"csrf": csrf, "do": "by_hand", "step": "0", "note": " "})
        assert silent.status_code == 422
        assert "This needs a note." in PageReader(silent.text).words
        done = {"csrf": csrf, "do": "by_hand", "step": "0", "note": "Asked eve.", "evidence": "letter 7"}
        assert (await browser.post(rest, data=done)).status_code == 303
        page = await _page(browser, address)
        assert "Resolved by hand Ada Admin" in page.words
        assert "Asked eve." in page.words
        assert "letter 7" in page.words
        twice = await browser.post(rest, data=done)
        assert twice.status_code == 409
        assert "1 effect stayed as it was" in PageReader(twice.text).words
        both = {"csrf": csrf, "do": "accepted", "step": ["1", "2"], "note": "Small sums."}
        assert (await browser.post(rest, data=both)).status_code == 303
        assert "3 settled by people, 1 left for a person" in (await _page(browser, address)).words
        site.world.desk.undo_trouble = lambda call: None
        assert (await browser.post(rest, data={"csrf": csrf, "do": "retry_all"})).status_code == 303
        await _until(site, address, RollbackStatus.DONE)
        assert "1 effect undone, 3 settled by people" in (await _page(browser, address)).words
    assert len(site.world.desk.undone) == 1


async def test_who_must_agree_sees_what_and_decides_there(site: Site, ada: Person) -> None:
    site.world.publish(ASKS)
    await _tips(site, "bob")
    annie = site.person("Annie Approver", Role.APPROVER)
    async with site.browser(ada) as asking, site.browser(annie) as agreeing:
        preview = await _preview(asking, "/rollbacks/new?scope=agent&id=desk-clerk&ago=60")
        address = await _confirm(asking, preview, "Mistake.")
        mine = await _page(asking, address)
        assert "It waits for approval" in mine.words
        (told,) = _told(site)
        assert told.headline == "A rollback waits for approval"
        assert "Ada Admin wants to undo 1 effect, of agent desk-clerk since" in told.text
        assert "Reason: Mistake." in told.text
        assert (told.path, told.email) == (address, "bo@example.com")
        assert "has every undo approved" in mine.words
        assert "so somebody else must approve it" in mine.words
        page = await _page(agreeing, address)
        form = page.form(f"{address}/decide")
        silent = await agreeing.post(form.action, data=form.fields | {"verb": "reject"})
        assert silent.status_code == 422
        assert "A rejection needs a reason." in PageReader(silent.text).words
        other = await agreeing.post(form.action, data=form.fields | {"verb": "approve", "digest": "0" * 64})
        assert other.status_code == 409
        assert site.world.desk.undone == []
        answer = await agreeing.post(form.action, data=form.fields | {"verb": "approve"})
        assert answer.status_code == 303
        await _until(site, address, RollbackStatus.DONE)
        assert "1 effect undone" in (await _page(agreeing, address)).words


async def test_a_rejected_or_withdrawn_rollback_undoes_nothing(site: Site, ada: Person) -> None:
    site.world.publish(ASKS)
    await _tips(site, "bob")
    annie = site.person("Annie Approver", Role.APPROVER)
    async with site.browser(ada) as asking, site.browser(annie) as agreeing:
        for how in ("decide", "withdraw"):
            preview = await _preview(asking, "/rollbacks/new?scope=agent&id=desk-clerk&ago=60")
            address = await _confirm(asking, preview)
            browser = agreeing if how == "decide" else asking
            form = (await _page(browser, address)).form(f"{address}/{how}")
            said = form.fields | {"verb": "reject", "reason": "Bob may keep it."}
            assert (await browser.post(form.action, data=said)).status_code == 303
            await _until(site, address, RollbackStatus.REFUSED)
            page = await _page(asking, address)
            assert "Nothing was undone" in page.words
            assert "Bob may keep it." in page.words
    assert site.world.desk.undone == []


async def test_who_may_not_undo_sees_the_preview_and_why(site: Site, ada: Person) -> None:
    (run_id,) = await _tips(site, "bob")
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        preview = await _preview(browser, f"/rollbacks/new?scope=run&id={run_id}")
        assert "You can look, not undo" in preview.words
        assert "Pia Plain may not undo what The desk clerk did" in preview.words
        assert not [form for form in preview.forms if form.action == "/rollbacks"]
    async with site.browser(ada) as theirs:
        fields = (await _preview(theirs, f"/rollbacks/new?scope=run&id={run_id}")).form("/rollbacks").fields
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        csrf = (await _page(browser, "/undo")).form("/sign-out").fields["csrf"]
        refused = await browser.post("/rollbacks", data=fields | {"csrf": csrf})
        assert refused.status_code == 403
        assert "may not undo" in PageReader(refused.text).words
    assert site.world.desk.undone == []


async def test_what_agents_wrote_stays_text_on_every_page_of_undoing(site: Site, ada: Person) -> None:
    waiting = await site.waiting(to=HOSTILE)
    await site.world.decide(waiting, Verb.APPROVE)
    run_id = waiting.action_id.partition(":")[0]
    await site.world.result(run_id)
    site.world.desk.balances[HOSTILE] = 1
    async with site.browser(ada) as browser:
        left = await _looked(browser, f"/rollbacks/new?scope=run&id={run_id}")
        site.world.desk.balances[HOSTILE] = 40
        preview = await _preview(browser, f"/rollbacks/new?scope=run&id={run_id}")
        address = await _confirm(browser, preview, HOSTILE)
        await _until(site, address, RollbackStatus.DONE)
        pages = [left, await browser.get(address), await browser.get("/rollbacks")]
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert(1)" not in page.text
        assert 'onclick="x()"' not in page.text
        assert PageReader(page.text).marks


async def test_a_preview_says_beforehand_that_it_will_have_to_wait(site: Site, ada: Person) -> None:
    site.world.publish(CARD + "rollback: {effects: 3}\n")
    first, second = await _tips(site, "bob", "carol"), await _tips(site, "dora", "eva")
    async with site.browser(ada) as browser:
        for run_id in first:
            preview = await _preview(browser, f"/rollbacks/new?scope=run&id={run_id}")
            assert "will wait for approval" not in preview.words
            await _until(site, await _confirm(browser, preview), RollbackStatus.DONE)
        assert second
        preview = await _preview(browser, "/rollbacks/new?scope=agent&id=desk-clerk&ago=60")
        assert "It will wait for approval. Who must agree: one approver." in preview.words
        assert "It undoes 2 effects, 4 with the 2 of the last hour; the card of The desk clerk lets 3 effects" in (
            preview.words
        )
        address = await _confirm(browser, preview)
        await _until(site, address, RollbackStatus.AWAITING)
        assert "4 with the 2 of the last hour" in (await _page(browser, address)).words


async def test_a_long_preview_goes_on_page_by_page(site: Site, ada: Person) -> None:
    people = [action(f"n{number}", "desk.tip", to=f"p{number:02d}", amount=0.1) for number in range(30)]
    run_id = await site.world.start(*people)
    await site.world.result(run_id)
    since = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    async with site.browser(ada) as browser:
        first = await _preview(browser, f"/rollbacks/new?scope=agent&id=desk-clerk&since={since}")
        more = next(each for each in first.addresses if "cursor=" in each).partition("#")[0]
        second = await _page(browser, more)
    assert "30 effects can be undone" in second.words
    shown = [each for page in (first, second) for each in page.addresses if each.startswith(f"/runs/{run_id}#n")]
    assert len(shown) == len(set(shown)) == 30
