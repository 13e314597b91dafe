"""Pages of standing grants and of approved plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assent.domain.actions import ActionStatus
from assent.domain.grants import GrantStatus, GrantTerms, Pattern, PatternKind
from assent.domain.people import Role, Via
from assent.store.people import Person
from assent.store.queries.grants import GrantView
from tests.desk import CARD
from tests.pages.reading import PageReader
from tests.site import HOSTILE, Site
from tests.world import AGENT, action

GRANTABLE = CARD.replace(
    "    expires: 1h\n",
    '    expires: 1h\n    approval: {need: [{of: "role:approver", count: COUNT}], grants: {by: ["role:approver"]}}\n',
)


async def given(site: Site, by: Person, *, count: int = 1, to: str = "bob", note: str = "") -> GrantView:
    site.world.publish(GRANTABLE.replace("COUNT", str(count)))
    terms = GrantTerms(
        agent="desk-clerk",
        action_type="desk.pay",
        arguments={
            "to": Pattern(kind=PatternKind.PREFIX, prefix=to),
            "amount": Pattern(kind=PatternKind.RANGE, min=0, max=50),
        },
        uses=3,
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )
    return await site.world.gateway.grant(terms, by=by.acting(Via.WEB), note=note)


async def test_nothing_is_granted_yet(site: Site, ada: Person) -> None:
    async with site.browser(ada) as browser:
        assert "Nothing runs by a standing grant" in PageReader((await browser.get("/grants")).text).words
        assert "No grant matches" in PageReader((await browser.get("/grants?status=revoked")).text).words
        assert "No standing grant is in force" in PageReader((await browser.get("/agents/desk-clerk")).text).words
        for address in ("/grants/none", "/plans/none"):
            assert (await browser.get(address)).status_code == 404


async def test_a_grant_is_seen_used_and_revoked(site: Site, ada: Person) -> None:
    grant = await given(site, ada, note="Lunch money")
    run_id = await site.open_run([action("a", "desk.pay", to="bob", amount=5)])
    assert (await site.world.outcome(run_id, "a")).status is ActionStatus.DONE
    rita = site.person("Rita Reader")
    async with site.browser(ada) as browser, site.browser(rita) as other:
        for address in ("/grants", "/grants?status=active&agent=desk-clerk", "/agents/desk-clerk"):
            page = PageReader((await browser.get(address)).text)
            assert f"/grants/{grant.id}" in page.addresses
            assert 'to begins with "bob"' in page.words
            assert "1 use of 3" in page.words
        run = PageReader((await browser.get(f"/runs/{run_id}")).text)
        assert f"/grants/{grant.id}" in run.addresses
        shown = PageReader((await other.get(f"/grants/{grant.id}")).text)
        assert "Lunch money" in shown.words
        assert "Pay 5 to bob" in shown.words
        assert not [form for form in shown.forms if form.action.startswith("/grants")]
        address = f"/grants/{grant.id}/revoke"
        form = PageReader((await browser.get(f"/grants/{grant.id}")).text).form(address)
        denied = await other.post(address, data=form.fields | {"csrf": _csrf(shown)})
        assert denied.status_code == 403
        answer = await browser.post(address, data=form.fields | {"reason": "Enough"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/grants/{grant.id}")
        revoked = PageReader((await browser.get(f"/grants/{grant.id}")).text)
        assert "“Enough”" in revoked.words
        assert not [form for form in revoked.forms if form.action == address]
        again = await browser.post(address, data=form.fields)
        assert (again.status_code, "revoked already" in again.text) == (409, True)
    outcome = await site.world.gateway.propose(run_id, action("b", "desk.pay", to="bob", amount=5), by=AGENT)
    assert outcome.status is ActionStatus.AWAITING


def _csrf(page: PageReader) -> str:
    return next(form.fields["csrf"] for form in page.forms if "csrf" in form.fields)


async def test_a_second_person_confirms(site: Site) -> None:
    pat, pia = site.person("Pat One", Role.APPROVER), site.person("Pia Two", Role.APPROVER)
    grant = await given(site, pat, count=2)
    assert grant.status is GrantStatus.PENDING
    address = f"/grants/{grant.id}/confirm"
    async with site.browser(pat) as first, site.browser(pia) as second:
        assert "waits for your word" not in PageReader((await first.get("/")).text).words
        inbox = PageReader((await second.get("/")).text)
        assert "1 standing grant waits for your word" in inbox.words
        assert {f"/grants/{grant.id}", "/grants?status=pending"} <= set(inbox.addresses)
        mine = PageReader((await first.get(f"/grants/{grant.id}")).text)
        assert "It covers nothing yet" in mine.words
        assert not [form for form in mine.forms if form.action == address]
        form = PageReader((await second.get(f"/grants/{grant.id}")).text).form(address)
        stale = await second.post(address, data=form.fields | {"digest": "0" * 64})
        assert (stale.status_code, "not what you saw" in stale.text) == (409, True)
        assert (await second.post(address, data=form.fields)).status_code == 303
        assert "waits for your word" not in PageReader((await second.get("/")).text).words
        shown = PageReader((await first.get(f"/grants/{grant.id}")).text).words
        assert "In force" in shown
        assert "Pia Two" in shown


async def test_what_a_grant_says_becomes_no_markup(site: Site, ada: Person) -> None:
    grant = await given(site, ada, to=HOSTILE, note=HOSTILE)
    async with site.browser(ada) as browser:
        for address in ("/grants", f"/grants/{grant.id}", "/agents/desk-clerk"):
            page = PageReader((await browser.get(address)).text)
            assert not [tag for tag, attributes in page.tags if tag == "script" and "src" not in attributes]
            assert not set(page.text) & {"\u202e", "\u2066", "\u200b", "\x07"}


async def test_an_approved_plan_is_seen_and_revoked(site: Site, ada: Person) -> None:
    plan = [action(f"s{number}", "desk.pay", to="bob", amount=number + 1) for number in range(2)]
    run_id = await site.world.start(*plan)
    await site.world.outcome(run_id, "s0", ActionStatus.AWAITING)
    offer = await site.world.gateway.plan_offer(run_id)
    assert offer is not None
    made = await site.world.gateway.approve_plan(run_id, digest=offer.digest, by=ada.acting(Via.WEB), reason="Fine")
    assert (await site.world.result(run_id)).counts == {"done": 2}
    address = f"/plans/{made.plan_approval_id}"
    async with site.browser(ada) as browser:
        page = PageReader((await browser.get(address)).text)
        assert "Pay 2 to bob" in page.words
        assert "Fine" in page.words
        form = page.form(f"{address}/revoke")
        assert (await browser.post(f"{address}/revoke", data=form.fields)).status_code == 303
        assert "Revoked" in PageReader((await browser.get(address)).text).words


async def test_a_second_person_approves_the_plan_that_the_first_one_approved(site: Site) -> None:
    site.world.publish(GRANTABLE.replace("COUNT", "2"))
    pat, pia = site.person("Pat One", Role.APPROVER), site.person("Pia Two", Role.APPROVER)
    plan = [action(f"s{number}", "desk.pay", to="bob", amount=number + 1) for number in range(2)]
    run_id = await site.world.start(*plan)
    await site.world.outcome(run_id, "s0", ActionStatus.AWAITING)
    offer = await site.world.gateway.plan_offer(run_id)
    assert offer is not None
    made = await site.world.gateway.approve_plan(run_id, digest=offer.digest, by=pat.acting(Via.WEB))
    address = f"/plans/{made.plan_approval_id}"
    confirm = f"{address}/confirm"
    async with site.browser(pat) as first, site.browser(pia) as second:
        mine = PageReader((await first.get(address)).text)
        assert "It covers nothing yet" in mine.words
        assert not [form for form in mine.forms if form.action == confirm]
        page = PageReader((await second.get(address)).text)
        assert "Pay 2 to bob" in page.words
        form = page.form(confirm)
        stale = await second.post(confirm, data=form.fields | {"digest": "0" * 64})
        assert (stale.status_code, "not what you saw" in stale.text) == (409, True)
        twice = await first.post(confirm, data=form.fields | {"csrf": _csrf(mine)})
        assert (twice.status_code, "approved the plan already" in twice.text) == (409, True)
        assert (await second.post(confirm, data=form.fields)).headers["location"] == address
        assert (await site.world.result(run_id)).counts == {"done": 2}
        shown = PageReader((await first.get(address)).text)
        assert "Pia Two" in shown.words
        assert not [form for form in shown.forms if form.action == confirm]
        late = await second.post(confirm, data=form.fields)
        assert (late.status_code, "approval is active" in late.text) == (409, True)
