"""Making seeded checks in tests."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.store import ledger
from assent.store.people import Person
from assent.store.tables import CheckRow
from assent_activities import seeding
from tests.desk import CARD
from tests.pages.reading import PageReader
from tests.site import Site

BLOCK = """
checks:
  one_in: 20
  a_day: 1
  of:
    - action: desk.pay
      multiply: {amount: 20}
      because: It is twenty times what was agreed.
"""
CHECKED = CARD + BLOCK


SEED = seeding.seed


async def seed(site: Site, later: timedelta = timedelta()) -> int:
    def work() -> int:
        ledger.seal_all(site.world.database)
        return SEED(site.world.database, datetime.now(UTC) + later)

    return await asyncio.to_thread(work)


async def read_notice(site: Site, person: Person) -> None:
    async with site.browser(person) as browser:
        page = PageReader((await browser.get("/")).text)
        assert "Some requests may be checks" in page.words
        form = page.form("/checks/read")
        assert (await browser.post(form.action, data=form.fields)).status_code == 303
        assert "Some requests may be checks" not in PageReader((await browser.get("/")).text).words


async def shown(site: Site, person: Person) -> CheckRow:
    """An announced check, made from a request that was approved before, when another came."""
    site.world.publish(CHECKED)
    await read_notice(site, person)
    await seed(site)
    source = await site.waiting(to="carol")
    await site.world.decide(source, Verb.APPROVE)
    await site.world.outcome(source.action_id.partition(":")[0], "pay", ActionStatus.DONE)
    await site.waiting()
    assert await seed(site) == 1
    with site.world.database.read() as session:
        return session.execute(select(CheckRow)).scalar_one()
