"""Seeded checks: announced before any is shown, shown like a request, told at once, and never able to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select, update
from sqlmodel import col
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import Decision, Verb
from assent.domain.checks import CheckStatus
from assent.domain.errors import AssentError, BrokenCard, Conflict, NotFound
from assent.domain.people import Role, Via
from assent.domain.ports import ExecuteAction
from assent.domain.runs import RunHeader
from assent.policy.cards import read_card
from assent.runtime.settings import Settings
from assent.runtime.verify import verify
from assent.store import checks, quality
from assent.store.people import Person
from assent.store.queries import quality as figures
from assent.store.queries.checks import faults, tallies
from assent.store.tables import ApprovalRow, CheckRow, DecisionRow, EffectRow
from assent_activities import seeding
from assent_activities.connectors import build_registry
from assent_activities.dependencies import Dependencies
from assent_activities.effects import EffectProtocol
from assent_activities.execution import Execution
from tests.desk import CARD
from tests.pages.reading import PageReader
from tests.quality.seeded import BLOCK, CHECKED, read_notice, seed, shown
from tests.site import Site, build
from tests.world import ANN, make_world


@pytest_asyncio.fixture
async def site(temporal_server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """The pages, with a worker behind them; every request draws a check, and only the test makes them."""
    monkeypatch.setattr(seeding, "drawn", lambda seed, one_in: True)
    monkeypatch.setattr("assent.runtime.worker.seeding.seed", lambda database, now, channels: 0)
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        yield build(world)
    world.database.close()


@pytest.fixture
def ada(site: Site) -> Person:
    """Somebody who may do everything."""
    return site.person("Ada Admin", Role.ADMIN)


async def _decide(site: Site, person: Person, check: CheckRow, verb: str, **more: str) -> str:
    async with site.browser(person) as browser:
        page = PageReader((await browser.get(f"/approvals/{check.id}")).text)
        assert "Pay 800 to carol" in page.words
        form = page.form(f"/approvals/{check.id}/decision")
        answer = await browser.post(form.action, data={**form.fields, "verb": verb, **more})
        assert answer.status_code == 303, answer.text
        return PageReader((await browser.get(answer.headers["location"])).text).words


async def test_nobody_is_shown_what_does_not_stand_announced_for_them(site: Site, ada: Person) -> None:
    site.world.publish(CHECKED)
    await seed(site)
    source = await site.waiting(to="carol")
    await site.world.decide(source, Verb.APPROVE)
    await site.world.outcome(source.action_id.partition(":")[0], "pay", ActionStatus.DONE)
    await site.waiting()
    assert await seed(site) == 0
    await read_notice(site, ada)
    await site.waiting(to="dora")
    assert await seed(site) == 1
    assert site.world.events(kind="check.announced") == ["check.announced"]
    with site.world.database.read() as session:
        assert checks.waiting(session, ANN.id, datetime.now(UTC)) == []
        (mine,) = checks.waiting(session, ada.id, datetime.now(UTC))
    await site.waiting(to="erin")
    assert await seed(site) == 0, "one a day"
    async with site.browser(ada) as browser:
        inbox = PageReader((await browser.get("/")).text)
        assert mine.card.headline in inbox.words
        assert "You read it" in PageReader((await browser.get("/account")).text).words
        kinds = PageReader((await browser.get("/?alike=yes")).text)
        assert mine.card.headline in kinds.words
        several = PageReader((await browser.get(f"/decide?id={mine.id}")).text)
        assert [each for each in several.form("/decide").fields.values() if mine.id in each]
        assert "Left out" not in several.words
        filtered = PageReader((await browser.get("/decide?least=800")).text)
        assert mine.card.headline in filtered.words
        assert mine.card.headline in PageReader((await browser.get("/?q=carol+800")).text).words
        assert mine.card.headline not in PageReader((await browser.get("/?most=100")).text).words
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        assert mine.card.headline not in PageReader((await browser.get("/")).text).words
        assert (await browser.get(f"/approvals/{mine.id}")).status_code == 404


@pytest.mark.parametrize(
    ("verb", "status", "words"),
    [("reject", CheckStatus.CAUGHT, "you caught it"), ("approve", CheckStatus.MISSED, "it got past you")],
)
async def test_an_answer_is_told_at_once_and_counted_apart(
    site: Site, ada: Person, verb: str, status: CheckStatus, words: str
) -> None:
    check = await shown(site, ada)
    told = await _decide(site, ada, check, verb, reason="Too much.")
    assert words in told
    assert "It is twenty times what was agreed." in told
    assert "Take 800 back from carol" in told
    assert "40.0" not in told
    again = await _again(site, ada, check)
    assert words in again, "the first answer stays"
    with site.world.database.read() as session:
        (tally,) = tallies(session, datetime.now(UTC) - timedelta(days=1))
        (mine,) = tallies(session, datetime.now(UTC) - timedelta(days=1), by_person=True)
    assert (tally.of, tally.shown, tally.caught, tally.missed) == (
        "desk-clerk",
        1,
        int(status is CheckStatus.CAUGHT),
        int(status is CheckStatus.MISSED),
    )
    assert mine.of == ada.id
    assert site.world.events(kind="check.answered") == ["check.answered"]
    while await asyncio.to_thread(quality.count, site.world.database, datetime.now(UTC)):
        pass
    with site.world.database.read() as session:
        total = figures.of_kind(session, "desk-clerk", "desk.pay", datetime.now(UTC), days=7).total
    assert (total.asked, total.approved, total.refused) == (2, 1, 0)
    assert len(site.world.desk.done) == 1


async def _again(site: Site, person: Person, check: CheckRow) -> str:
    async with site.browser(person) as browser:
        csrf = PageReader((await browser.get("/account")).text).form("/sign-out").fields["csrf"]
        body = {"csrf": csrf, "verb": "approve", "digest": check.digest}
        answer = await browser.post(f"/approvals/{check.id}/decision", data=body)
        return PageReader((await browser.get(answer.headers["location"])).text).words


async def test_asking_about_it_ends_it_gently(site: Site, ada: Person) -> None:
    check = await shown(site, ada)
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get(f"/approvals/{check.id}")).text)
        form = page.form(f"/approvals/{check.id}/comments")
        unreasoned = page.form(f"/approvals/{check.id}/decision")
        refused = await browser.post(unreasoned.action, data={**unreasoned.fields, "verb": "reject"})
        assert refused.status_code == 422
        assert "A rejection needs a reason." in PageReader(refused.text).words
        answer = await browser.post(form.action, data={**form.fields, "text": "Really?", "kind": "question"})
        assert "you asked about it" in PageReader((await browser.get(answer.headers["location"])).text).words


async def test_the_whole_of_it_is_given_like_that_of_a_request(site: Site, ada: Person) -> None:
    check, real = await shown(site, ada), await site.waiting()
    async with site.browser(ada) as browser:
        for query, found in (("", 200), ("?revision=1", 200), ("?revision=2", 404)):
            answers = [await browser.get(f"/approvals/{id}/whole.txt{query}") for id in (check.id, real.approval_id)]
            assert [answer.status_code for answer in answers] == [found] * 2
        assert "Pay 800 to carol" in (await browser.get(f"/approvals/{check.id}/whole.txt")).text
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        assert (await browser.get(f"/approvals/{check.id}/whole.txt")).status_code == 404


async def test_it_is_decided_together_with_others(site: Site, ada: Person) -> None:
    check, real = await shown(site, ada), await site.waiting()
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get(f"/decide?id={check.id}&id={real.approval_id}")).text)
        form = page.form("/decide")
        items = [f"{check.id}:{check.digest}", f"{real.approval_id}:{real.digest}"]
        sent = {**form.fields, "item": items, "verb": "reject", "reason": "Too much."}
        told = PageReader((await browser.post("/decide", data=sent)).text).words
        assert "2 of 2 decided" in told
        assert "1 of them was a check, of which nothing was sent." in told
        assert "That was a check, and you caught it" in told
        assert "It is twenty times what was agreed." in told
        assert told.count("Rejection sent") == 1
        again = PageReader((await browser.get(f"/decide?id={check.id}")).text)
        assert "It is already rejected." in again.words
    assert site.world.row(CheckRow, check.id).status == CheckStatus.CAUGHT


async def test_asking_somebody_else_ends_it_gently(site: Site, ada: Person) -> None:
    site.person("Pia Plain", Role.APPROVER)
    check = await shown(site, ada)
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get(f"/approvals/{check.id}")).text)
        assert "Ask somebody else" in page.words
        form = PageReader((await browser.get(f"/approvals/{check.id}/hand")).text).form(f"/approvals/{check.id}/hand")
        sent = {**form.fields, "to": "pia.plain@example.com", "reason": "Odd."}
        answer = await browser.post(form.action, data=sent)
        told = PageReader((await browser.get(answer.headers["location"])).text).words
    assert "you asked about it" in told
    assert "Odd." in told


async def test_setting_out_to_change_it_ends_it_gently(site: Site, ada: Person) -> None:
    check = await shown(site, ada)
    address = f"/approvals/{check.id}/edit"
    async with site.browser(ada) as browser:
        form = PageReader((await browser.get(address)).text).form(address)
        assert form.fields["/amount"] == "800"
        wrong = await browser.post(address, data=form.fields | {"/amount": "-1", "step": "send"})
        assert "needs another look" in PageReader(wrong.text).words
        same = await browser.post(address, data=form.fields | {"step": "send"})
        assert (same.status_code, "Nothing was changed." in PageReader(same.text).words) == (422, True)
        look = PageReader((await browser.post(address, data=form.fields | {"/amount": "40", "step": "look"})).text)
        assert "Is this what you mean?" in look.words
        sent = look.form(address).fields | {"step": "send", "reason": "Too much."}
        answer = await browser.post(address, data=sent)
        assert answer.status_code == 303, answer.text
        told = PageReader((await browser.get(answer.headers["location"])).text).words
    assert "you would have changed it" in told
    assert site.world.row(CheckRow, check.id).status == CheckStatus.CHANGED
    assert site.world.events(kind="check.answered") == ["check.answered"]


async def test_it_can_never_run_whatever_is_sent(site: Site, ada: Person) -> None:
    world, by = site.world, ada.acting(Via.SLACK)
    check = await shown(site, ada)
    before = list(world.desk.done)
    gateway = world.gateway
    attempts = [
        gateway.decide(check.id, verb=Verb.APPROVE, digest=check.digest, by=by),
        gateway.revise(check.id, digest=check.digest, arguments={"to": "bob", "amount": 1}, by=by, reason="x"),
        gateway.reassign(check.id, to=ANN.id, by=by),
        gateway.grant_offer(check.id, by=by),
        gateway.comment(check.id, "x", by=by),
    ]
    for attempt in attempts:
        with pytest.raises(AssentError) as refused:
            await attempt
        assert isinstance(refused.value, NotFound)
    async with site.browser(ada) as browser:
        csrf = PageReader((await browser.get("/account")).text).form("/sign-out").fields["csrf"]
        for path in ("grant", "plan"):
            led = await browser.get(f"/approvals/{check.id}/{path}")
            assert (led.status_code, led.headers["location"]) == (303, f"/approvals/{check.id}")
            assert (await browser.post(f"/approvals/{check.id}/{path}", data={"csrf": csrf})).status_code == 404
    async with site.browser(site.person("Pia Plain", Role.APPROVER)) as browser:
        csrf = PageReader((await browser.get("/account")).text).form("/sign-out").fields["csrf"]
        for path in ("edit", "grant", "plan", "hand"):
            assert (await browser.get(f"/approvals/{check.id}/{path}")).status_code == 404
        headers = {"X-CSRF-Token": csrf}
        body = {"verdict": "approve", "digest": check.digest}
        answer = await browser.post(f"/api/v1/approvals/{check.id}/decisions", json=body, headers=headers)
        assert answer.status_code == 404
    # A message to a run that really waits, with the check's digest and id, decides nothing either.
    real = await site.waiting(to="frank")
    run_id = real.action_id.partition(":")[0]
    for approval_id in (check.id, real.approval_id or ""):
        decision = Decision(
            id=f"forged-{approval_id}",
            approval_id=approval_id,
            action_id=real.action_id,
            digest=check.digest,
            verb=Verb.APPROVE,
            by=ada.acting(Via.WEB),
            at=datetime.now(UTC),
        )
        await world.client.get_workflow_handle(run_id).signal("decide", decision)
        found = await world.eventually(lambda id=decision.id: _decision(site, id))  # type: ignore[misc]
        assert not found.counted
    # The claim knows actions that were admitted, and a check is none.
    dependencies = Dependencies(
        database=world.database, registry=build_registry([world.desk]), clock=lambda: datetime.now(UTC), channels=()
    )
    execution = Execution(dependencies, EffectProtocol(dependencies))
    header = RunHeader(
        run_id=check.id, agent="desk-clerk", goal="", started_by=ada.acting(Via.WEB), started_at=datetime.now(UTC)
    )
    pay = ProposedAction(key="pay", type="desk.pay", arguments={"to": "carol", "amount": 800})
    with pytest.raises(ApplicationError, match="never admitted"):
        await asyncio.to_thread(execution.execute, ExecuteAction(header=header, action=pay))
    with world.database.read() as session:
        assert session.get(ApprovalRow, check.id) is None
        effects = session.execute(select(col(EffectRow.action_id))).scalars().all()
        assert not [each for each in effects if check.id in each]
    assert world.desk.done == before
    assert (await verify(world.database, world.client, lambda _: None)).clean


def _decision(site: Site, id: str) -> DecisionRow | None:
    with site.world.database.read() as session:
        return session.get(DecisionRow, id)


async def test_verify_knows_checks(site: Site, ada: Person) -> None:
    check = await shown(site, ada)
    assert faults(site.world.database) == []
    with site.world.database.write() as session:
        session.execute(update(CheckRow).values(status="caught", ended_at=datetime.now(UTC), digest="0" * 64))
    found = faults(site.world.database)
    assert [where for where, _ in found] == [check.id, check.id]
    assert "the ledger does not say that this was shown" in found[0][1]


async def test_what_nobody_answers_ends_and_a_card_without_checks_ends_them(site: Site, ada: Person) -> None:
    check = await shown(site, ada)
    await seed(site, timedelta(days=3))
    assert site.world.row(CheckRow, check.id).status == CheckStatus.UNANSWERED
    site.world.publish(CARD)
    assert site.world.events(kind="check.ended") == ["check.ended"]
    with site.world.database.read() as session:
        assert checks.announced(session, ada.id) == []
    site.world.publish(CHECKED)
    with site.world.database.read() as session:
        assert [each.read_at for each in checks.announced(session, ada.id)] == [None], "announced anew, read anew"


async def test_what_was_announced_after_the_page_was_loaded_is_not_read(site: Site, ada: Person) -> None:
    site.world.publish(CHECKED)
    async with site.browser(ada) as browser:
        form = PageReader((await browser.get("/")).text).form("/checks/read")
        site.world.publish(CHECKED.replace("one_in: 20", "one_in: 21"))
        assert (await browser.post(form.action, data=form.fields)).status_code == 303
        page = PageReader((await browser.get("/")).text)
        assert "one in 21 requests" in page.words
        with site.world.database.read() as session:
            assert checks.readers(session, "desk-clerk") == []
        bare = {name: value for name, value in form.fields.items() if name != "until"}
        assert (await browser.post(form.action, data=bare)).status_code == 422
        form = page.form("/checks/read")
        assert (await browser.post(form.action, data=form.fields)).status_code == 303
        with site.world.database.read() as session:
            assert checks.readers(session, "desk-clerk") == [ada.id]


async def test_one_is_never_shown_unannounced_even_by_mistake(site: Site, ada: Person) -> None:
    check = await shown(site, ada)
    with site.world.database.write() as session:
        view = checks.one(session, check.id, ada.id)
        assert view is not None
        with pytest.raises(Conflict):
            checks.show(session, view)


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        (BLOCK.replace("desk.pay", "desk.pray"), "not among the card's actions"),
        (BLOCK.replace("one_in: 20", "one_in: 2"), "one_in"),
        (BLOCK.replace("      multiply: {amount: 20}\n", ""), "needs `set` or `multiply`"),
    ],
)
def test_faults_of_the_block_are_named(block: str, fault: str) -> None:
    with pytest.raises(BrokenCard, match=fault):
        read_card(CARD + block)
