"""What is written about the API is what the API does."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx

from assent_ui.problems import TITLES
from tests.site import ADDRESS

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


class Reader(HTMLParser):
    """Ids, links within the page and addresses of other hosts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.foreign: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in {"href", "src", "action"} and value:
                if value.startswith("#"):
                    self.targets.add(value[1:])
                elif not value.startswith("/"):
                    self.foreign.append(value)


async def test_the_page_shows_every_endpoint_and_loads_nothing_from_elsewhere(quiet: httpx.AsyncClient) -> None:
    document = (await quiet.get(f"{ADDRESS}/api/openapi.json")).json()
    shown = await quiet.get(f"{ADDRESS}/api/docs")
    assert shown.status_code == 200
    reader = Reader(shown.text)
    assert not reader.foreign
    assert reader.targets <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))
    for path, methods in document["paths"].items():
        assert path in shown.text
        for said in methods.values():
            assert said["operationId"] in reader.ids
            assert said["description"]
    for code in TITLES:
        assert f"problem-{code}" in reader.ids


async def test_every_endpoint_says_how_it_refuses(quiet: httpx.AsyncClient) -> None:
    document = (await quiet.get(f"{ADDRESS}/api/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            for status in ("401", "403", "422", "503"):
                content = said["responses"][status]["content"]
                assert "application/problem+json" in content, (path, method, status)


async def test_the_written_list_of_endpoints_is_complete(quiet: httpx.AsyncClient) -> None:
    document = (await quiet.get(f"{ADDRESS}/api/openapi.json")).json()
    there = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    written = set(
        re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) \S+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert written == there


def test_the_written_list_of_problems_is_complete() -> None:
    written = set(re.findall(r"^\| [\d, ]+ \| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    # An error nobody foresaw has no rule.
    assert written == set(TITLES) - {"error"}
