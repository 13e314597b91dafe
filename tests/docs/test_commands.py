"""Every command that is written anywhere exists: in the pages, in messages, on the web pages."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer
import yaml

from assent.cli import app
from tests.docs.pages import PAGES, ROOT, blocks, name_of, spans

COMMANDS = typer.main.get_command(app)
SHELL = ("sh", "", "console")

_TYPED = re.compile(r"^(?:\$ )?(?:docker compose (?:exec|run)\b.*? web )?(?:\.venv/bin/)?assent\s+(.*)$")
_COMPOSED = re.compile(r"^docker compose run\b.* web (?!assent )(.*)$")
_SPOKEN = re.compile(r"`(?:\.venv/bin/)?assent ([^`]+)`|<code>assent ([^<]+)</code>")
_PATH = re.compile(
    r"(?:assent|activities|approvals_ui|deploy|docs|examples|requirements|slack_app|tests|workflows)/[\w./-]+"
)
_SOURCES = ("assent", "activities", "approvals_ui", "slack_app", "workflows", "examples")


def fault(words: str) -> str:
    """What is wrong with the words after ``assent``; empty if nothing is."""
    command: Any = COMMANDS
    options = {"-h", "--help"} | _options(command)
    for word in re.sub(r"\s+#\s.*$", "", words).split():
        if word.startswith("-"):
            if word.partition("=")[0] not in options:
                return f"no option {word}"
        elif word in getattr(command, "commands", {}):
            command = command.commands[word]
            options |= _options(command)
        elif getattr(command, "commands", {}) and re.fullmatch(r"[a-z-]+", word):
            return f"no command {word}"
    return ""


def _options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def typed() -> list[tuple[str, str]]:
    """Commands in blocks and prose of pages, each with where."""
    found = []
    for block in blocks(*SHELL):
        for line in block.text.splitlines():
            if match := _TYPED.match(line.strip()) or _COMPOSED.match(line.strip()):
                found.append((str(block), match[1]))
    for page in PAGES:
        found += [(name_of(page), match[1]) for span in spans(page) if (match := _TYPED.match(span))]
    return found


def spoken() -> list[tuple[str, str]]:
    """Commands that messages, docstrings and web pages name, each with where."""
    files = [file for folder in _SOURCES for kind in ("*.py", "*.html") for file in (ROOT / folder).rglob(kind)]
    return [
        (f"{name_of(file)}", match[1] or match[2])
        for file in files
        for match in _SPOKEN.finditer(file.read_text(encoding="utf-8"))
    ]


def test_there_is_something_to_check() -> None:
    assert len(typed()) > 80
    assert len(spoken()) > 50
    assert fault("pause everything") == "no command everything"
    assert fault("frobnicate") == "no command frobnicate"
    assert fault("run list --colour") == "no option --colour"


@pytest.mark.parametrize(("where", "words"), typed())
def test_every_command_of_a_page_exists(where: str, words: str) -> None:
    assert not fault(words), where


@pytest.mark.parametrize(("where", "words"), sorted(set(spoken())))
def test_every_command_of_a_message_exists(where: str, words: str) -> None:
    assert not fault(words), where


def test_every_command_of_the_compose_file_exists() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    ours = {name: each["command"] for name, each in services.items() if "ASSENT_DATABASE_URL" in str(each)}
    assert {"migrate", "worker", "web", "slack"} <= set(ours)
    for name, command in ours.items():
        assert not fault(shlex.join(command)), name


def test_every_make_target_of_a_page_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert target in targets, name_of(page)


def test_every_file_that_a_page_names_exists() -> None:
    for page in PAGES:
        for span in spans(page):
            if _PATH.fullmatch(span):
                assert (ROOT / span).exists(), f"{name_of(page)} names {span}"


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index, page.name
