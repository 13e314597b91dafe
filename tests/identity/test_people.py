"""Managing people, groups, keys and cards in the pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assent.domain.errors import BrokenCard
from assent.domain.people import SYSTEM, Role, Via
from assent.runtime.card_desk import Desk
from assent.runtime.cards import publish_card
from assent.runtime.settings import Settings
from assent.store import groups, people, slack_people
from assent.store.database import Database
from assent.store.slack_people import How
from assent.store.slack_tickets import Purpose, Ticket, Tickets
from assent_activities.connectors import build_registry
from assent_ui.pages.cards import faults_of
from tests.desk import CARD
from tests.desk import Desk as Connector
from tests.identity.house import House, build
from tests.pages.reading import PageReader

HOSTILE = "Eve</h1><script>alert(1)</script>\u202egnp"


async def test_somebody_is_added_and_let_in(house: House) -> None:
    async with house.proven(house.person("Ada", Role.ADMIN)) as admin:
        form = {"email": "Bo@Example.com", "name": "Bo", "roles": ["approver", "owner"]}
        at = (await admin.send("/people", **form)).headers["location"]
        assert re.fullmatch(r"/people/person-\w+\?done=added", at)
        page = await admin.send(f"{at.partition('?')[0]}/link")
        link = re.search(r"http://localhost:8484(/sign-in\?token=[\w.%-]+)", page.text)
        assert link is not None
        async with house.browser() as browser:
            form = {"token": PageReader((await browser.get(link[1])).text).form("/sign-in").fields["token"]}
            await browser.client.post("/sign-in", data=form)
            assert (await browser.api("GET", "/me")).json()["roles"] == ["approver", "owner"]
            assert (await browser.client.post("/sign-in", data=form)).status_code == 401


@pytest.mark.parametrize("email", ["ANN@example.com", "ann+two@example.com", "Ann+@Example.COM"])
async def test_one_mailbox_is_one_person(house: House, email: str) -> None:
    house.person("Ann", Role.APPROVER)
    async with house.proven(house.person("Ada", Role.ADMIN)) as admin:
        refused = await admin.send("/people", email=email, roles="approver")
        assert refused.status_code == 409
        assert "One mailbox is one person" in refused.text
        assert email in PageReader(refused.text).form("/people").fields["email"]
        assert (await admin.api("POST", "/people", json={"email": email})).status_code == 409


async def test_a_hostile_name_stays_a_text(house: House) -> None:
    async with house.proven(house.person("Ada", Role.ADMIN)) as admin:
        refused = await admin.send("/people", email="eve@example.com", name=HOSTILE)
        assert refused.status_code == 422
        at = (await admin.send("/people", email="eve@example.com", name="Eve</h1><script>alert(1)</script>")).headers
        for path in ("/people", at["location"]):
            page = PageReader((await admin.get(path)).text)
            assert "Eve</h1><script>alert(1)</script>" in page.words
            assert [attributes.get("src", "") for tag, attributes in page.tags if tag == "script"] != [""]


async def test_groups_are_made_filled_and_deleted(house: House) -> None:
    ann = house.person("Ann")
    async with house.proven(house.person("Ada", Role.ADMIN)) as admin:
        await admin.send("/groups", name="finance", title="Finance")
        assert (await admin.send("/groups", name="finance")).status_code == 409
        assert (await admin.send("/groups", name="Finance Leads")).status_code == 422
        assert (await admin.send("/groups", name="escalation")).status_code == 422
        await admin.send("/groups/finance/members", email="ann@example.com")
        assert "Ann" in (await admin.get("/groups/finance")).text
        await admin.send(f"/people/{ann.id}/groups", leave="finance")
        await admin.send(f"/people/{ann.id}/groups", group="finance")
        with house.database.read() as session:
            assert groups.groups_of(session, ann.id) == {"finance"}
        shown = (await admin.api("GET", "/groups/finance")).json()
        assert ([each["id"] for each in shown["members"]], shown["size"]) == ([ann.id], 1)
        await admin.send("/groups/finance/delete")
        assert (await admin.get("/groups/finance")).status_code == 404
        with house.database.read() as session:
            assert groups.groups_of(session, ann.id) == frozenset()
    kinds = ("group.created", "group.joined", "group.left", "group.deleted")
    assert [len(house.events(kind)) for kind in kinds] == [1, 2, 1, 1]


async def test_what_somebody_signs_in_with_can_be_taken_away(house: House) -> None:
    ann = house.person("Ann")
    async with house.proven(ann) as browser, house.proven(house.person("Ada", Role.ADMIN)) as admin:
        await admin.send(f"/people/{ann.id}/reset")
        assert not await browser.signed_in()
        assert (await browser.sign_in("ann@example.com")).status_code == 401
        await browser.client.post("/sign-in", data={"token": house.link(ann)})
        assert await browser.signed_in()


async def test_what_works_in_somebodys_name_is_taken_away_with_it(house: House) -> None:
    ann, at = house.person("Ann"), house.clock()
    link = house.link(ann)
    with house.database.write() as session:
        slack_people.link(session, ann, team_id="T1", user_id="U1", how=How.CODE, at=at, by=SYSTEM)
        code = Tickets("key").make(session, Ticket(Purpose.TYPED_IN_SLACK, ann.id), at=at)
    async with house.browser() as browser, house.proven(house.person("Ada", Role.ADMIN)) as admin:
        await admin.send(f"/people/{ann.id}/reset")
        await browser.client.post("/sign-in", data={"token": link})
        assert not await browser.signed_in()
    with house.database.read() as session:
        assert slack_people.users_of(session, [ann.id]) == []
        assert Tickets("key").look(session, code, Purpose.TYPED_IN_SLACK, at=at) is None
    assert len(house.events("person.slack_unlinked")) == 1


@pytest.fixture
def shop(tmp_path: Path, settings: Settings) -> House:
    """A house whose connector is the desk's."""
    named = settings.model_copy(update={"connectors": ["tests.cli.connector:desk"]})
    path = tmp_path / "shop.db"
    house = build(path, cards=Desk(named, Database(f"sqlite:///{path}")))
    publish_card(
        house.database,
        build_registry([Connector()]),
        CARD,
        where="card",
        by=house.person("Ada", Role.ADMIN).acting(Via.CLI),
    )
    return house


async def test_a_card_is_checked_compared_and_published(shop: House) -> None:
    async with shop.proven(shop.person("Oda", Role.OWNER)) as owner:
        begun = PageReader((await owner.get("/cards/new?agent=desk-clerk")).text)
        source = begun.form("/cards/new").fields["source"].lstrip("\n")
        assert source == CARD.lstrip("\n")
        changed = source.replace("max: ", "max: 1", 1) if "max: " in source else f"{source}\n"
        changed = re.sub(r"purpose: .*", "purpose: Another purpose.", changed, count=1)
        checked = await owner.send("/cards/new", source=changed, agent="desk-clerk")
        assert checked.status_code == 200
        assert "What changes for" in checked.text
        assert "Another purpose." in checked.text
        form = PageReader(checked.text).form("/cards")
        published = await owner.client.post("/cards", data=form.fields)
        assert published.headers["location"].startswith("/agents/desk-clerk")
        # Sent again, it would replace a version that its author never saw.
        again = await owner.client.post("/cards", data=form.fields | {"source": source})
        assert again.status_code == 409
        assert "came into force meanwhile" in again.text
        assert PageReader(again.text).form("/cards/new").fields["source"].strip() == source.strip()
    published_by = [event.actor.name for event in shop.events("card.published")]
    assert published_by == ["Ada", "Oda"]


async def test_publishing_is_offered_to_owners_where_it_can_be_done(house: House, shop: House) -> None:
    for there, can in ((shop, True), (house, False)):
        async with there.browser(there.person("Ada", Role.ADMIN)) as admin:
            assert ("/cards/new" in PageReader((await admin.get("/agents")).text).addresses) is can
            page = await admin.get("/cards/new")
            assert page.status_code == (200 if can else 403)
            assert ("assent agent publish" in PageReader(page.text).words) is not can
    async with shop.browser(shop.person("Otto", Role.OPERATOR)) as operator:
        for path in ("/agents", "/agents/desk-clerk"):
            found = PageReader((await operator.get(path)).text).addresses
            assert not [each for each in found if each.startswith("/cards/new")]


async def test_a_broken_card_is_told_field_by_field(shop: House) -> None:
    async with shop.proven(shop.person("Oda", Role.OWNER)) as owner:
        broken = re.sub(r"purpose: .*", "purpose: ''", CARD, count=1) + "\nsurprise: 1\n"
        answer = await owner.send("/cards/new", source=broken)
        assert answer.status_code == 422
        words = PageReader(answer.text).words
        assert "2 faults" in words
        assert "purpose" in words
        assert "surprise" in words
        assert "No connector offers" in (await owner.send("/cards/new", source=CARD.replace("desk.", "disk."))).text
        assert "not valid YAML" in (await owner.send("/cards/new", source="a: [")).text
        files = {"file": ("card.yaml", b"\xff\xfe", "text/yaml")}
        data = {"csrf": await owner.csrf(), "source": "x"}
        assert "not UTF-8" in (await owner.client.post("/cards/new", data=data, files=files)).text
        files = {"file": ("card.yaml", CARD.encode(), "text/yaml")}
        assert "Publish" in (await owner.client.post("/cards/new", data=data, files=files)).text
    assert len(shop.events("card.published")) == 1


async def test_publishing_keeps_the_text_when_the_proof_ran_out(shop: House) -> None:
    async with shop.browser(shop.person("Oda", Role.OWNER)) as owner:
        answer = await owner.send("/cards", source=CARD, instead_of="1")
        assert answer.status_code == 403
        page = PageReader(answer.text)
        assert "confirm first that it is you" in page.words
        assert page.form("/cards").fields["source"].strip() == CARD.strip()
    assert len(shop.events("card.published")) == 1


async def test_keys_are_made_shown_once_and_ended(shop: House) -> None:
    async with shop.proven(shop.person("Oda", Role.OWNER)) as owner:
        form = {"label": "Nightly", "days": "30", "scopes": ["runs:read"]}
        made = await owner.send("/agents/desk-clerk/keys", **form)
        key = re.search(r"assent_[\w-]{40,}", made.text)
        assert key is not None
        listed = await owner.get("/agents/desk-clerk/keys")
        assert key[0] not in listed.text
        assert "Nightly" in listed.text
        assert (await owner.send("/agents/desk-clerk/keys", scopes=["runs:read"], days="never")).status_code == 422
        assert (await owner.send("/agents/desk-clerk/keys", days="1")).status_code == 422
        headers = {"Authorization": f"Bearer {key[0]}"}
        assert (await owner.client.get("/api/v1/runs", headers=headers)).status_code == 200
        id = re.search(r"key-\w{12}", listed.text)
        assert id is not None
        assert (await owner.send(f"/agents/other/keys/{id[0]}/revoke")).status_code == 404
        await owner.send(f"/agents/desk-clerk/keys/{id[0]}/revoke")
        assert (await owner.client.get("/api/v1/runs", headers=headers)).status_code == 401


def test_faults_with_semicolons_stay_whole() -> None:
    error = BrokenCard("The card has faults: actions.a.tier: a tier is a; b or c; never: it is wrong.")
    assert [(fault.where, fault.what) for fault in faults_of(error)] == [
        ("actions.a.tier", "a tier is a; b or c"),
        ("never", "it is wrong"),
    ]


def test_of_several_at_one_mailbox_the_oldest_is_found(house: House) -> None:
    ann = house.person("Ann")
    with house.database.read() as session:
        assert people.by_mailbox(session, "ANN+x@example.com") == ann
        assert people.by_mailbox(session, "anne@example.com") is None
