"""A record's page: everything that agents did to it, found by table, id or customer, with undo from there."""

from __future__ import annotations

import pytest

from assent.domain.approvals import Verb
from assent.domain.people import Role
from assent.store.people import Person
from tests.pages.reading import PageReader
from tests.site import HOSTILE, Site
from tests.world import AGENT, action


async def _tips(site: Site, *people: str) -> list[str]:
    runs = []
    for to in people:
        runs.append(await site.world.start(action("tip", "desk.tip", to=to, amount=2)))
        await site.world.result(runs[-1])
    return runs


async def test_everything_done_to_a_record_stands_on_its_page(site: Site, ada: Person) -> None:
    first, second = await _tips(site, "bob", "bob")
    async with site.browser(ada) as browser:
        answer = await browser.get("/records/desk/bob")
        page = PageReader(answer.text)
    assert "Tip bob with 2" in page.words
    assert page.words.count("Undo this…") == 2
    assert page.words.index("0.0 2.0") > page.words.index("2.0 4.0")
    assert {f"/runs/{run}#tip" for run in (first, second)} <= set(page.addresses)
    assert "/rollbacks/new?scope=record&id=desk/bob" in page.addresses


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("bo", {"desk/bob", "desk/bonnie"}),
        ("BOB", {"desk/bob"}),
        ("desk/", {"desk/bob", "desk/bonnie", "desk/carol"}),
        ("desk/c", {"desk/carol"}),
        ("nobody", set()),
    ],
)
async def test_records_are_found_by_the_beginning_of_their_id_or_name(
    site: Site, ada: Person, words: str, found: set[str]
) -> None:
    await _tips(site, "bob", "carol", "bonnie")
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get("/records", params={"q": words})).text)
        empty = PageReader((await browser.get("/records")).text)
    assert {each.removeprefix("/records/") for each in page.addresses if each.startswith("/records/")} == found
    assert ("No record matches" in page.words) == (not found)
    assert "Tables that agents touched desk/" in empty.words


async def test_later_records_and_later_touches_are_a_page_away(site: Site, ada: Person) -> None:
    run_id = await site.open_run(
        [action(f"t{number}", "desk.tip", to=f"p{number:02d}", amount=0.1) for number in range(27)]
    )
    await site.world.gateway.end_run(run_id, by=AGENT, summary="Done.")
    async with site.browser(ada) as browser:
        first = PageReader((await browser.get("/records?q=p")).text)
        later = next(each for each in first.addresses if "cursor=" in each)
        second = PageReader((await browser.get(later)).text)
    shown = [each for page in (first, second) for each in page.addresses if each.startswith("/records/desk/p")]
    assert len(shown) == len(set(shown)) == 27


async def test_hostile_names_of_records_are_shown_and_reached(site: Site, ada: Person) -> None:
    waiting = await site.waiting(to=f"../{HOSTILE}")
    await site.world.decide(waiting, Verb.APPROVE)
    run_id = waiting.action_id.partition(":")[0]
    await site.world.result(run_id)
    async with site.browser(ada) as browser:
        run = PageReader((await browser.get(f"/runs/{run_id}")).text)
        link = next(each for each in run.addresses if each.startswith("/records?name="))
        page = await browser.get(link)
    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text
    assert "Taken back" not in PageReader(page.text).words


async def test_a_record_that_nobody_touched(site: Site, ada: Person) -> None:
    async with site.browser(ada) as browser:
        page = await browser.get("/records/shop/orders/%23W1")
    assert page.status_code == 404
    assert "There is no record 'shop/orders/#W1' that an agent touched." in PageReader(page.text).words


async def test_who_may_not_undo_finds_no_button(site: Site) -> None:
    await _tips(site, "bob")
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        page = await browser.get("/records/desk/bob")
    assert page.status_code == 200
    assert "Undo" not in PageReader(page.text).words.split("newest first", 1)[1]
