"""Addresses that nothing here can have."""

from __future__ import annotations

import pytest

from assent.store.people import Person
from tests.pages.reading import PageReader
from tests.site import Site


@pytest.mark.parametrize(
    "address",
    [
        "/runs/a%00b",
        "/rollbacks/%00",
        "/records/desk/%00",
        "/agents/%00",
        "/stop?scope=agent&name=%00",
        "/ledger?run=%00",
    ],
)
async def test_the_character_nul_is_no_such_address(site: Site, ada: Person, address: str) -> None:
    async with site.browser(ada) as browser:
        answer = await browser.get(address)
    assert answer.status_code == 404
    assert "There is no such address." in PageReader(answer.text).words
