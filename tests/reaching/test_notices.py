"""Notices by mail: to a contact with the page that helps, to a customer without; each once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assent.domain.errors import Unavailable
from assent.runtime.counter_post import QueuedPost
from assent.store import notices
from assent.store.notices import Notice, NoticeKind
from assent_activities.connectors import ConnectorUnavailable
from tests.reaching.bureau import Bureau, deliver
from tests.reaching.mail_host import MailHost, text_of
from tests.site import HOSTILE


def alert(**changes: object) -> Notice:
    usual: dict[str, object] = {
        "id": "unknown-1",
        "kind": NoticeKind.ALERT,
        "subject": "run-1:pay",
        "name": "Support desk",
        "email": "desk@example.com",
        "slack": "",
        "headline": "Did it happen?",
        "text": "Nobody knows.\nLook.",
        "path": "/effects/run-1%3Apay",
        "at": datetime.now(UTC),
    }
    return Notice(**(usual | changes))  # type: ignore[arg-type]


async def test_a_contact_is_mailed_once_with_the_page_that_helps(bureau: Bureau, host: MailHost) -> None:
    for _ in range(2):
        with bureau.database.write() as session:
            notices.tell(session, alert(), ("mail",))
    await deliver(bureau.mailer(host.server()))
    [message] = host.to("desk@example.com")
    assert message["Subject"] == "Did it happen?"
    text = text_of(message)
    assert "Nobody knows." in text
    assert "/effects/run-1%3Apay" in text
    assert bureau.queue() == []


async def test_nothing_in_a_notice_becomes_a_header(bureau: Bureau, host: MailHost) -> None:
    with bureau.database.write() as session:
        notices.tell(session, alert(headline=f"a\r\nBcc: eve@example.com\r\n{HOSTILE}", text=HOSTILE), ("mail",))
    await deliver(bureau.mailer(host.server()))
    [message] = host.to("desk@example.com")
    assert message["Bcc"] is None
    assert "U+202E" in text_of(message)


async def test_an_address_that_is_none_holds_nobody_up(bureau: Bureau, host: MailHost) -> None:
    with bureau.database.write() as session:
        notices.tell(session, alert(id="bad", email="not an address"), ("mail",))
        notices.tell(session, alert(), ("mail",))
    await deliver(bureau.mailer(host.server()))
    assert len(host.to("desk@example.com")) == 1
    [waits] = bureau.queue()
    assert "No mail can be sent to this address" in waits.error


async def test_a_counter_message_has_the_connectors_words_alone(bureau: Bureau, host: MailHost) -> None:
    post = QueuedPost(bureau.database, bureau.clock)
    for _ in range(2):
        post.send("run-1:m#undo", name="bob", email="bob@example.com", subject="Correction: x", text="Disregard it.")
    await deliver(bureau.mailer(host.server()))
    [message] = host.to("bob@example.com")
    assert message["Subject"] == "Correction: x"
    assert text_of(message).strip() == "Disregard it."


def test_a_database_that_is_away_is_told_as_a_system_that_cannot_be_reached(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(bureau.database, "write", away)
    with pytest.raises(ConnectorUnavailable, match="cannot be queued"):
        QueuedPost(bureau.database).send("k", name="b", email="b@example.com", subject="s", text="t")
