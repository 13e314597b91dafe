"""What a live update says, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime

from assent.domain.people import SYSTEM
from assent.store.queries.events import EventView
from assent_ui.pages.live import topics
from tests.site import Site


def test_topics_name_what_was_touched() -> None:
    event = EventView(
        id=1,
        at=datetime(2030, 1, 1, tzinfo=UTC),
        kind="approval.decided",
        run_id="run-1",
        action_id="run-1:pay",
        agent="desk-clerk",
        actor=SYSTEM,
        body={"approval": "ap-1"},
    )
    assert topics([event]) == {"approval", "run:run-1", "action:run-1:pay", "approval:ap-1"}


def test_what_is_unknown_is_a_topic_of_its_own() -> None:
    """Effects are many; what nobody knows about is rare, and every page's badge counts it."""
    told = {
        kind: "unknown" in topics([EventView(1, datetime(2030, 1, 1, tzinfo=UTC), kind, "", "", "", SYSTEM, {})])
        for kind in ("effect.unknown", "effect.settled", "effect.done", "effect.claimed")
    }
    assert told == {"effect.unknown": True, "effect.settled": True, "effect.done": False, "effect.claimed": False}


async def test_nobody_listens_without_signing_in(site: Site) -> None:
    async with site.browser() as browser:
        answer = await browser.get("/live")
    assert answer.status_code == 401
