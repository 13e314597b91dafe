"""Notices to a card's contacts are posted once, where the card says, or where the workspace's requests are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assent.store import notices
from assent.store.notices import Notice, NoticeKind
from tests.slack.fake_blocks import reading
from tests.slack.fake_state import Channel
from tests.slack.office import PAGES, Office


def tell(
    office: Office,
    *,
    slack: str = "",
    id: str = "unknown-1",
    text: str = "Pay <!channel> & bob",
    kind: NoticeKind = NoticeKind.ALERT,
) -> None:
    with office.database.write() as session:
        notices.tell(
            session,
            Notice(
                id=id,
                kind=kind,
                subject="run-1:pay",
                name="Support desk",
                email="desk@example.com",
                slack=slack,
                headline="Did it happen?",
                text=text,
                path="/effects/run-1%3Apay",
                at=datetime.now(UTC),
            ),
            ("slack",),
        )


@pytest.mark.parametrize("kind", [NoticeKind.ALERT, NoticeKind.ASKED])
async def test_a_notice_is_posted_once_in_the_channel_of_requests(office: Office, kind: NoticeKind) -> None:
    tell(office, kind=kind)
    tell(office, kind=kind)
    await office.deliver()
    await office.deliver()
    [message] = office.slack.messages
    shown = reading(message["blocks"])
    assert "Did it happen?" in shown
    assert "Pay <!channel> & bob" in shown
    assert f"{PAGES}/effects/run-1%3Apay" in str(message["blocks"])
    assert office.undelivered() == []


async def test_a_notice_goes_to_the_channel_that_the_card_names(office: Office) -> None:
    own = Channel(id="C0DESK", name="shop-support")
    office.slack.channels[own.id] = own
    tell(office, slack="#shop-support")
    await office.deliver()
    assert office.slack.messages == []
    assert len(own.messages) == 1


async def test_a_channel_that_is_not_there_does_not_lose_the_notice(office: Office) -> None:
    tell(office, slack="#nowhere")
    await office.deliver()
    assert len(office.slack.messages) == 1


async def test_a_very_long_notice_is_taken_by_slack(office: Office) -> None:
    tell(office, text="x" * 30_000)
    await office.deliver()
    assert len(office.slack.messages) == 1
    assert office.undelivered() == []
