"""The escalation contact gets a mail from a real mail server, once, with the figures and the page of the pause."""

from __future__ import annotations

from pathlib import Path

from assent.domain.actions import ActionStatus
from assent.store.database import Database
from tests.breakers.past import Clerk
from tests.databases import prepare
from tests.identity.house import Clock
from tests.reaching.bureau import Bureau, deliver
from tests.reaching.mail_host import mail_host, text_of


async def test_the_contact_is_mailed(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'assent.db'}")
    prepare(database)
    clock = Clock()
    clerk = Clerk(database, now=clock(), channels=("mail",))
    clerk.publish("  - {name: fails, measure: errors, within: 1h, most: 2, because: Tips must not be lost.}")
    clerk.did(ActionStatus.FAILED, 3)
    (trip,) = clerk.look()
    async with mail_host() as host:
        await deliver(Bureau(database, clock).mailer(host.server()))
        (message,) = host.to("duty@example.com")
    text = text_of(message)
    assert message["Subject"] == "Agent clerk is paused: the breaker fails fired"
    assert "3 of 3 actions in the last 1 h failed, at most 2 may." in text
    assert "Tips must not be lost." in text
    assert f"/stop#{trip.pause_id}" in text
    database.close()
