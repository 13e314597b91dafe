"""What each role may do, and that it holds at once."""

from __future__ import annotations

from typing import Any

import pytest

from assent.domain.people import SYSTEM, Role
from assent.store import cards
from tests.identity.house import PASSWORD, House

MANAGE = [
    ("POST", "/people", {"email": "new@example.com"}),
    ("PATCH", "/people/{ann}", {"roles": ["admin"]}),
    ("PATCH", "/people/{ann}", {"disabled": False}),
    ("POST", "/people/{ann}/reset", None),
    ("POST", "/groups", {"name": "finance"}),
    ("PUT", "/groups/sre/members/{ann}", None),
    ("DELETE", "/groups/sre/members/{ann}", None),
    ("DELETE", "/groups/sre", None),
]
OWN = [
    ("POST", "/agents/clerk/keys", {"name": "k"}),
    ("DELETE", "/agents/clerk/keys/key-1", None),
    ("POST", "/cards", {"source": "name: x"}),
]
OPERATE = [("POST", "/pauses", {"scope": {"kind": "everything"}, "cause": "x"})]


def furnish(house: House) -> None:
    with house.database.write() as session:
        cards.publish(
            session, agent="clerk", title="Clerk", source="", card={}, catalogue={}, at=house.clock(), by=SYSTEM
        )


async def allowed(house: House, role: Role | None, calls: list[Any]) -> list[bool]:
    """Which calls somebody with one role, fresh, is not forbidden."""
    ann, bea = house.person("Ann", *([role] if role else [])), house.person("Bea")
    async with house.proven(ann) as browser:
        answers = [await browser.api(method, path.format(ann=bea.id), json=body) for method, path, body in calls]
    return [answer.status_code != 403 for answer in answers]


@pytest.mark.parametrize("role", [None, Role.APPROVER, Role.OPERATOR, Role.OWNER, Role.AUDITOR, Role.ADMIN])
async def test_each_role_has_its_own_rights_and_no_other(house: House, role: Role | None) -> None:
    furnish(house)
    admin, owner = role is Role.ADMIN, role in (Role.OWNER, Role.ADMIN)
    assert await allowed(house, role, MANAGE) == [admin] * len(MANAGE)
    # Without connectors at hand, publishing is forbidden for everybody.
    assert await allowed(house, role, OWN) == [owner, owner, False]
    # Stopping is safe: nearly everybody may, unless the card says otherwise.
    assert await allowed(house, role, OPERATE) == [role not in (None, Role.AUDITOR)]
    assert await allowed(house, role, [("GET", "/ledger", None)]) == [role in (Role.AUDITOR, Role.ADMIN)]
    looking = [("GET", path, None) for path in ("/people", "/groups", "/runs", "/agents", "/me/account")]
    assert all(await allowed(house, role, looking))


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/people", {"email": "new@example.com"}),
        ("/people/{ann}", {"name": "Ann", "roles": "admin"}),
        ("/people/{ann}/access", {"disabled": "no"}),
        ("/people/{ann}/groups", {"group": "sre"}),
        ("/people/{ann}/link", {}),
        ("/people/{ann}/reset", {}),
        ("/people/{ann}/sessions/end", {}),
        ("/groups", {"name": "finance"}),
        ("/groups/sre/members", {"email": "ann@example.com"}),
        ("/groups/sre/delete", {}),
        ("/agents/clerk/keys", {"scopes": "runs:read"}),
        ("/agents/clerk/keys/key-1/revoke", {}),
        ("/cards/new", {"source": "name: x"}),
        ("/cards", {"source": "name: x"}),
    ],
)
async def test_an_auditor_changes_nothing(house: House, path: str, fields: dict[str, str]) -> None:
    furnish(house)
    ann = house.person("Ann", Role.AUDITOR)
    async with house.proven(ann) as browser:
        before = len(house.events("person.changed")) + len(house.events("group.created"))
        assert (await browser.send(path.format(ann=ann.id), **fields)).status_code == 403
        assert len(house.events("person.changed")) + len(house.events("group.created")) == before
        assert (await browser.get("/ledger")).status_code == 200
    refused = house.events("access.refused")[0]
    assert (refused.actor.id, refused.body["where"]) == (ann.id, path.format(ann=ann.id))


@pytest.mark.parametrize("call", [*MANAGE, OWN[0]], ids=lambda call: f"{call[0]} {call[1]}")
async def test_managing_needs_a_fresh_proof(house: House, call: tuple[str, str, Any]) -> None:
    furnish(house)
    ann = house.person("Ann", Role.ADMIN)
    method, path, body = call
    async with house.browser(ann) as browser:
        answer = await browser.api(method, path.format(ann=ann.id), json=body or {})
        assert (answer.status_code, answer.json()["type"]) == (403, "/api/docs#problem-needs-proof")
        await browser.set_password()
        assert (await browser.api("POST", "/me/confirm", json={"password": "wrong wrong"})).status_code == 401
        assert (await browser.api("POST", "/me/confirm", json={"password": PASSWORD})).status_code == 204
        again = await browser.api(method, path.format(ann=ann.id), json=body or {})
        assert again.status_code != 403


async def test_somebody_demoted_may_no_more_at_once(house: House) -> None:
    ada, bea = house.person("Ada", Role.ADMIN), house.person("Bea", Role.ADMIN)
    async with house.proven(ada) as first, house.proven(bea) as second:
        assert (await second.send("/groups", name="finance")).headers["location"] == "/groups/finance"
        await first.send(f"/people/{bea.id}", name="Bea", roles="approver")
        assert (await second.send("/groups", name="sre")).status_code == 403
        assert (await second.api("GET", "/me")).json()["roles"] == ["approver"]
        await first.send(f"/people/{bea.id}/access", disabled="yes")
        assert not await second.signed_in()
        # Switched on again, they begin anew: the sessions of before are gone.
        await first.send(f"/people/{bea.id}/access", disabled="no")
        assert not await second.signed_in()
    changed = house.events("person.changed")
    assert changed[0].body["before"]["roles"] == ["admin"]
    assert changed[0].body["after"]["roles"] == ["approver"]
    assert changed[0].actor.id == ada.id


async def test_somebody_is_left_to_manage_people(house: House) -> None:
    ada = house.person("Ada", Role.ADMIN)
    async with house.proven(ada) as browser:
        refused = await browser.send(f"/people/{ada.id}", name="Ada", roles="owner")
        assert refused.status_code == 409
        assert "Nobody would be left" in refused.text
        assert (await browser.send(f"/people/{ada.id}/access", disabled="yes")).status_code == 409
        house.person("Bea", Role.ADMIN)
        assert (await browser.send(f"/people/{ada.id}", name="Ada", roles="owner")).status_code == 303
