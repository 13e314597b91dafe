"""Every address of the API and the pages that is written exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from assent.gateway import Gateway
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent_ui.app import create_app
from tests.docs.pages import PAGES, name_of, text_of
from tests.site import ADDRESS, KEY

_ASKED = re.compile(r"\b(GET|POST|PUT|DELETE) (/[\w/{}.-]*)")
_NAMED = re.compile(r"`(/(?:api|healthz|readyz|sign-in)[\w/{}.-]*)`")


@pytest.fixture
def web(settings: Settings) -> Iterator[FastAPI]:
    """The web application, of an installation that nothing runs in."""
    database = Database(settings.database_url)
    yield create_app(Gateway(None, database), database, public_url=ADDRESS, secret_key=KEY)
    database.close()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
async def test_every_path_of_a_page_exists(page: Path, web: FastAPI) -> None:
    offered = {f"{method.upper()} {path}" for path, methods in web.openapi()["paths"].items() for method in methods}
    for method, path in _ASKED.findall(text_of(page)):
        whole = path if path.startswith("/api/") else f"/api/v1{path}"
        assert f"{method} {whole}" in offered, f"{method} {path}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url=ADDRESS) as client:
        for path in set(_NAMED.findall(text_of(page))) - {"/api/v1"}:
            answer = await client.get(path)
            assert answer.status_code != httpx.codes.NOT_FOUND, path
