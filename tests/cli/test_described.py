"""What is written about the command line is what it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from assent.cli import EXIT_CODES, app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def commands(group: Any, path: str = "assent") -> Iterator[tuple[str, Any]]:
    """Every command that can be typed, with how."""
    found = getattr(group, "commands", None)
    if found is None or path == "assent slack":
        yield path, group
        return
    for name, command in found.items():
        if not command.hidden:
            yield from commands(command, f"{path} {name}")


def test_the_written_list_of_commands_is_complete() -> None:
    there = {path for path, _ in commands(typer.main.get_command(app))}
    written = set(re.findall(r"^\| `(assent [a-z -]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert written == there


def test_every_command_says_what_it_does_and_can_speak_to_programs() -> None:
    silent = {"assent up", "assent worker", "assent web", "assent slack", "assent ledger export"}
    for path, command in commands(typer.main.get_command(app)):
        assert command.help, path
        options = {option for parameter in command.params for option in parameter.opts}
        assert ("--json" in options) != (path in silent), path


def test_the_written_exit_codes_are_complete() -> None:
    written = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)}
    assert written == {0, 1, 130, *EXIT_CODES.values()}
