"""The written pages and what is in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    ]
)

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


def name_of(page: Path) -> str:
    """A page's path in the checkout."""
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    """A page as it is written."""
    return page.read_text(encoding="utf-8")


def blocks(*languages: str) -> list[Block]:
    """Every fenced block of all pages in one of these languages."""
    return [
        Block(page, text_of(page).count("\n", 0, match.start()) + 1, match[2], match[3])
        for page in PAGES
        for match in _FENCE.finditer(text_of(page))
        if match[2] in languages
    ]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def spans(page: Path) -> list[str]:
    """Every stretch of code in a page's prose."""
    return _CODE.findall(prose(page))
